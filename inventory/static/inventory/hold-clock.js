// <hold-clock data-expires="ms" data-now="ms">: counts a hold's time down by the server's clock, not the browser's.
// It speaks to screen readers at five, two and one minutes, and when the time is up loads the page again, which then
// says what became of the places.

const SPOKEN_MINUTES = [5, 2, 1];
const LATE_SECONDS = 120;

class HoldClock extends HTMLElement {
  #timer = 0;

  connectedCallback() {
    const drift = Number(this.dataset.now) - Date.now();
    const end = Number(this.dataset.expires) - drift;
    const left = this.querySelector(".hold-clock__left");
    const spoken = this.querySelector("[role=status]");
    const words = this.querySelector(".hold-clock__words");
    const time = words?.querySelector("time");
    if (time) time.textContent = new Date(end).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
    left.hidden = false;
    const tick = () => {
      const seconds = Math.ceil((end - Date.now()) / 1000);
      left.textContent = `${Math.floor(Math.max(seconds, 0) / 60)}:${String(Math.max(seconds, 0) % 60).padStart(2, "0")}`;
      left.classList.toggle("clock--late", seconds <= LATE_SECONDS);
      if (seconds % 60 === 0 && SPOKEN_MINUTES.includes(seconds / 60)) {
        spoken.textContent = `${seconds / 60} ${seconds === 60 ? "minute" : "minutes"} left for your places.`;
      }
      if (seconds <= 0) {
        spoken.textContent = "The time for your places has run out.";
        clearInterval(this.#timer);
        setTimeout(() => location.assign(location.pathname), 1500);
      }
    };
    tick();
    this.#timer = setInterval(tick, 1000);
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
  }
}

customElements.define("hold-clock", HoldClock);
