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

import { Banner } from "./banner.js";
import { Basket, offerName } from "./basket.js";
import { Camera } from "./camera.js";
import { Card, stateWord } from "./card.js";
import { h, icon } from "./dom.js";
import { Painter } from "./draw.js";
import { Fan } from "./fan.js";
import { openFeed } from "./feed.js";
import { Filters } from "./filters.js";
import { bindGestures } from "./gestures.js";
import { sectionAt } from "./hit.js";
import { legend } from "./legend.js";
import { SeatList } from "./list.js";
import { Picker } from "./picker.js";
import { fetchPlan } from "./plan.js";
import { NO_TIER, Seats } from "./seats.js";
import { Selection } from "./select.js";
import { openStanding } from "./standing.js";
import { moneyWriter, plural, seatName } from "./text.js";
import { Toasts } from "./toast.js";

/** A seat must be this large (CSS pixels) to be chosen by mouse, or by finger. */
const MOUSE_SEAT_PX = 5;
const FINGER_SEAT_PX = 15;
/** How large seats are shown when the map flies to them. */
const SHOWN_SEAT_PX = 26;
const CARD_MS = 2600;
const TIER_SHAPES = ["circle", "square", "diamond", "triangle", "hexagon", "star"];

const REFUSALS = {
  limit_reached: ({ extra }) => `You can hold at most ${plural(extra.limit ?? 0, "seat")} for this event.`,
  hold_expired: () => "Your hold has run out, so its seats went back on sale.",
  hold_unknown: () => "Your hold has run out, so its seats went back on sale.",
  sale_closed: () => "Seats cannot be chosen at the moment.",
  no_seats_together: () => "No such seats together are left. Try fewer seats, another section or a higher price.",
  already_extended: () => "The time was prolonged once already.",
  server_busy: () => "The box office is very busy. Your seats are safe; try again in a moment.",
  unreachable: () => "No connection to the box office. Check your network and try again.",
};

class SeatMap extends HTMLElement {
  #ends = new AbortController();
  #started = false;
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
    this.veil = h("div", { class: "sm-veil" }, h("div", { class: "sm-spinner", "aria-hidden": "true" }), h("p", { text: "Drawing the hall\u2026" }));
    this.#map = h("div", { class: "sm-map" }, this.canvas, this.veil);
    this.canvas.setAttribute("aria-label", "Seat map");
    // The no-script way that the page brought as children is not needed any more.
    this.replaceChildren(h("div", { class: "sm-main" }, h("div", { class: "sm-view" }, this.#map)));
    this.classList.add("sm");
    try {
      this.event = this.#readEvent();
      const plan = await fetchPlan(this.event.planUrl);
      if (!this.isConnected) return;
      this.#build(plan);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Return the event's data; a picture of a plan has none but the plan's address. */
  #readEvent() {
    if (this.mode === "plan") return { planUrl: this.dataset.planUrl, currency: "EUR", locale: undefined };
    const source = document.getElementById(this.dataset.event || "event-data");
    if (!source) throw new Error("This page brought no event data.");
    return JSON.parse(source.textContent);
  }

  #fail(error) {
    const again = h("button", { type: "button", class: "sm-button", text: "Try again", on: { click: () => this.#start() } });
    const choose = this.event?.chooseUrl ? h("a", { class: "sm-link", href: this.event.chooseUrl, text: "Choose from a plain list" }) : null;
    this.veil.className = "sm-veil sm-veil--error";
    this.veil.setAttribute("role", "alert");
    const words = navigator.onLine ? "The seat map could not be loaded." : "You are offline. The seat map needs a connection to load.";
    this.veil.replaceChildren(...[h("p", { text: words }), again, choose].filter(Boolean));
    this.dispatchEvent(new CustomEvent("seatmap:error", { bubbles: true, detail: { message: String(error?.message ?? error) } }));
  }

  // --- building -----------------------------------------------------------------------------------------------

  #build(plan) {
    const { event, mode } = this;
    const bare = mode === "plan";
    const tiers = bare ? tiersOfPlan(plan) : event.tiers;
    const categoryTier = bare ? plan.categories.map((_, k) => k) : event.categoryTier;
    this.plan = plan;
    this.money = moneyWriter(event.currency, event.locale);
    this.seats = new Seats(plan, tiers, categoryTier);
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.camera = new Camera(plan.bounds, calm);
    const organiser = mode === "block";
    this.painter = new Painter(this.canvas, this.seats, this.camera, { money: this.money, organiser, bare });
    this.card = new Card(this.seats, this.money, { organiser, bare });
    this.#map.append(this.#zoomButtons(), this.status, this.card.element);
    this.canvas.setAttribute("aria-label", this.#describe());
    this.append(...this.toasts.elements);
    if (mode === "sale") this.#buildSale();
    else if (organiser) this.#buildBlock();
    else this.append(legend(this.seats, { bare: true }));
    this.seats.addEventListener("change", () => {
      // The card says what is true now, also of a seat that changes under the pointer.
      if (this.painter.hovered >= 0 && !this.card.element.hidden) this.#showCard(this.painter.hovered);
    });
    this.#bind();
    this.veil.remove();
    this.painter.resize();
    if (!bare) this.#openFeed();
    document.fonts?.ready.then(() => this.painter.retheme());
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
    this.basket = new Basket({ fan: this.fan, seats, money, toasts, checkoutUrl: event.checkoutUrl, show: (index) => this.#showSeat(index) });
    this.list = new SeatList({
      seats,
      fan: this.fan,
      money,
      toasts,
      standing: (section) => this.#openStanding(section),
      shown: (section) => this.camera.show(section.box, false),
    });
    const tabs = this.#tabs();
    const view = this.querySelector(".sm-view");
    this.prepend(this.banner.element, h("div", { class: "sm-top" }, tabs, this.filters.element));
    view.append(this.list.element, legend(seats));
    this.querySelector(".sm-main").append(h("div", { class: "sm-side" }, this.picker.element, this.basket.element));
    if (matchMedia("(min-width: 900px)").matches) this.picker.element.open = true;
    this.#listen();
    this.fan.refresh();
  }

  #buildBlock() {
    this.selector = new Selection({ seats: this.seats, painter: this.painter, host: this });
    this.prepend(h("div", { class: "sm-top" }, this.selector.element));
    this.querySelector(".sm-view").append(legend(this.seats, { organiser: true }));
  }

  #tabs() {
    const views = [
      ["map", "Map"],
      ["list", "List"],
    ];
    const buttons = views.map(([view, text]) =>
      h("button", { type: "button", "aria-pressed": String(view === "map"), on: { click: () => this.#setView(view, buttons) } }, icon(view), text),
    );
    return h("div", { class: "sm-tabs", role: "group", "aria-label": "Way of choosing" }, ...buttons);
  }

  #setView(view, buttons) {
    buttons.forEach((button, k) => button.setAttribute("aria-pressed", String((k === 1) === (view === "list"))));
    this.#map.hidden = view === "list";
    this.toggleAttribute("data-list", view === "list");
    if (view === "list") this.list.open();
    else {
      this.list.hide();
      this.painter.resize();
    }
  }

  #zoomButtons() {
    const button = (name, label, act) =>
      h("button", { type: "button", class: "sm-round", "aria-label": label, on: { click: () => (act(), this.#moved()) } }, icon(name));
    return h(
      "div",
      { class: "sm-zoom" },
      button("plus", "Zoom in", () => this.camera.zoom(1.8, undefined, undefined, true)),
      button("minus", "Zoom out", () => this.camera.zoom(1 / 1.8, undefined, undefined, true)),
      button("fit", "Show the whole hall", () => this.camera.fit()),
    );
  }

  // --- live ---------------------------------------------------------------------------------------------------

  #openFeed() {
    this.feed = openFeed(this.event, (message) => {
      if (message.kind === "snapshot") this.seats.load(message.version, message.states);
      else if (message.kind === "changes") this.seats.apply(message.version, message.indexes, message.states);
      else if (message.kind === "status") this.#setStatus(message);
      else if (message.notice?.kind === "event") this.fan?.refresh();
    });
  }

  #setStatus({ transport, stale }) {
    const before = this.#transport;
    this.#transport = transport;
    this.#stale = stale;
    const words = { socket: "Live", polling: "Updates every 2 s", offline: "Offline: seats may have changed" };
    this.status.hidden = false;
    this.status.dataset.transport = transport;
    this.status.textContent = words[transport];
    if (before === "offline" && transport !== "offline") this.fan?.refresh();
  }

  #listen() {
    const { fan, toasts, seats } = this;
    fan.addEventListener("change", () => {
      this.painter.own = fan.chosen.concat([...seats.mine.keys()].filter((i) => seats.mine[i] === 3));
      this.painter.ask();
    });
    fan.addEventListener("held", ({ detail }) => this.#held(detail.seats));
    fan.addEventListener("released", ({ detail }) => {
      toasts.say(`${plural(detail.seats.length, "seat")} given back. ${this.#basketWords()}`);
      this.#tellSelect();
    });
    fan.addEventListener("extended", () => toasts.show("You have more time now.", { tone: "good" }));
    fan.addEventListener("expired", () => {
      toasts.show("Your time ran out and the seats went back on sale.", { tone: "bad" });
      this.#tellSelect();
    });
    fan.addEventListener("refused", ({ detail }) => this.#refused(detail.refusal, detail.seats));
    fan.addEventListener("asked", () => {
      const detail = { ...fan.sale, now: fan.now() };
      this.dispatchEvent(new CustomEvent("seatmap:sale", { bubbles: true, detail }));
    });
    fan.addEventListener("sale", ({ detail }) => {
      if (detail.state === "open") toasts.show("The sale is open: choose your seats.", { tone: "good" });
    });
  }

  #held(indexes) {
    const names = indexes.map((i) => seatName(this.plan.seat(i)));
    const what = indexes.length > 2 ? plural(indexes.length, "seat") : names.join(" and ");
    this.toasts.say(`${what} held for you. ${this.#basketWords()}`);
    const visible = indexes.filter((i) => !Number.isNaN(this.plan.x[i]));
    if (visible.length > 1) this.#showSeats(visible);
    if (visible.length < indexes.length) this.toasts.show(`${plural(indexes.length, "place")} in ${this.plan.seat(indexes[0]).section} held for you.`, { tone: "good" });
    this.#tellSelect();
  }

  #basketWords() {
    const { hold } = this.fan;
    return hold ? `${plural(hold.seats.length, "seat")} in your basket, ${this.money(hold.total)}.` : "Your basket is empty.";
  }

  #tellSelect() {
    const { hold } = this.fan;
    const detail = { seats: hold?.seats.map((seat) => seat.index) ?? [], total: hold?.total ?? 0 };
    this.dispatchEvent(new CustomEvent("seatmap:select", { bubbles: true, detail }));
  }

  #refused(refusal, indexes) {
    const { toasts, fan } = this;
    if (refusal.code === "seats_taken") {
      this.#taken(refusal, indexes);
      return;
    }
    if (refusal.code === "presale_code_needed" || refusal.code === "presale_code_invalid") {
      this.banner.refuseCode(refusal.message);
      return;
    }
    const text = REFUSALS[refusal.code]?.(refusal) ?? refusal.message;
    toasts.show(text, { tone: "bad" });
    if (refusal.code === "sale_closed") fan.refresh();
  }

  #taken(refusal, indexes) {
    const taken = refusal.extra.taken ?? [];
    // Show at once what the server knows; the next change confirms it.
    this.seats.apply(this.seats.version, taken, taken.map((i) => Math.max(1, this.seats.states[i])));
    const name = taken.length === 1 ? `${seatName(this.plan.seat(taken[0]))} was` : "Some of these seats were";
    const actions = (refusal.extra.alternatives ?? [])
      // The box office proposes from a copy that may be a second old; this page may know better.
      .filter((group) => group.length && group.every((i) => this.seats.isFree(i)))
      .slice(0, 2)
      .map((group) => ({ label: offerName(this.seats, group, this.money), run: () => this.fan.choose(group) }));
    const others = actions.length ? " Take these instead?" : "";
    this.toasts.show(`${name} taken a moment ago.${others}`, { actions, tone: "bad" });
    if (!actions.length && indexes.length) this.painter.ask();
  }

  // --- looking and choosing -----------------------------------------------------------------------------------

  #bind() {
    const unbind = bindGestures(this.canvas, this.camera, {
      tap: (tap) => this.#tap(tap),
      hover: (point) => this.#hover(point),
      moved: () => this.#moved(),
      isBoxing: (event) => Boolean(this.selector && (this.selector.isBoxing || event.shiftKey)),
      box: (box, done) => this.#box(box, done),
    });
    const resize = new ResizeObserver(() => this.painter.resize());
    resize.observe(this.#map);
    this.#ends.signal.addEventListener("abort", () => {
      unbind();
      resize.disconnect();
    });
    this.painter.onFrame = () => {
      // With everything in sight one finger scrolls the page; zoomed in, it moves the map.
      this.canvas.classList.toggle("is-fitted", this.camera.isFitted);
    };
  }

  #moved() {
    this.card.hide();
    this.painter.ask();
  }

  /** Return {seat, section} under a point of the canvas: the seat is -1 where seats are too small to tell apart. */
  #under({ x, y }, touch = false) {
    const [px, py] = this.camera.toPlan(x, y);
    const size = this.camera.seatSize;
    const reach = (size * 0.62 + (touch ? 6 : 2)) / this.camera.scale;
    const seat = size >= MOUSE_SEAT_PX ? this.painter.grid.nearest(px, py, reach) : -1;
    return { seat, section: sectionAt(this.plan, px, py) };
  }

  #hover(point) {
    if (!point) {
      this.#setHover(-1, null);
      this.card.hide();
      return;
    }
    const { seat, section } = this.#under(point);
    const overview = this.camera.seatSize < MOUSE_SEAT_PX || section?.standing;
    this.#setHover(seat, overview && seat < 0 ? section : null);
    this.canvas.classList.toggle("is-active", seat >= 0 || (overview && section !== null));
    if (seat >= 0) this.#showCard(seat);
    else if (section && overview) this.card.showSection(section, point.x, point.y, this.camera.width);
    else this.card.hide();
  }

  #setHover(seat, section) {
    if (this.painter.hovered === seat && this.painter.hoveredSection === section) return;
    this.painter.hovered = seat;
    this.painter.hoveredSection = section;
    this.painter.ask();
  }

  #showCard(i) {
    const [x, y] = this.camera.toScreen(this.plan.x[i], this.plan.y[i]);
    this.card.showSeat(i, x, y, this.camera.width);
  }

  #tap(tap) {
    const { seat, section } = this.#under(tap, tap.touch);
    const size = this.camera.seatSize;
    if (seat >= 0 && size >= (tap.touch ? FINGER_SEAT_PX : MOUSE_SEAT_PX)) this.#tapSeat(seat, tap);
    else if (seat >= 0) this.#zoomTo(this.plan.x[seat], this.plan.y[seat]);
    else if (section?.standing && this.fan) this.#openStanding(section);
    else if (section && size < MOUSE_SEAT_PX * 1.6) this.#showSection(section);
    else if (tap.again) this.camera.zoom(2, tap.x, tap.y, true);
    this.painter.ask();
  }

  #tapSeat(i, tap) {
    if (this.selector) {
      if (tap.again && i === this.#tapped) this.selector.addRow(i);
      else this.selector.toggle(i);
      this.#tapped = i;
      return;
    }
    this.#showCard(i);
    if (tap.touch) setTimeout(() => this.card.hide(), CARD_MS);
    if (this.fan) this.#chooseSeat(i);
  }

  #chooseSeat(i) {
    const { seats, fan, toasts } = this;
    if (seats.isMine(i)) {
      fan.release([i]);
      return;
    }
    if (!seats.isFree(i)) {
      const why = seats.tier[i] === NO_TIER ? "is not for sale" : stateWord(seats, i) === "Taken" ? "is taken" : "is in someone's basket; it may come back";
      toasts.show(`${seatName(this.plan.seat(i))} ${why}.`);
      return;
    }
    if (!fan.canChoose) {
      toasts.show(fan.sale.state === "presale" ? "Enter your presale code first." : "Seats cannot be chosen at the moment.", { tone: "bad" });
      this.banner.element.scrollIntoView({ block: "nearest", behavior: this.camera.calm ? "auto" : "smooth" });
      return;
    }
    fan.choose([i]);
  }

  #box(box, done) {
    this.painter.box = done ? null : box;
    this.card.hide();
    this.painter.ask();
    if (!done) return;
    const [x0, y0] = this.camera.toPlan(Math.min(box[0], box[2]), Math.min(box[1], box[3]));
    const [x1, y1] = this.camera.toPlan(Math.max(box[0], box[2]), Math.max(box[1], box[3]));
    this.selector.addBox(x0, y0, x1, y1);
  }

  #openStanding(section) {
    openStanding({ host: this, section, seats: this.seats, fan: this.fan, money: this.money });
  }

  #showSection(section) {
    this.camera.show(section.box);
    // A large section shown whole may still have seats too small to take: go on to its middle.
    const size = this.camera.seatSize;
    if (size >= MOUSE_SEAT_PX) this.#zoomTo((section.box[0] + section.box[2]) / 2, (section.box[1] + section.box[3]) / 2);
    this.card.hide();
  }

  #zoomTo(x, y) {
    const half = 6 * 25;
    this.camera.show([x - half, y - half, x + half, y + half], true, SHOWN_SEAT_PX);
  }

  #showSeats(indexes) {
    const xs = indexes.map((i) => this.plan.x[i]);
    const ys = indexes.map((i) => this.plan.y[i]);
    const margin = 120;
    this.camera.show(
      [Math.min(...xs) - margin, Math.min(...ys) - margin, Math.max(...xs) + margin, Math.max(...ys) + margin],
      true,
      SHOWN_SEAT_PX,
    );
    this.painter.ask();
  }

  #showSeat(index) {
    if (Number.isNaN(this.plan.x[index])) this.camera.show(this.plan.sections[this.plan.sectionOf[index]].box);
    else this.#showSeats([index]);
    this.painter.ask();
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
      ready: seats.known || this.mode === "plan",
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
      frames: painter.frames,
      frameMs: spread(painter.frameTimes),
      workMs: spread(painter.workTimes),
    };
  }

  /** Bring seat `index` into view, large enough to be taken, without animation. Resolves after the next frame. */
  ensureVisible(index) {
    const [x, y] = [this.plan.x[index], this.plan.y[index]];
    if (!Number.isNaN(x)) this.camera.show([x - 150, y - 150, x + 150, y + 150], false, SHOWN_SEAT_PX);
    this.#moved();
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

/** Return a tier a category, for the picture of a plan. */
function tiersOfPlan(plan) {
  return plan.categories.map(({ name, color }, number) => ({
    number,
    name,
    color,
    amount: 0,
    shape: TIER_SHAPES[number % TIER_SHAPES.length],
  }));
}

/** Return {median, p95, worst} of a list of milliseconds. */
function spread(times) {
  if (!times.length) return { median: 0, p95: 0, worst: 0 };
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return { median: at(0.5), p95: at(0.95), worst: sorted.at(-1) };
}

/** Add seat-map.css to the page if the page did not. */
function addStylesheet() {
  const sheets = [...document.querySelectorAll("link[rel=stylesheet]")];
  if (sheets.some((sheet) => /seat-map(\.[0-9a-f]+)?\.css/.test(sheet.href))) return;
  document.head.append(h("link", { rel: "stylesheet", href: new URL("seat-map.css", import.meta.url).href }));
}

customElements.define("seat-map", SeatMap);
