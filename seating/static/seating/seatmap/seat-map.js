/**
 * `<seat-map data-event="ID">`: the live seat map of an event, from the JSON in the script element with that id.
 *
 * Modes (`mode` attribute): none, a fan chooses seats; `block`, an organiser selects seats (fires
 * `seatmap:selection` {indexes, counts}; `selection`, `clearSelection()`, `refresh()`); `plan`, a picture of the
 * plan at `data-plan-url`, without a sale.
 *
 * Events, bubbling: `seatmap:ready`, `seatmap:select` {seats, total} when the fan's hold changed,
 * `seatmap:sale` {state, opens_at, closes_at, now} at every answer of the server about it (`now` in its time, ms),
 * `seatmap:selection`, and `seatmap:error` {message}.
 *
 * For inspection (tests, support): `stats()`, `ensureVisible(index)`, `seatPoint(index)`, `seatLook(index)`.
 */

import { Answers } from "./answers.js";
import { Banner } from "./banner.js";
import { Basket } from "./basket.js";
import { Camera } from "./camera.js";
import { Card, stateWord } from "./card.js";
import { h, icon } from "./dom.js";
import { Painter } from "./draw.js";
import { Explorer } from "./explore.js";
import { Fan } from "./fan.js";
import { openFeed } from "./feed.js";
import { Filters } from "./filters.js";
import { legend } from "./legend.js";
import { Picker } from "./picker.js";
import { fetchPlan, Plan } from "./plan.js";
import { NO_TIER, Seats, tiersOfPlan } from "./seats.js";
import { moneyWriter, plural, seatName } from "./text.js";
import { Toasts } from "./toast.js";
import { Views } from "./views.js";

const ZOOM_STEP = 1.8;
const STATES_MS = 1000;
const TRANSPORTS = {
  socket: () => "Live",
  polling: (pollMs) => `Updates every ${Math.round(pollMs / 1000)} s`,
  offline: () => "Offline: seats may have changed",
};

/** Let the browser paint and listen between two pieces of work: on a phone each takes four times as long. */
const breathe = () => globalThis.scheduler?.yield?.() ?? pause(0);
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

class SeatMap extends HTMLElement {
  #ends = new AbortController();
  #started = false;
  #shown = false;
  #early = []; // What the feed said before there was a map.
  #tellFirst;
  #toldFirst = new Promise((tell) => (this.#tellFirst = tell));
  #transport = "connecting";
  #stale = false;
  #map = null;
  #tapped = -1;

  connectedCallback() {
    if (this.#started) return;
    this.#started = true;
    addStylesheet();
    this.mode = this.getAttribute("mode") || "sale";
    this.#start();
  }

  disconnectedCallback() {
    // A moved element is connected again at once: only one that stays away is closed.
    queueMicrotask(() => {
      if (!this.isConnected) this.#close();
    });
  }

  #close() {
    this.#ends.abort();
    this.feed?.close();
    this.fan?.close();
    this.painter?.close();
    this.basket?.close();
    this.banner?.close();
  }

  async #start() {
    this.toasts = new Toasts();
    this.canvas = h("canvas", { class: "sm-canvas", tabindex: "0", role: "application" });
    this.status = h("p", { class: "sm-status", role: "status", hidden: true });
    this.veil = h(
      "div",
      { class: "sm-veil" },
      h("div", { class: "sm-spinner", "aria-hidden": "true" }),
      h("p", { text: "Drawing the hall\u2026" }),
    );
    this.#map = h("div", { class: "sm-map" }, this.canvas, this.veil);
    this.canvas.setAttribute("aria-label", "Seat map");
    // The no-script way that the page brought as children is not needed any more.
    this.replaceChildren(h("div", { class: "sm-main" }, h("div", { class: "sm-view" }, this.#map)));
    this.classList.add("sm");
    try {
      this.event = this.#readEvent();
      await breathe();
      if (this.#ends.signal.aborted) return;
      // Seats and plan come at the same time; the plan is needed first.
      if (this.mode !== "plan") this.feed ??= openFeed(this.event, (message) => this.#hear(message));
      const source = await fetchPlan(this.event.planUrl);
      await breathe();
      await this.#build(new Plan(source));
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Return the event's data; a picture of a plan has none but the plan's address. */
  #readEvent() {
    if (this.mode === "plan") return { planUrl: this.dataset.planUrl, currency: "EUR", locale: undefined };
    return JSON.parse(document.getElementById(this.dataset.event || "event-data").textContent);
  }

  #fail(error) {
    this.feed?.close();
    this.feed = null;
    this.#early = [];
    const again = h("button", {
      type: "button",
      class: "sm-button",
      text: "Try again",
      on: { click: () => this.#start() },
    });
    const choose = this.event?.chooseUrl
      ? h("a", { class: "sm-link", href: this.event.chooseUrl, text: "Choose from a plain list" })
      : null;
    this.veil.className = "sm-veil sm-veil--error";
    this.veil.setAttribute("role", "alert");
    const words = navigator.onLine
      ? "The seat map could not be loaded."
      : "You are offline. The seat map needs a connection to load.";
    this.veil.replaceChildren(...[h("p", { text: words }), again, choose].filter(Boolean));
    this.dispatchEvent(
      new CustomEvent("seatmap:error", {
        bubbles: true,
        detail: { message: String(error?.message ?? error) },
      }),
    );
  }

  // --- building -----------------------------------------------------------------------------------------------

  /** Build in steps, each short enough for a phone that somebody is scrolling. */
  async #build(plan) {
    const { signal } = this.#ends;
    const steps = [this.#buildSeats, this.#buildMap, this.#buildOnMap, this.#buildAround, this.#show];
    for (const step of steps) {
      await breathe();
      if (signal.aborted) return;
      await step.call(this, plan);
    }
  }

  #buildSeats(plan) {
    const { event, mode } = this;
    const bare = mode === "plan";
    this.plan = plan;
    const tiers = bare ? tiersOfPlan(plan) : event.tiers;
    this.seats = new Seats(plan, tiers, bare ? plan.categories.map((_, k) => k) : event.categoryTier);
  }

  #buildMap(plan) {
    const { event, mode } = this;
    this.kind = { organiser: mode === "block", bare: mode === "plan" };
    this.money = moneyWriter(event.currency, event.locale);
    this.camera = new Camera(plan.bounds, matchMedia("(prefers-reduced-motion: reduce)").matches);
    this.painter = new Painter(this.canvas, this.seats, this.camera, { money: this.money, ...this.kind });
  }

  #buildOnMap() {
    this.money(0); // The first amount takes a phone thirty milliseconds, which the next step does not have.
    this.card = new Card(this.seats, this.money, this.kind);
    this.#map.append(this.#zoomButtons(), this.status, this.card.element);
    this.canvas.setAttribute("aria-label", this.#describe());
    this.append(...this.toasts.elements);
  }

  #buildAround() {
    if (this.mode === "sale") return this.#buildSale();
    if (this.mode === "block") return this.#buildBlock();
    return this.append(legend(this.seats, { bare: true }));
  }

  async #show() {
    this.#bind();
    // A hall drawn without its states looks free: give them a moment.
    if (this.feed) await Promise.race([this.#toldFirst, pause(STATES_MS)]);
    this.#shown = true;
    for (const message of this.#early.splice(0)) this.#hear(message);
    await this.painter.prepare(breathe);
    this.veil.remove();
    if (document.fonts?.status === "loading") document.fonts.ready.then(() => this.painter.retheme());
    this.dispatchEvent(new CustomEvent("seatmap:ready", { bubbles: true }));
  }

  #describe() {
    const { plan } = this;
    const use = "Arrow keys move the map, plus and minus zoom, 0 shows everything.";
    const list = this.mode === "sale" ? " To choose seats by keyboard, use the list view." : "";
    return `Seat map of ${plan.name}, ${plural(plan.sections.length, "section")}. ${use}${list}`;
  }

  #buildSale() {
    const { seats, money, event, toasts } = this;
    this.fan = new Fan({ event, seats });
    this.filters = new Filters(seats, money);
    this.picker = new Picker({ seats, fan: this.fan, money, tiers: () => this.filters.tiers });
    this.banner = new Banner(this.fan, event);
    this.basket = new Basket({
      fan: this.fan,
      seats,
      money,
      toasts,
      checkoutUrl: event.checkoutUrl,
      show: (index) => this.explorer.showSeats([index]),
    });
    const views = new Views({
      host: this,
      map: this.#map,
      painter: this.painter,
      forList: {
        seats,
        fan: this.fan,
        money,
        toasts,
        standing: (section) => this.#openStanding(section),
        shown: (section) => this.camera.show(section.box, false),
      },
    });
    const view = this.querySelector(".sm-view");
    this.prepend(this.banner.element, h("div", { class: "sm-top" }, views.element, this.filters.element));
    view.append(legend(seats));
    this.querySelector(".sm-main").append(
      h("div", { class: "sm-side" }, this.picker.element, this.basket.element),
    );
    if (matchMedia("(min-width: 900px)").matches) this.picker.element.open = true;
    this.answers = new Answers({
      host: this,
      fan: this.fan,
      seats,
      toasts,
      money,
      show: (indexes) => this.explorer.showSeats(indexes),
      refuseCode: (text) => this.banner.refuseCode(text),
    });
    this.fan.addEventListener("change", () => {
      const before = this.painter.own;
      this.painter.own = [...this.fan.chosen, ...seats.leaving];
      if (before.length || this.painter.own.length) this.painter.ask();
    });
    this.fan.refresh();
  }

  async #buildBlock() {
    const { Selection } = await import("./select.js");
    this.selector = new Selection({ seats: this.seats, painter: this.painter, host: this });
    this.prepend(h("div", { class: "sm-top" }, this.selector.element));
    this.querySelector(".sm-view").append(legend(this.seats, { organiser: true }));
  }

  #zoomButtons() {
    const button = (name, label, act) =>
      h(
        "button",
        {
          type: "button",
          class: "sm-round",
          "aria-label": label,
          on: { click: () => (act(), this.explorer.moved()) },
        },
        icon(name),
      );
    return h(
      "div",
      { class: "sm-zoom" },
      button("plus", "Zoom in", () => this.camera.zoom(ZOOM_STEP, undefined, undefined, true)),
      button("minus", "Zoom out", () => this.camera.zoom(1 / ZOOM_STEP, undefined, undefined, true)),
      button("fit", "Show the whole hall", () => this.camera.fit()),
    );
  }

  // --- live ---------------------------------------------------------------------------------------------------

  #hear(message) {
    if (message.kind === "snapshot") this.#tellFirst();
    if (!this.#shown) this.#early.push(message);
    else if (message.kind === "snapshot") this.seats.load(message.version, message.states);
    else if (message.kind === "changes")
      this.seats.apply(message.version, message.indexes, message.states);
    else if (message.kind === "status") this.#setStatus(message);
    else if (message.notice?.kind === "event") this.fan?.refresh();
  }

  #setStatus({ transport, stale, pollMs }) {
    const before = this.#transport;
    this.#transport = transport;
    this.#stale = stale;
    this.status.hidden = false;
    this.status.dataset.transport = transport;
    this.status.textContent = TRANSPORTS[transport](pollMs);
    if (before === "offline" && transport !== "offline") this.fan?.refresh();
  }

  // --- looking and choosing -----------------------------------------------------------------------------------

  #bind() {
    const { canvas, plan, camera, painter, card, selector } = this;
    const { signal } = this.#ends;
    const on = {
      seat: (i, tap) => this.#tapSeat(i, tap),
      standing: (section) => this.fan && this.#openStanding(section),
      isBoxing: (event) => Boolean(selector && (selector.isBoxing || event.shiftKey)),
      box: (box) => selector.addBox(...box),
    };
    this.explorer = new Explorer({ canvas, plan, camera, painter, card, on, signal });
    const resize = new ResizeObserver(() => painter.resize());
    resize.observe(this.#map);
    signal.addEventListener("abort", () => resize.disconnect());
    // Back from the checkout by the browser's memory, or from another tab: things have happened meanwhile.
    const back = () => {
      if (!document.hidden) this.fan?.refresh();
    };
    window.addEventListener("pageshow", (event) => event.persisted && (back(), this.refresh()), { signal });
    document.addEventListener("visibilitychange", back, { signal });
  }

  #tapSeat(i, tap) {
    if (this.selector) {
      if (tap.again && i === this.#tapped) this.selector.addRow(i);
      else this.selector.toggle(i);
      this.#tapped = i;
    } else if (this.fan) this.#chooseSeat(i);
  }

  #chooseSeat(i) {
    const { seats, fan, toasts } = this;
    if (seats.isMine(i)) {
      fan.release([i]);
      return;
    }
    if (!seats.isFree(i)) {
      const why =
        seats.tier[i] === NO_TIER
          ? "is not for sale"
          : stateWord(seats, i) === "Taken"
            ? "is taken"
            : "is in someone's basket; it may come back";
      toasts.show(`${seatName(this.plan.seat(i))} ${why}.`);
      return;
    }
    if (!fan.canChoose) {
      toasts.show(
        fan.sale.state === "presale"
          ? "Enter your presale code first."
          : "Seats cannot be chosen at the moment.",
        { tone: "bad" },
      );
      this.banner.element.scrollIntoView({
        block: "nearest",
        behavior: this.camera.calm ? "auto" : "smooth",
      });
      return;
    }
    fan.choose([i]);
  }

  async #openStanding(section) {
    if (this.seats.tier[section.first] === NO_TIER) {
      this.toasts.show(`${section.name} is not for sale.`);
      return;
    }
    const { openStanding } = await import("./standing.js");
    openStanding({ host: this, section, seats: this.seats, fan: this.fan, money: this.money });
  }

  // --- for the organiser's page -------------------------------------------------------------------------------

  /** The organiser's selected seats, ascending. */
  get selection() {
    return this.selector?.indexes ?? [];
  }

  clearSelection() {
    this.selector?.clear();
  }

  /** Fetch the seats' states again now (after the organiser changed them). */
  refresh() {
    this.feed?.refresh();
  }

  // --- inspection ---------------------------------------------------------------------------------------------

  /**
   * Return what the map is doing: {version, transport, stale, level, seatSize, sale, counts, hold, frames,
   * frameMs {median, p95, worst}, workMs {median, p95}} over the last 240 moving frames.
   */
  stats() {
    const { painter, seats, camera, fan } = this;
    if (!painter) return { ready: false };
    return {
      ready: painter.frames > 0 && (seats.known || this.mode === "plan"),
      version: seats.version,
      transport: this.#transport,
      stale: this.#stale,
      level: painter.level,
      seatSize: camera.seatSize,
      moving: camera.isMoving,
      sale: fan?.sale.state ?? null,
      counts: seats.counts(),
      hold: fan?.hold ? { ...fan.hold, left: fan.left } : null,
      chosen: fan?.chosen ?? [],
      busy: fan?.busy ?? false,
      selection: this.selection.length,
      ...painter.times,
    };
  }

  /** Bring seat `index` into view, large enough to be taken, without animation. Resolves after the next frame. */
  ensureVisible(index) {
    this.explorer.showSeats([index], false);
    return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  }

  /** Return where seat `index` is on the screen, in client coordinates: {x, y}. */
  seatPoint(index) {
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = this.camera.toScreen(this.plan.x[index], this.plan.y[index]);
    return { x: box.left + x, y: box.top + y };
  }

  /** Return in words what state seat `index` is shown in ("Available", "Yours", "In someone's basket", "Taken"). */
  seatLook(index) {
    return stateWord(this.seats, index, this.mode === "block");
  }
}

/** Add seat-map.css to the page if the page did not. */
function addStylesheet() {
  const sheets = [...document.querySelectorAll("link[rel=stylesheet]")];
  if (sheets.some((sheet) => /seat-map(\.[0-9a-f]+)?\.css/.test(sheet.href))) return;
  document.head.append(h("link", { rel: "stylesheet", href: new URL("seat-map.css", import.meta.url).href }));
}

customElements.define("seat-map", SeatMap);
