/** Filters: price tiers as chips (they are the key to the colours too), highest price, accessible, only free seats. */

import { h, icon } from "./dom.js";
import { shapeIcon } from "./shapes.js";

export class Filters {
  #seats;
  #tiers = new Set();
  #maxAmount = null;
  #accessible = false;
  #hideTaken = false;
  #chips = new Map();

  constructor(seats, money) {
    this.#seats = seats;
    const chips = seats.tiers.map((tier) => {
      const chip = toggle(() => this.#toggleTier(tier.number), shapeIcon(tier.shape, tier.color));
      chip.append(
        h("span", { text: tier.name }),
        h("span", { class: "sm-chip__price", text: money(tier.amount) }),
      );
      this.#chips.set(tier.number, chip);
      return chip;
    });
    const accessible = toggle(
      (on) => this.#set(() => (this.#accessible = on)),
      icon("wheelchair"),
      "Accessible",
    );
    const free = toggle((on) => this.#set(() => (this.#hideTaken = on)), icon("check"), "Only free");
    this.element = h(
      "div",
      { class: "sm-filters", role: "group", "aria-label": "Filter seats" },
      ...chips,
      this.#priceSelect(money),
      accessible,
      free,
    );
    accessible.hidden = !seats.plan.flags.some((_, i) => seats.isAccessible(i));
  }

  /** The tiers left by the filters, or null for all; the picker keeps to them. */
  get tiers() {
    return this.#tiers.size ? [...this.#tiers].sort((a, b) => a - b) : null;
  }

  #priceSelect(money) {
    const amounts = [...new Set(this.#seats.tiers.map((tier) => tier.amount))]
      .sort((a, b) => a - b)
      .slice(0, -1);
    const options = amounts.map((amount) => h("option", { value: amount, text: `Up to ${money(amount)}` }));
    const select = h(
      "select",
      {
        class: "sm-chip sm-chip--select",
        "aria-label": "Highest price",
        on: {
          change: () =>
            this.#set(() => (this.#maxAmount = select.value === "" ? null : Number(select.value))),
        },
      },
      h("option", { value: "", text: "Any price" }),
      ...options,
    );
    select.hidden = amounts.length === 0;
    return select;
  }

  #toggleTier(number) {
    this.#set(() => {
      if (!this.#tiers.delete(number)) this.#tiers.add(number);
      if (this.#tiers.size === this.#chips.size) this.#tiers.clear();
    });
    for (const [tier, chip] of this.#chips) chip.setAttribute("aria-pressed", String(this.#tiers.has(tier)));
  }

  #set(change) {
    change();
    this.#seats.setFilter({
      tiers: this.#tiers.size ? this.#tiers : null,
      maxAmount: this.#maxAmount,
      accessible: this.#accessible,
      hideTaken: this.#hideTaken,
    });
  }
}

function toggle(changed, ...content) {
  const chip = h("button", { type: "button", class: "sm-chip", "aria-pressed": "false" }, ...content);
  chip.addEventListener("click", () => {
    const on = chip.getAttribute("aria-pressed") !== "true";
    chip.setAttribute("aria-pressed", String(on));
    changed(on);
  });
  return chip;
}
