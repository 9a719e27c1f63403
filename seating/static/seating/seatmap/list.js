/**
 * Choosing without sight or mouse: sections as a list, a section's seats as a grid, the same holds as on the map.
 *
 * The grid follows the ARIA grid pattern: one tab stop (roving tabindex), arrows move, Home and End go to the
 * ends of a row, Control with them to the first and last row, Page keys five rows; Enter or Space chooses. A seat
 * that another fan takes changes in place, and is announced only if the focus is on it.
 */

import { flagWords, stateWord } from "./card.js";
import { h, icon } from "./dom.js";
import { CONFIRMING, MINE } from "./seats.js";
import { shapeIcon } from "./shapes.js";
import { plural } from "./text.js";

const PAGE_ROWS = 5;

export class SeatList {
  #seats;
  #fan;
  #money;
  #toasts;
  #section = null;
  #cells = new Map();
  #grid = [];
  #current = -1;
  #counts = new Map();
  #soon = 0;

  /** `standing(section)` opens a standing area's dialog; `shown(section)` tells the map where we are. */
  constructor({ seats, fan, money, toasts, standing, shown }) {
    this.#seats = seats;
    this.#fan = fan;
    this.#money = money;
    this.#toasts = toasts;
    this.standing = standing;
    this.shown = shown;
    this.element = h("div", { class: "sm-list", hidden: true });
    seats.addEventListener("change", ({ detail }) => this.#changed(detail.indexes));
    fan.addEventListener("change", () => this.#soonCounts());
  }

  /** Show the list (or the grid it showed last). */
  open() {
    this.element.hidden = false;
    if (this.#section) this.#renderGrid(this.#section);
    else this.#renderSections();
  }

  hide() {
    this.element.hidden = true;
  }

  // --- sections -----------------------------------------------------------------------------------------------

  #renderSections(focus = null) {
    this.#section = null;
    this.#cells.clear();
    this.#counts.clear();
    const zones = new Map();
    for (const section of this.#seats.plan.sections) {
      const zone = section.zone || (section.standing ? "Standing" : "Sections");
      zones.set(zone, [...(zones.get(zone) ?? []), section]);
    }
    const blocks = [...zones].map(([zone, sections], k) => {
      const id = `sm-zone-${k}`;
      return h(
        "section",
        { class: "sm-zone", "aria-labelledby": id },
        h("h3", { class: "sm-zone__name", id, text: zone }),
        h("ul", { class: "sm-zone__list" }, ...sections.map((section) => this.#sectionRow(section))),
      );
    });
    this.element.replaceChildren(h("h2", { class: "sm-list__title", text: "Choose a section" }), ...blocks);
    if (focus) this.element.querySelector(`[data-section="${focus.number}"]`)?.focus();
  }

  #sectionRow(section) {
    const facts = h("span", { class: "sm-row__facts" });
    const price = h("span", { class: "sm-row__price" });
    const meter = h("span", { class: "sm-row__meter", "aria-hidden": "true" }, h("span", {}));
    const button = h(
      "button",
      {
        type: "button",
        class: "sm-row",
        "data-section": section.number,
        on: { click: () => (section.standing ? this.standing(section) : this.openSection(section)) },
      },
      h("span", { class: "sm-row__name", text: section.name }),
      facts,
      price,
      meter,
      icon("next"),
    );
    this.#counts.set(section.number, { facts, price, meter, button });
    this.#count(section);
    return h("li", {}, button);
  }

  #count(section) {
    const parts = this.#counts.get(section.number);
    if (!parts) return;
    const { free, from, share } = this.#seats.section(section.number);
    parts.facts.textContent = free
      ? `${plural(free, section.standing ? "place" : "seat")} free`
      : this.#seats.isFiltered
        ? "None match"
        : "Sold out";
    parts.price.textContent = from === null ? "" : `from ${this.#money(from)}`;
    parts.button.dataset.none = String(free === 0);
    parts.meter.firstChild.style.transform = `scaleX(${share.toFixed(3)})`;
  }

  #soonCounts() {
    this.#soon ||= setTimeout(() => {
      this.#soon = 0;
      if (this.element.hidden || this.#section) return;
      for (const section of this.#seats.plan.sections) this.#count(section);
    }, 250);
  }

  // --- grid ---------------------------------------------------------------------------------------------------

  /** Show a section's seats as a grid, the focus on its first free seat. */
  openSection(section) {
    this.#renderGrid(section);
    const first = [...this.#cells.keys()].find((i) => this.#seats.isFree(i) && this.#seats.matching[i]);
    this.#focus(first ?? this.#grid[0][0]);
    const { free } = this.#seats.section(section.number);
    this.#toasts.say(`${section.name}, ${plural(free, "seat")} free. Arrow keys move, Enter chooses.`);
    this.shown(section);
  }

  #renderGrid(section) {
    this.#section = section;
    this.#cells.clear();
    // Runs beside an aisle share a row's letter, and are one row here.
    const byLabel = new Map();
    for (const row of section.rows) {
      const seats = Array.from({ length: row.count }, (_, k) => row.first + k);
      byLabel.set(row.label, [...(byLabel.get(row.label) ?? []), ...seats]);
    }
    this.#grid = [...byLabel.values()];
    const rows = [...byLabel].map(([label, seats]) =>
      h(
        "div",
        { role: "row", class: "sm-grid__row" },
        h("span", { role: "rowheader", class: "sm-grid__head", "aria-label": `Row ${label}`, text: label }),
        ...seats.map((i) => this.#cell(i)),
      ),
    );
    const grid = h(
      "div",
      {
        role: "grid",
        class: "sm-grid",
        "aria-label": `Seats of ${section.name}`,
        "aria-multiselectable": "true",
        on: { keydown: (event) => this.#key(event) },
      },
      ...rows,
    );
    const back = h(
      "button",
      { type: "button", class: "sm-link sm-list__back", on: { click: () => this.#renderSections(section) } },
      icon("back"),
      "All sections",
    );
    const facts = [section.view, section.entrance].filter(Boolean).join(" \u00b7 ");
    this.element.replaceChildren(
      back,
      h("h2", { class: "sm-list__title", text: section.name }),
      facts ? h("p", { class: "sm-muted", text: facts }) : "",
      this.#legend(section),
      h("div", { class: "sm-grid__scroll" }, grid),
    );
    if (!this.#cells.has(this.#current)) this.#current = this.#grid[0]?.[0] ?? -1;
    this.#cells.get(this.#current)?.setAttribute("tabindex", "0");
  }

  /** Return the key to the tiers of this section. */
  #legend(section) {
    const { tiers, tier } = this.#seats;
    const present = new Set(tier.subarray(section.first, section.first + section.count));
    const items = tiers
      .filter(({ number }) => present.has(number))
      .map(({ shape, color, name, amount }) =>
        h("li", {}, shapeIcon(shape, color), `${name} ${this.#money(amount)}`),
      );
    return h("ul", { class: "sm-legend" }, ...items);
  }

  #cell(i) {
    const cell = h("div", {
      role: "gridcell",
      class: "sm-cell",
      tabindex: "-1",
      "data-index": i,
      on: { click: () => this.#choose(i) },
    });
    this.#cells.set(i, cell);
    this.#paint(i);
    return cell;
  }

  #paint(i) {
    const seats = this.#seats;
    const cell = this.#cells.get(i);
    const tier = seats.tiers[seats.tier[i]];
    const mine = seats.isMine(i);
    const open = mine || (seats.isFree(i) && seats.matching[i]);
    const seat = seats.plan.seat(i);
    cell.dataset.state = mine ? "mine" : open ? "free" : "taken";
    cell.setAttribute("aria-selected", String(mine));
    if (open) cell.removeAttribute("aria-disabled");
    else cell.setAttribute("aria-disabled", "true");
    const facts = [
      `Seat ${seat.number}`,
      tier ? `${tier.name}, ${this.#money(tier.amount)}` : "",
      ...flagWords(seats.plan, i),
      stateWord(seats, i),
    ];
    cell.setAttribute("aria-label", facts.filter(Boolean).join(", "));
    const mark = mine ? icon("check") : open && tier ? shapeIcon(tier.shape, tier.color) : icon("close");
    cell.replaceChildren(
      mark,
      h("span", { class: "sm-cell__number", "aria-hidden": "true", text: seat.number }),
    );
  }

  #choose(i) {
    this.#focus(i);
    const seats = this.#seats;
    if (!seats.isMine(i) && !(seats.isFree(i) && seats.matching[i])) {
      this.#toasts.say(`${this.#cells.get(i).getAttribute("aria-label")}. It cannot be chosen.`, true);
      return;
    }
    if (!this.#fan.canChoose && !seats.isMine(i)) {
      this.#toasts.show("Seats cannot be chosen at the moment.", { tone: "bad" });
      return;
    }
    this.#fan.toggle(i);
  }

  #focus(i) {
    const cell = this.#cells.get(i);
    if (!cell) return;
    this.#cells.get(this.#current)?.setAttribute("tabindex", "-1");
    this.#current = i;
    cell.setAttribute("tabindex", "0");
    cell.focus({ preventScroll: false });
  }

  #key(event) {
    if (event.altKey || event.metaKey) return;
    const line = this.#grid.findIndex((seats) => seats.includes(this.#current));
    if (line < 0) return;
    const column = this.#grid[line].indexOf(this.#current);
    const last = this.#grid.length - 1;
    const go = (to, at) => this.#grid[Math.max(0, Math.min(last, to))].at(at);
    const beside = (to) => {
      const target = this.#grid[Math.max(0, Math.min(last, to))];
      return target[Math.min(column, target.length - 1)];
    };
    const moves = {
      ArrowRight: () => this.#grid[line][Math.min(column + 1, this.#grid[line].length - 1)],
      ArrowLeft: () => this.#grid[line][Math.max(0, column - 1)],
      ArrowDown: () => beside(line + 1),
      ArrowUp: () => beside(line - 1),
      PageDown: () => beside(line + PAGE_ROWS),
      PageUp: () => beside(line - PAGE_ROWS),
      Home: () => (event.ctrlKey ? go(0, 0) : go(line, 0)),
      End: () => (event.ctrlKey ? go(last, -1) : go(line, -1)),
    };
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.#choose(this.#current);
    } else if (event.key === "Escape") {
      event.preventDefault();
      this.#renderSections(this.#section);
    } else if (moves[event.key]) {
      event.preventDefault();
      this.#focus(moves[event.key]());
    }
  }

  // --- changes ------------------------------------------------------------------------------------------------

  #changed(indexes) {
    if (this.element.hidden) return;
    this.#soonCounts();
    if (!this.#section) return;
    for (const i of indexes ?? this.#cells.keys()) {
      if (!this.#cells.has(i)) continue;
      const before = this.#cells.get(i).dataset.state;
      this.#paint(i);
      const lost = before === "free" && this.#cells.get(i).dataset.state === "taken";
      const own = this.#seats.mine[i] === MINE || this.#seats.mine[i] === CONFIRMING;
      if (lost && !own && document.activeElement === this.#cells.get(i))
        this.#toasts.say("This seat was just taken by someone else.", true);
    }
  }
}
