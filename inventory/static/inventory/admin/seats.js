/** Blocking and releasing seats: carries what is chosen in the map into the form, and the form's answer back into the map. */

const form = document.querySelector("[data-seats-form]");
const map = document.querySelector("seat-map");

if (form && map) {
  const chosen = form.elements.indexes;
  const count = form.querySelector("[data-seats-count]");
  const told = form.querySelector("[data-seats-told]");
  let busy = false;

  document.addEventListener("seatmap:selection", (event) => {
    const { indexes, counts = {} } = event.detail;
    chosen.value = JSON.stringify([...indexes]);
    const parts = Object.entries(counts).filter(([, n]) => n > 0).map(([state, n]) => `${n} ${state}`);
    count.textContent = indexes.length
      ? `${indexes.length} chosen in the map${parts.length ? `: ${parts.join(", ")}` : ""}.`
      : "No seats chosen in the map.";
  });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    form.setAttribute("aria-busy", "true");
    try {
      const body = new FormData(form, event.submitter);
      const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
      const { told: done, faults } = await answer.json();
      if (answer.ok) {
        say(done, "good");
        form.elements.named.value = "";
        map.clearSelection?.();
        map.refresh?.();
      } else {
        say((faults ?? ["That did not work. Nothing was changed."]).join(" "), "bad");
      }
    } catch {
      say("The shop could not be reached. Look at the map before you try again.", "bad");
    } finally {
      busy = false;
      form.removeAttribute("aria-busy");
    }
  });

  function say(text, tone) {
    const notice = document.createElement("div");
    notice.className = `bo-notice bo-notice--${tone}`;
    const line = document.createElement("p");
    line.textContent = text;
    notice.append(line);
    told.replaceChildren(notice);
  }
}
