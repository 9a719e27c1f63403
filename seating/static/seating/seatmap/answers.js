/** What the fan is told about his acts: held, given back, refused (and what to take instead), time and sale. */

import { offerName } from "./basket.js";
import { FREE, HELD } from "./plane.js";
import { plural, seatName } from "./text.js";

const REFUSALS = {
  limit_reached: ({ extra }) => `You can hold at most ${plural(extra.limit ?? 0, "seat")} for this event.`,
  hold_expired: () => "Your hold has run out, so its seats went back on sale.",
  hold_unknown: () => "Your hold has run out, so its seats went back on sale.",
  sale_closed: () => "Seats cannot be chosen at the moment.",
  no_seats_together: () =>
    "No such seats together are left. Try fewer seats, another section or a higher price.",
  already_extended: () => "The time was prolonged once already.",
  server_busy: () => "The box office is very busy. Your seats are safe; try again in a moment.",
  unreachable: () => "No connection to the box office. Check your network and try again.",
};
const OFFERS_MOST = 2;

export class Answers {
  #host;
  #fan;
  #seats;
  #toasts;
  #money;

  /** `show(indexes)` brings seats into view; `refuseCode(text)` says at its field that a presale code is wrong. */
  constructor({ host, fan, seats, toasts, money, show, refuseCode }) {
    this.#host = host;
    this.#fan = fan;
    this.#seats = seats;
    this.#toasts = toasts;
    this.#money = money;
    this.show = show;
    this.refuseCode = refuseCode;
    const hear = (name, act) => fan.addEventListener(name, ({ detail }) => act(detail));
    hear("held", (detail) => this.#held(detail.seats));
    hear("released", (detail) => this.#released(detail.seats));
    hear("refused", (detail) => this.#refused(detail.refusal));
    hear("extended", () => toasts.show("You have more time now.", { tone: "good" }));
    hear("expired", () => this.#expired());
    hear("asked", () => this.#tell("seatmap:sale", { ...fan.sale, now: fan.now() }));
    hear("sale", ({ state }) => {
      if (state === "open") toasts.show("The sale is open: choose your seats.", { tone: "good" });
    });
    seats.addEventListener("change", () => this.#weighStock());
  }

  #tell(name, detail) {
    this.#host.dispatchEvent(new CustomEvent(name, { bubbles: true, detail }));
  }

  #tellSelect() {
    const { hold } = this.#fan;
    const seats = hold?.seats.map((seat) => seat.index) ?? [];
    this.#tell("seatmap:select", { seats, total: hold?.total ?? 0 });
  }

  #basketWords() {
    const { hold } = this.#fan;
    if (!hold) return "Your basket is empty.";
    return `${plural(hold.seats.length, "seat")} in your basket, ${this.#money(hold.total)}.`;
  }

  #held(indexes) {
    const { plan } = this.#seats;
    const names = indexes.map((i) => seatName(plan.seat(i)));
    const what = indexes.length > 2 ? plural(indexes.length, "seat") : names.join(" and ");
    this.#toasts.say(`${what} held for you. ${this.#basketWords()}`);
    const drawn = indexes.filter((i) => !Number.isNaN(plan.x[i]));
    if (drawn.length > 1) this.show(drawn);
    if (drawn.length < indexes.length) {
      const places = `${plural(indexes.length, "place")} in ${plan.seat(indexes[0]).section}`;
      this.#toasts.show(`${places} held for you.`, { tone: "good" });
    }
    this.#tellSelect();
  }

  #released(indexes) {
    this.#toasts.say(`${plural(indexes.length, "seat")} given back. ${this.#basketWords()}`);
    this.#tellSelect();
  }

  #expired() {
    this.#toasts.show("Your time ran out and the seats went back on sale.", { tone: "bad" });
    this.#tellSelect();
  }

  #refused(refusal) {
    if (refusal.code === "seats_taken") this.#taken(refusal);
    else if (refusal.code.startsWith("presale_code")) this.refuseCode(refusal.message);
    else this.#toasts.show(REFUSALS[refusal.code]?.(refusal) ?? refusal.message, { tone: "bad" });
  }

  #taken(refusal) {
    const { plan, states, version } = this.#seats;
    const taken = refusal.extra.taken ?? [];
    // Show at once what the server knows; the next change confirms it.
    const known = taken.map((i) => Math.max(HELD, states[i]));
    this.#seats.apply(version, taken, known);
    const name = taken.length === 1 ? `${seatName(plan.seat(taken[0]))} was` : "Some of these seats were";
    const actions = (refusal.extra.alternatives ?? [])
      // The box office proposes from a copy that may be a second old; this page may know better.
      .filter((group) => group.length && group.every((i) => this.#seats.isFree(i)))
      .slice(0, OFFERS_MOST)
      .map((group) => ({
        label: offerName(this.#seats, group, this.#money),
        run: () => this.#fan.choose(group),
      }));
    const others = actions.length ? " Take these instead?" : "";
    this.#toasts.show(`${name} taken a moment ago.${others}`, { actions, tone: "bad" });
  }

  /** A sold-out sale has no seat free or held (which may come back), an open one has: in doubt, ask. */
  #weighStock() {
    const { known, states } = this.#seats;
    const { state } = this.#fan.sale;
    if (!known || (state !== "sold_out" && state !== "open")) return;
    const hasStock = states.includes(FREE) || states.includes(HELD);
    if (hasStock === (state === "sold_out")) this.#fan.doubt();
  }
}
