// The page between the bank and the order asks every second and a half whether there is news, more seldom as it waits,
// and goes on as soon as there is. Without scripts the page refreshes itself.

const FIRST_MS = 1500;
const SLOWEST_MS = 8000;

const root = document.querySelector("[data-waiting]");
const began = Date.now();

async function ask(pause) {
  try {
    const answer = await fetch("?poll=1", { headers: { Accept: "application/json" }, cache: "no-store" });
    const { url } = await answer.json();
    if (url) {
      location.replace(url);
      return;
    }
  } catch {
    // Offline, or the server is restarting: the next try will tell.
  }
  if (Date.now() - began > Number(root.dataset.patience)) root.querySelector("[data-waiting-long]").hidden = false;
  setTimeout(ask, pause, Math.min(pause * 1.2, SLOWEST_MS));
}

setTimeout(ask, FIRST_MS, FIRST_MS);
