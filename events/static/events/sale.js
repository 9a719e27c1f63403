// The state of the sale, worked out in the browser: the page is cached for a minute and must open on the second. Mirrors
// events/sale_state.py; the seat map's `seatmap:sale` (what this fan's slot says, sold out included) outranks it.
import { write } from "./countdown.js";

const BUYABLE = ["open", "presale"];

/** Return {state, opens_at, closes_at} at `now` (ms) from the page's data. */
export function saleState(data, now) {
  const windows = data.windows;
  if (data.sale.state === "cancelled") return { state: "cancelled" };
  if (now >= data.endsAt) return { state: "past" };
  if (data.saleSwitch === "closed") return { state: "closed" };
  const remaining = windows.filter((window) => window.closes_at > now);
  if (!remaining.length) return { state: "closed" };
  const isPublic = (window) => window.access === "public";
  const current = remaining.filter((window) => window.opens_at <= now);
  const coming = remaining.filter((window) => window.opens_at > now);
  let state = "upcoming";
  let window;
  if (current.length) {
    const candidates = current.some(isPublic) ? current.filter(isPublic) : current;
    window = candidates.reduce((a, b) => (b.closes_at > a.closes_at ? b : a));
    state = isPublic(window) ? "open" : "presale";
  } else {
    window = coming.reduce((a, b) => (b.opens_at < a.opens_at || (b.opens_at === a.opens_at && isPublic(b)) ? b : a));
  }
  if (data.saleSwitch === "paused") state = "paused";
  return { state, opens_at: window.opens_at, closes_at: window.closes_at };
}

class SalePanel {
  #data;
  #told = null; // What the fan's slot said last; outranks the page.
  #offset = 0; // The server's clock minus ours, ms.
  #boundaries; // Moments (ms) at which the clock alone may change the state.
  #shown;
  #timer;

  constructor(article, data) {
    this.#data = data;
    this.#boundaries = [...data.windows.flatMap((window) => [window.opens_at, window.closes_at]), data.endsAt];
    this.article = article;
    this.#shown = article.dataset.eventState;
    article.addEventListener("seatmap:sale", (event) => this.#hear(event.detail));
    addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#tick());
    this.#tick();
  }

  #now() {
    return Date.now() + this.#offset;
  }

  #hear({ state, opens_at, closes_at, now }) {
    if (now) this.#offset = now - Date.now();
    this.#told = { state, opens_at, closes_at, at: this.#now() };
    this.#tick();
  }

  /** The slot's word holds until the clock passes a boundary; then the page's windows count until it speaks again. */
  #current(now) {
    const told = this.#told;
    const isStale = told && this.#boundaries.some((moment) => told.at < moment && moment <= now);
    return told && !isStale ? told : saleState(this.#data, now);
  }

  #tick() {
    clearTimeout(this.#timer);
    const now = this.#now();
    const sale = this.#current(now);
    this.#show(sale.state);
    if (sale.state === "upcoming") this.#count(sale.opens_at, now);
    const next = Math.min(...this.#boundaries.filter((moment) => moment > now)) - now;
    const wait = sale.state === "upcoming" ? 1000 - (now % 1000) : 60_000;
    this.#timer = setTimeout(() => this.#tick(), Math.min(wait, next) + 5);
  }

  #count(opensAt, now) {
    const clock = this.article.querySelector("[data-sale-clock]");
    if (clock) write(clock, (opensAt - now) / 1000);
    const time = this.article.querySelector("[data-sale-time]");
    if (time && time.dataset.at !== String(opensAt)) {
      const isFirst = !time.dataset.at;
      time.dataset.at = String(opensAt);
      if (!isFirst || opensAt !== this.#data.sale.opens_at) time.textContent = this.#inZone(opensAt);
    }
  }

  #inZone(ms) {
    return new Intl.DateTimeFormat("en-GB", {
      weekday: "long",
      day: "numeric",
      month: "long",
      hour: "2-digit",
      minute: "2-digit",
      timeZone: this.#data.timeZone,
    }).format(ms);
  }

  #show(state) {
    if (state === this.#shown) return;
    const was = this.#shown;
    this.#shown = state;
    this.article.dataset.eventState = state;
    for (const part of this.article.querySelectorAll("[data-when]")) {
      part.hidden = !part.dataset.when.split(" ").includes(state);
    }
    const panel = this.article.querySelector(`.sale [data-when="${state}"]`);
    const status = this.article.querySelector("[data-sale-status]");
    if (status && panel) status.textContent = panel.dataset.said;
    if (BUYABLE.includes(state) && !BUYABLE.includes(was)) this.article.classList.add("event--just-opened");
  }
}

const article = document.querySelector("[data-event-state]");
const source = document.getElementById("event-data");
if (article && source && article.querySelector("[data-when]")) new SalePanel(article, JSON.parse(source.textContent));
