/** The organiser's way with the map: choosing many seats, by click, row, box or section, to block or release them. */

import { h, icon } from "./dom.js";
import { plural } from "./text.js";

const STATE_NAMES = ["free", "held", "sold", "blocked"];

export class Selection {
  #seats;
  #painter;
  #host;
  #count = h("span", { class: "sm-select__count", role: "status" });
  #boxTool;
  #chosen = new Set();

  /** Fires `seatmap:selection` on `host` at every change. */
  constructor({ seats, painter, host }) {
    this.#seats = seats;
    this.#painter = painter;
    this.#host = host;
    painter.selection = this.#chosen;
    this.#boxTool = h("button", {
      type: "button",
      class: "sm-chip",
      "aria-pressed": "false",
      text: "Draw a box",
    });
    this.#boxTool.addEventListener("click", () =>
      this.#boxTool.setAttribute("aria-pressed", String(!this.isBoxing)),
    );
    const clear = h(
      "button",
      { type: "button", class: "sm-chip", on: { click: () => this.clear() } },
      icon("close"),
      "Clear",
    );
    this.element = h(
      "div",
      { class: "sm-filters", role: "group", "aria-label": "Select seats" },
      this.#boxTool,
      ...this.#selectors(),
      clear,
      this.#count,
    );
    seats.addEventListener("change", () => this.#show());
    this.#show();
  }

  get isBoxing() {
    return this.#boxTool.getAttribute("aria-pressed") === "true";
  }

  /** The chosen seats, ascending. */
  get indexes() {
    return [...this.#chosen].sort((a, b) => a - b);
  }

  clear() {
    this.#chosen.clear();
    this.#changed();
  }

  /** Choose seat `i`, or leave it. */
  toggle(i) {
    if (!this.#chosen.delete(i)) this.#chosen.add(i);
    this.#changed();
  }

  /** Choose the whole row of seat `i` (its second click). */
  addRow(i) {
    const row = this.#seats.plan.rowOf(i);
    if (row) this.#addRange(row.first, row.count);
  }

  /** Choose every seat in a box of plan units. */
  addBox(left, top, right, bottom) {
    this.#painter.grid.inBox(left, top, right, bottom, (i) => this.#chosen.add(i));
    this.#changed();
  }

  #addRange(first, count) {
    for (let i = first; i < first + count; i++) this.#chosen.add(i);
    this.#changed();
  }

  /** Section and row as lists: the keyboard's way to the same selection. */
  #selectors() {
    const { sections } = this.#seats.plan;
    const row = h("select", { class: "sm-chip sm-chip--select", "aria-label": "Row" });
    const section = h(
      "select",
      { class: "sm-chip sm-chip--select", "aria-label": "Section" },
      ...sections.map(({ number, name }) => h("option", { value: number, text: name })),
    );
    const fill = () => {
      const { rows } = sections[section.value];
      row.replaceChildren(
        h("option", { value: "", text: "All rows" }),
        ...rows.map(({ label, first, count }, k) =>
          h("option", {
            value: k,
            text: `Row ${label} (${this.#seats.plan.numberOf(first)}\u2013${this.#seats.plan.numberOf(first + count - 1)})`,
          }),
        ),
      );
    };
    section.addEventListener("change", fill);
    fill();
    const add = () => {
      const chosen = sections[section.value];
      const { first, count } = row.value === "" ? chosen : chosen.rows[row.value];
      this.#addRange(first, count);
    };
    return [
      section,
      row,
      h("button", { type: "button", class: "sm-chip", on: { click: add } }, icon("plus"), "Add"),
    ];
  }

  get #counts() {
    const counts = { free: 0, held: 0, sold: 0, blocked: 0 };
    for (const i of this.#chosen) counts[STATE_NAMES[this.#seats.states[i]]] += 1;
    return counts;
  }

  #show() {
    const parts = Object.entries(this.#counts).filter(([, n]) => n);
    const detail = parts.map(([name, n]) => `${n.toLocaleString("en")} ${name}`).join(", ");
    this.#count.textContent = this.#chosen.size
      ? `${plural(this.#chosen.size, "seat")} selected: ${detail}`
      : "No seats selected";
  }

  #changed() {
    this.#show();
    this.#painter.ask();
    const detail = { indexes: this.indexes, counts: this.#counts };
    this.#host.dispatchEvent(new CustomEvent("seatmap:selection", { bubbles: true, detail }));
  }
}
