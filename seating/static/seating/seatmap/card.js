/** The card beside the seat or section under the pointer: what it is, what it costs, what is special about it. */

import { h, icon } from "./dom.js";
import { COMPANION, RESTRICTED, WHEELCHAIR } from "./plan.js";
import { BLOCKED, FREE, HELD } from "./plane.js";
import { CONFIRMING, MINE, NO_TIER, RELEASING } from "./seats.js";
import { shapeIcon } from "./shapes.js";
import { plural } from "./text.js";

const GAP_PX = 18;

/** Return in words what state seat `i` is in for this fan. */
export function stateWord(seats, i, organiser = false) {
  if (seats.mine[i] === MINE) return "Yours";
  if (seats.mine[i] === CONFIRMING) return "Yours, confirming";
  if (seats.mine[i] === RELEASING) return "Giving back";
  if (seats.tier[i] === NO_TIER) return "Not for sale";
  if (seats.states[i] === FREE) return "Available";
  if (seats.states[i] === HELD) return organiser ? "Held" : "In someone's basket";
  if (seats.states[i] === BLOCKED && organiser) return "Blocked";
  return organiser ? "Sold" : "Taken";
}

/** Return in words what is special about seat `i`: ["Wheelchair space", "Restricted view"]. */
export function flagWords(plan, i) {
  const flags = plan.flags[i];
  return [
    flags & WHEELCHAIR ? "Wheelchair space" : null,
    flags & COMPANION ? "Companion seat" : null,
    flags & RESTRICTED ? "Restricted view" : null,
  ].filter(Boolean);
}

export class Card {
  // The list says the same to those who cannot see it.
  element = h("div", { class: "sm-card", "aria-hidden": "true", hidden: true });
  #key = "";

  constructor(seats, money, { organiser = false, bare = false } = {}) {
    this.seats = seats;
    this.money = money;
    this.organiser = organiser;
    this.bare = bare;
  }

  hide() {
    this.element.hidden = true;
    this.#key = "";
  }

  /** Show seat `i` at (x, y) of the map, which is `width` wide. */
  showSeat(i, x, y, width) {
    const { seats } = this;
    const key = `seat ${i} ${seats.mine[i]} ${seats.states[i]}`;
    if (key !== this.#key) {
      this.#key = key;
      this.element.replaceChildren(...this.#seat(i));
    }
    this.#place(x, y, width);
  }

  /** Show a section at (x, y). */
  showSection(section, x, y, width) {
    const { free, from } = this.seats.section(section.number);
    const key = `section ${section.number} ${free}`;
    if (key !== this.#key) {
      this.#key = key;
      const facts = [
        this.bare
          ? plural(section.count, "place")
          : free
            ? `${plural(free, section.standing ? "place" : "seat")} available`
            : "Sold out",
      ];
      this.element.replaceChildren(
        h("p", { class: "sm-card__over", text: section.zone || (section.standing ? "Standing" : "Section") }),
        h("p", { class: "sm-card__title", text: section.name }),
        h("p", { class: "sm-card__line", text: facts.join(" \u00b7 ") }),
        from !== null && !this.bare
          ? h("p", { class: "sm-card__price", text: `from ${this.money(from)}` })
          : null,
        section.view ? note("eye", section.view) : null,
      );
      for (const child of [...this.element.childNodes]) if (child.nodeType === 3) child.remove();
    }
    this.#place(x, y, width);
  }

  #seat(i) {
    const { seats, money } = this;
    const { plan } = seats;
    const seat = plan.seat(i);
    const section = plan.sections[plan.sectionOf[i]];
    const tier = seats.tiers[seats.tier[i]];
    const amount = seats.amount(i);
    const lines = [
      h("p", { class: "sm-card__over", text: seat.section }),
      h(
        "p",
        { class: "sm-card__title" },
        h("span", {}, h("small", { text: "Row " }), seat.row),
        h("span", {}, h("small", { text: "Seat " }), seat.number),
      ),
    ];
    if (tier) {
      const price = h("span", { class: "sm-card__amount", text: this.bare ? "" : money(amount) });
      lines.push(h("p", { class: "sm-card__tier" }, shapeIcon(tier.shape, tier.color), tier.name, price));
    }
    if (!this.bare) lines.push(h("p", { class: "sm-card__line", text: stateWord(seats, i, this.organiser) }));
    for (const word of flagWords(plan, i))
      lines.push(note(word === "Restricted view" ? "eye" : "wheelchair", word));
    if (section.view) lines.push(note("eye", section.view));
    if (section.entrance) lines.push(note("door", section.entrance));
    return lines;
  }

  #place(x, y, width) {
    const { element } = this;
    element.hidden = false;
    const box = element.getBoundingClientRect();
    const left = Math.max(8, Math.min(width - box.width - 8, x - box.width / 2));
    const above = y - box.height - GAP_PX;
    element.style.transform = `translate(${Math.round(left)}px, ${Math.round(above > 8 ? above : y + GAP_PX)}px)`;
  }
}

function note(name, text) {
  return h("p", { class: "sm-card__note" }, icon(name), text);
}
