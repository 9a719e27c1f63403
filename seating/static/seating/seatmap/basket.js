/** The fan's own hold: its seats, its total, its clock, and the way to the checkout. */

import { h, icon } from "./dom.js";
import { loneSeats } from "./lone.js";
import { shapeIcon } from "./shapes.js";
import { clock, groupName, plural, seatName } from "./text.js";

/** When to warn that time runs out, in ms left. */
const WARNINGS = [
  [120_000, "Two minutes left to check out."],
  [30_000, "30 seconds left to check out."],
];
const TICK_MS = 500;

export class Basket {
  #fan;
  #seats;
  #money;
  #toasts;
  #list = h("ul", { class: "sm-basket__list" });
  #count = h("span", { class: "sm-basket__count" });
  #total = h("strong", { class: "sm-basket__total" });
  #clock = h("span", { class: "sm-clock", role: "timer", "aria-live": "off" });
  #bar = h("span", { class: "sm-basket__bar", "aria-hidden": "true" });
  #nudge = h("div", { class: "sm-nudge", role: "status", hidden: true });
  #extend;
  #clear;
  #checkout;
  #timer;
  #warned = new Set();
  #longest = 0;
  #holdId = null;
  #key = "";
  #nudgeKey = "";

  /** `show(index)` brings a seat into view. */
  constructor({ fan, seats, money, toasts, checkoutUrl, show }) {
    this.#fan = fan;
    this.#seats = seats;
    this.#money = money;
    this.#toasts = toasts;
    this.show = show;
    this.#extend = h("button", {
      type: "button",
      class: "sm-link",
      text: "I need more time",
      on: { click: () => fan.extend() },
    });
    this.#clear = h("button", {
      type: "button",
      class: "sm-link",
      text: "Give all back",
      on: { click: () => fan.release() },
    });
    this.#checkout = h("a", {
      class: "sm-button sm-button--primary sm-basket__go",
      href: checkoutUrl,
      text: "Checkout",
    });
    const fold = h(
      "button",
      {
        type: "button",
        class: "sm-basket__fold",
        "aria-expanded": "false",
        "aria-controls": "sm-basket-details",
      },
      h("span", { class: "sm-basket__grip", "aria-hidden": "true" }),
      this.#count,
      this.#total,
      icon("up"),
    );
    fold.addEventListener("click", () => {
      const open = this.element.toggleAttribute("data-open");
      fold.setAttribute("aria-expanded", String(open));
    });
    this.empty = h(
      "p",
      { class: "sm-basket__empty" },
      icon("ticket"),
      h("span", { text: "Seats you choose appear here and are held for you." }),
    );
    this.element = h(
      "section",
      { class: "sm-panel sm-basket", "aria-label": "Your seats" },
      this.#bar,
      fold,
      this.#nudge,
      h(
        "div",
        { class: "sm-basket__details", id: "sm-basket-details" },
        this.empty,
        this.#list,
        h("div", { class: "sm-basket__links" }, this.#extend, this.#clear),
      ),
      h("div", { class: "sm-basket__foot" }, this.#clock, this.#checkout),
    );
    fan.addEventListener("change", () => this.#render());
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#render();
  }

  close() {
    clearInterval(this.#timer);
  }

  #render() {
    const { hold, chosen, busy } = this.#fan;
    this.element.toggleAttribute("data-empty", chosen.length === 0);
    this.empty.hidden = chosen.length > 0;
    this.#count.textContent = chosen.length ? plural(chosen.length, "seat") : "Your seats";
    this.#total.textContent = hold ? this.#money(hold.total) : "";
    this.#clear.hidden = chosen.length === 0;
    this.#extend.hidden = !hold?.extendable;
    this.#checkout.toggleAttribute("data-off", !hold || busy);
    this.#checkout.setAttribute("aria-disabled", String(!hold || busy));
    this.#checkout.tabIndex = hold && !busy ? 0 : -1;
    const key = `${chosen.join()}|${hold?.id}|${hold?.seats.length}|${busy}`;
    if (key !== this.#key) {
      this.#key = key;
      this.#renderList();
      this.#renderNudge();
    }
    if (hold?.id !== this.#holdId) this.#longest = 0;
    this.#holdId = hold?.id ?? null;
    this.#tick();
  }

  #renderList() {
    const { hold, chosen } = this.#fan;
    const held = new Map(hold?.seats.map((seat) => [seat.index, seat]) ?? []);
    // Where the keyboard was: removing a seat must not throw the focus to the top of the page.
    const had = [...this.#list.children].findIndex((row) => row.contains(document.activeElement));
    this.#list.replaceChildren(...chosen.map((index) => this.#row(index, held.get(index))));
    if (had >= 0) {
      const next = this.#list.children[Math.min(had, chosen.length - 1)];
      (next?.querySelector(".sm-basket__remove") ?? this.element.querySelector(".sm-basket__fold")).focus();
    }
  }

  #row(index, held) {
    const { plan, tiers, tier } = this.#seats;
    const seat = plan.seat(index);
    const kind = tiers[tier[index]];
    const place = seat.standing ? "Standing place" : `Row ${seat.row} \u00b7 Seat ${seat.number}`;
    const name = seatName(seat);
    return h(
      "li",
      { class: "sm-basket__seat", "data-state": held ? "held" : "confirming" },
      kind ? shapeIcon(kind.shape, kind.color) : null,
      h(
        "button",
        {
          type: "button",
          class: "sm-basket__place",
          "aria-label": `Show ${name} on the map`,
          on: { click: () => this.show(index) },
        },
        h("span", { class: "sm-basket__where", text: place }),
        h("span", { class: "sm-basket__section", text: held ? seat.section : "Confirming\u2026" }),
      ),
      h("span", { class: "sm-basket__price", text: this.#money(held?.amount ?? kind?.amount ?? 0) }),
      h(
        "button",
        {
          type: "button",
          class: "sm-round sm-basket__remove",
          "aria-label": `Give back ${name}`,
          on: { click: () => this.#fan.release([index]) },
        },
        icon("close"),
      ),
    );
  }

  /** Say it kindly when a single seat is left over, and offer the way round by one tap. */
  #renderNudge() {
    const { chosen, busy, limit } = this.#fan;
    if (busy) return;
    const found = loneSeats(this.#seats, chosen);
    const key = JSON.stringify(found);
    if (key === this.#nudgeKey) return;
    this.#nudgeKey = key;
    const { plan } = this.#seats;
    const actions = [];
    if (found) {
      const fits = found.fill.length <= limit.max - limit.used;
      if (fits) {
        const label = `Add seat ${found.fill.map((i) => plan.numberOf(i)).join(" and ")}`;
        actions.push({ label, run: () => this.#fan.choose(found.fill) });
      }
      for (const move of found.moves) {
        const seats = move.map((i) => plan.seat(i));
        const numbers = seats.length > 1 ? `${seats[0].number}\u2013${seats.at(-1).number}` : seats[0].number;
        actions.push({ label: `Take ${numbers} instead`, run: () => this.#fan.swap(found.old, move) });
      }
    }
    // Where it cannot be avoided there is nothing to say.
    this.#nudge.hidden = !found || found.moves.length === 0;
    if (this.#nudge.hidden) {
      this.#nudge.replaceChildren();
      return;
    }
    const lone = found.lone.map((i) => plan.numberOf(i)).join(" and ");
    const row = plan.rowOf(found.lone[0]).label;
    const text = `This leaves seat ${lone} in row ${row} on its own, which is hard to sell.`;
    this.#nudge.replaceChildren(
      h("p", { text }),
      h(
        "div",
        { class: "sm-nudge__actions" },
        ...actions.map(({ label, run }) =>
          h("button", {
            type: "button",
            class: "sm-button sm-button--small",
            text: label,
            on: { click: run },
          }),
        ),
      ),
    );
  }

  #tick() {
    const { hold, left } = this.#fan;
    this.#clock.hidden = !hold;
    this.#bar.hidden = !hold;
    if (!hold) {
      this.#warned.clear();
      return;
    }
    if (left <= 0) {
      this.#fan.lapse();
      return;
    }
    this.#longest = Math.max(this.#longest, left);
    this.#clock.textContent = clock(left);
    this.#clock.setAttribute("aria-label", `${clock(left)} left`);
    this.#clock.dataset.tone = left < 30_000 ? "late" : left < 120_000 ? "soon" : "calm";
    this.#bar.style.transform = `scaleX(${(left / this.#longest).toFixed(4)})`;
    this.#warn(left, hold.extendable);
  }

  #warn(left, extendable) {
    for (const [at, text] of WARNINGS) {
      if (left > at) this.#warned.delete(at);
      if (left > at || this.#warned.has(at) || left < at - 20_000) continue;
      this.#warned.add(at);
      const actions = extendable ? [{ label: "I need more time", run: () => this.#fan.extend() }] : [];
      this.#toasts.show(text, { actions, tone: "bad" });
    }
  }
}

/** Return a group of alternative seats as words and price: "Row C, seats 9-10". */
export function offerName(seats, indexes, money) {
  const amount = indexes.reduce((sum, i) => sum + (seats.amount(i) ?? 0), 0);
  return `${groupName(indexes.map((i) => seats.plan.seat(i)))} \u00b7 ${money(amount)}`;
}
