/**
 * This fan: his hold and its clock, his limit, the sale as it stands for him, and what he does to them.
 *
 * Every act shows at once and is corrected by the answer. Acts run one after another, so that answers cannot
 * overtake each other; tabs tell each other through a BroadcastChannel and then ask the server (`me`).
 *
 * Events: `change` (anything he sees), `held` {seats, total}, `released` {seats}, `refused` {refusal, seats},
 * `extended`, `expired`, `asked` (the server answered), `sale` {state}
 * when its state changed.
 */

import { HoldApi, Refusal } from "./api.js";
import { CONFIRMING, MINE, RELEASING } from "./seats.js";

/** When the sale opens everybody's page asks at once: spread over this. */
const OPENING_SPREAD_MS = 1500;
const RETRY_MS = 3000;
const DOUBT_MS = 5000;

export class Fan extends EventTarget {
  #meUrl;
  #api;
  #seats;
  #queue = Promise.resolve();
  #pending = new Map();
  #acts = 0;
  #channel;
  #offset = 0;
  #timer = 0;
  #refreshing = null;
  #lapsed = null;
  #doubting = false;

  constructor({ event, seats }) {
    super();
    this.#meUrl = event.meUrl;
    this.#seats = seats;
    this.#api = new HoldApi({ holdsUrl: event.api.holds, renew: () => this.refresh() });
    this.currency = event.currency;
    this.sale = { state: event.sale?.state ?? "closed", opens_at: null, closes_at: null, ...event.sale };
    this.limit = { max: event.maxPerFan ?? 0, used: 0 };
    this.hold = null;
    this.ready = false;
    this.presaleCode = sessionStorage.getItem(`presale:${event.id}`) ?? "";
    this.presaleKey = `presale:${event.id}`;
    this.#channel = "BroadcastChannel" in window ? new BroadcastChannel(`seatmap:${event.id}`) : null;
    if (this.#channel) this.#channel.onmessage = () => this.refresh();
  }

  close() {
    clearTimeout(this.#timer);
    this.#channel?.close();
  }

  /** The server's clock now, in ms: what is shown of a deadline never depends on the fan's own clock. */
  now() {
    return Date.now() + this.#offset;
  }

  /** Return ms until the hold lapses, or null without one. */
  get left() {
    return this.hold ? this.hold.expires_at - this.now() : null;
  }

  /** Return whether he may choose seats now (a presale asks for a code first). */
  get canChoose() {
    return this.sale.state === "open" || (this.sale.state === "presale" && this.presaleCode !== "");
  }

  /** Return the indexes of seats his or about to be, ascending. */
  get chosen() {
    const own = new Set(this.hold?.seats.map((seat) => seat.index) ?? []);
    for (const [index, mark] of this.#pending) {
      if (mark === CONFIRMING) own.add(index);
      else own.delete(index);
    }
    return [...own].sort((a, b) => a - b);
  }

  get busy() {
    return this.#pending.size > 0;
  }

  setPresaleCode(code) {
    this.presaleCode = code.trim();
    sessionStorage.setItem(this.presaleKey, this.presaleCode);
    this.#changed();
  }

  /** Ask the server who he is and what he holds. An answer older than his last act is thrown away and asked again. */
  refresh() {
    this.#refreshing ??= this.#ask().finally(() => (this.#refreshing = null));
    return this.#refreshing;
  }

  async #ask() {
    for (let attempt = 0; attempt < 5; attempt++) {
      const act = this.#acts;
      const sentAt = Date.now();
      try {
        const response = await fetch(this.#meUrl, { credentials: "same-origin", cache: "no-store" });
        if (!response.ok) throw new Error(String(response.status));
        const me = await response.json();
        this.#offset = me.now - (sentAt + Date.now()) / 2;
        this.#api.csrf = me.csrf;
        if (act !== this.#acts) continue;
        this.#read(me);
        return;
      } catch {
        this.#later(RETRY_MS * (1 + Math.random()));
        return;
      }
    }
  }

  #read(me) {
    const before = this.sale.state;
    this.ready = true;
    this.sale = me.sale;
    this.limit = me.limit;
    this.#take(me.hold);
    this.#emit("asked", {});
    if (before !== me.sale.state) this.#emit("sale", { state: me.sale.state });
    const opens = me.sale.state === "upcoming" || me.sale.state === "presale" ? me.sale.opens_at : null;
    if (opens) this.#later(Math.max(1000, opens - this.now()) + Math.random() * OPENING_SPREAD_MS);
  }

  #later(ms) {
    clearTimeout(this.#timer);
    // A timeout of more than 24.8 days would fire at once.
    this.#timer = setTimeout(() => this.refresh(), Math.min(ms, 2 ** 31 - 1));
  }

  // --- acts ---------------------------------------------------------------------------------------------------

  /** Choose seat `index`, or give it back if it is his. */
  toggle(index) {
    return this.chosen.includes(index) ? this.release([index]) : this.choose([index]);
  }

  /** Hold `seats`, all or none. Resolves with whether it worked. */
  choose(seats) {
    return this.#act(seats, CONFIRMING, () => this.#api.hold(seats, this.presaleCode));
  }

  best(wish) {
    return this.#act([], CONFIRMING, () => this.#api.best(wish, this.presaleCode));
  }

  standing(section, quantity) {
    return this.#act([], CONFIRMING, () => this.#api.standing(section, quantity, this.presaleCode));
  }

  /** Give back `seats`, or everything. */
  release(seats = null) {
    const going = seats ?? this.chosen;
    return this.#act(going, RELEASING, async () => {
      if (!this.hold) return null;
      const answer = await this.#api.release(this.hold.id, seats);
      return answer.hold;
    });
  }

  extend() {
    return this.#act([], CONFIRMING, () => this.#api.extend(this.hold.id));
  }

  /** Take `next` in place of `old`: the new ones first, so that a lost race leaves him with what he had. */
  async swap(old, next) {
    const wanted = next.filter((index) => !this.chosen.includes(index));
    const unwanted = old.filter((index) => !next.includes(index) && this.chosen.includes(index));
    const room = this.limit.max - this.limit.used;
    if (wanted.length > room && unwanted.length) await this.release(unwanted);
    const worked = !wanted.length || (await this.choose(wanted));
    const left = unwanted.filter((index) => this.chosen.includes(index));
    if (worked && left.length) await this.release(left);
    return worked;
  }

  #act(seats, mark, send) {
    for (const index of seats) this.#pending.set(index, mark);
    this.#changed();
    const run = this.#queue.then(() => this.#run(seats, mark, send));
    this.#queue = run;
    return run;
  }

  async #run(seats, mark, send) {
    const had = new Set(this.hold?.seats.map((seat) => seat.index) ?? []);
    let hold = this.hold;
    let refusal = null;
    try {
      hold = await send();
    } catch (error) {
      refusal =
        error instanceof Refusal ? error : new Refusal(0, { code: "unknown", title: String(error.message) });
    }
    this.#acts += 1;
    for (const index of seats) this.#pending.delete(index);
    if (refusal) {
      if (refusal.code === "hold_expired" || refusal.code === "hold_unknown") hold = null;
      this.#take(hold);
      this.#emit("refused", { refusal, seats, mark });
      if (refusal.code === "sale_closed" || refusal.code.startsWith("hold_")) this.refresh();
      return false;
    }
    const now = new Set(hold?.seats.map((seat) => seat.index) ?? []);
    this.#take(hold);
    this.#channel?.postMessage("changed");
    const gained = [...now].filter((index) => !had.has(index));
    const lost = [...had].filter((index) => !now.has(index));
    // The limit counts bought seats too, which a hold does not show: move it by the difference.
    this.limit = { ...this.limit, used: this.limit.used + gained.length - lost.length };
    if (gained.length) this.#emit("held", { seats: gained });
    if (lost.length) this.#emit("released", { seats: lost });
    if (!gained.length && !lost.length && hold) this.#emit("extended", {});
    return true;
  }

  #take(hold) {
    this.hold = hold && hold.seats.length && hold.expires_at > this.now() ? hold : null;
    this.#changed();
  }

  /** The clock ran out: forget the hold and ask. Said once, should the server's clock still give it a moment. */
  lapse() {
    const { id } = this.hold;
    this.hold = null;
    this.#changed();
    if (id !== this.#lapsed) this.#emit("expired", {});
    this.#lapsed = id;
    this.refresh();
  }

  /** The stock seems to contradict the sale's state (a seat came back, or the last one went): ask, not all at once. */
  doubt() {
    if (this.#doubting) return;
    this.#doubting = true;
    setTimeout(async () => {
      await this.refresh();
      setTimeout(() => (this.#doubting = false), DOUBT_MS);
    }, Math.random() * OPENING_SPREAD_MS);
  }

  #changed() {
    const entries = (this.hold?.seats ?? []).map((seat) => [seat.index, MINE]);
    this.#seats.setMine([...entries, ...this.#pending]);
    this.#emit("change", {});
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
