// The door's page: sends each code without leaving the page, shows the answer large, sounds it, and reads codes from the
// camera (qr-reader.js). A hand scanner types into the field and presses Enter; a key pressed
// anywhere finds the field by itself. Without scripts the form posts and the page shows the same answer.

import { qrReader } from "./qr-reader.js";

const SAME_CODE_MS = 4000; // The camera sees a code many times while the paper is held before it.
const LOOK_MS = 150;
const DEADLINE_MS = 8000;

const door = document.querySelector("[data-door]");
const form = door.querySelector("[data-code-form]");
const field = form.elements.code;
const answer = door.querySelector("[data-answer]");
const soundOn = door.querySelector("[data-sound-on]");

let audio = null;
let queue = Promise.resolve();

function tone(result) {
  if (!soundOn.checked) return;
  audio ??= new AudioContext();
  const notes = result === "admitted" ? [[880, 0, 0.09], [1318, 0.1, 0.16]] : [[220, 0, 0.22], [165, 0.26, 0.34]];
  for (const [pitch, at, length] of notes) {
    const voice = audio.createOscillator();
    const volume = audio.createGain();
    voice.type = result === "admitted" ? "sine" : "square";
    voice.frequency.value = pitch;
    volume.gain.setValueAtTime(result === "admitted" ? 0.25 : 0.1, audio.currentTime + at);
    volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + at + length);
    voice.connect(volume).connect(audio.destination);
    voice.start(audio.currentTime + at);
    voice.stop(audio.currentTime + at + length);
  }
  navigator.vibrate?.(result === "admitted" ? 60 : [120, 80, 120]);
}

function show(told) {
  answer.dataset.result = told.result;
  for (const part of answer.querySelectorAll("[data-field]")) part.textContent = told[part.dataset.field] ?? "";
  answer.classList.remove("is-new");
  void answer.offsetWidth; // Restarts the animation, so that two equal answers are seen as two.
  answer.classList.add("is-new");
  tone(told.result);
  if (told.last === undefined) return;
  door.querySelector("[data-admitted]").textContent = told.admitted;
  door.querySelector("[data-tickets]").textContent = told.tickets;
  door.querySelector("[data-last]").replaceChildren(
    ...told.last.map((one) => {
      const item = document.createElement("li");
      const time = Object.assign(document.createElement("time"), { textContent: one.at, className: "numeric" });
      const place = Object.assign(document.createElement("strong"), { textContent: one.place });
      const name = Object.assign(document.createElement("span"), { textContent: one.name, className: "soft" });
      item.append(time, " ", place, " ", name);
      return item;
    }),
  );
}

async function check(code) {
  const body = new FormData(form);
  body.set("code", code);
  try {
    const response = await fetch(location.pathname, {
      method: "POST",
      body,
      headers: { Accept: "application/json" },
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    if (response.redirected || response.status === 403) {
      show({ result: "offline", title: "Signed out", detail: "Reload the page and sign in again. Nobody was checked." });
      return;
    }
    show(await response.json());
  } catch {
    show({ result: "offline", title: "No connection", detail: "The code was not checked. Try it again." });
  }
}

// One at a time and in order, so that the answer on the screen is the answer to the last code.
function enqueue(code) {
  queue = queue.then(() => check(code));
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const code = field.value.trim();
  field.value = "";
  field.focus();
  if (code) enqueue(code);
});

addEventListener("keydown", (event) => {
  const busy = /^(INPUT|BUTTON|A|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName ?? "");
  if (!busy && event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) field.focus();
});

function startCamera() {
  const toggle = door.querySelector("[data-camera-toggle]");
  const box = door.querySelector("[data-camera]");
  const video = door.querySelector("[data-video]");
  const words = door.querySelector("[data-camera-words]");
  const note = door.querySelector("[data-camera-note]");
  const seen = new Map();
  let stream = null;
  let reader = null;

  async function look() {
    if (!stream) return;
    try {
      for (const code of await reader.read(video)) {
        const now = Date.now();
        if (now - (seen.get(code) ?? 0) > SAME_CODE_MS) enqueue(code);
        seen.set(code, now);
      }
    } catch {
      // A frame that cannot be read yet; the next one is a blink away.
    }
    setTimeout(look, LOOK_MS);
  }

  async function turn() {
    note.hidden = true;
    if (stream) {
      for (const track of stream.getTracks()) track.stop();
      stream = null;
    } else {
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
        video.srcObject = stream;
        await video.play();
        reader ??= await qrReader();
        look();
      } catch {
        stream = null;
        note.textContent = "The camera cannot be used. Allow it in the browser, or type the code.";
        note.hidden = false;
      }
    }
    box.hidden = !stream;
    words.textContent = stream ? "Stop the camera" : "Use the camera";
  }

  toggle.hidden = false;
  toggle.addEventListener("click", turn);
}

door.querySelector("[data-sound]").hidden = !("AudioContext" in globalThis);
if (navigator.mediaDevices) startCamera();
