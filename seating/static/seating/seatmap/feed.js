/** The page's end of the live seats: starts the worker, and does its work here if it cannot start. */

/** A worker that has not reported by then never will (blocked, or no module workers). */
const START_MS = 4000;

/** Return `url` absolute, as ws: or wss: if `socket`; null stays null. */
function absolute(url, socket = false) {
  if (!url) return null;
  const full = new URL(url, document.baseURI);
  if (socket) full.protocol = full.protocol.replace("http", "ws");
  return full.href;
}

/** A worker with the interface of `Live`. */
class Remote {
  #worker;
  #give;

  constructor(settings, receive, fail) {
    this.#worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    this.#give = setTimeout(fail, START_MS);
    this.#worker.onerror = fail;
    this.#worker.onmessage = ({ data }) => {
      if (data.kind !== "ready") return receive(data);
      clearTimeout(this.#give);
      this.#worker.onerror = null;
      this.#worker.postMessage({ kind: "open", ...settings });
      return null;
    };
  }

  refresh() {
    this.#worker.postMessage({ kind: "refresh" });
  }

  setOnline(online) {
    this.#worker.postMessage({ kind: "online", online });
  }

  setVisible(visible) {
    this.#worker.postMessage({ kind: "visible", visible });
  }

  stop() {
    clearTimeout(this.#give);
    this.#worker.terminate();
  }
}

/**
 * Open the live seats of an event.
 *
 * `receive` gets the messages that live.js describes. Returns {refresh(), close()}.
 */
export function openFeed({ seatsUrl, socketUrl }, receive) {
  const settings = { seatsUrl: absolute(seatsUrl), socketUrl: absolute(socketUrl, true) };
  let source = null;
  let ended = false;
  const here = async () => {
    source?.stop();
    source = null;
    const { Live } = await import("./live.js");
    if (ended) return;
    source = new Live({ ...settings, post: receive });
    source.start();
  };
  try {
    source = new Remote(settings, receive, here);
  } catch {
    here();
  }
  const ends = new AbortController();
  const { signal } = ends;
  window.addEventListener("online", () => source?.setOnline(true), { signal });
  window.addEventListener("offline", () => source?.setOnline(false), { signal });
  document.addEventListener("visibilitychange", () => source?.setVisible(!document.hidden), { signal });
  return {
    refresh: () => source?.refresh(),
    close() {
      ended = true;
      ends.abort();
      source?.stop();
    },
  };
}
