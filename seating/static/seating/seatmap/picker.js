/** Best available: "3 together, up to 90.00". The box office chooses; the map flies there. */

import { h, icon, stepper } from "./dom.js";

export class Picker {
  #quantity;
  #price;
  #where;
  #accessible;
  #button;
  #hasSeats;

  /** `tiers()` gives the tiers the filters leave, or null. */
  constructor({ seats, fan, money, tiers }) {
    this.fan = fan;
    this.tiers = tiers;
    this.#hasSeats = seats.plan.rows.length > 0;
    this.#quantity = stepper({ label: "seats", value: 2, most: fan.limit.max });
    const amounts = [...new Set(seats.tiers.map((tier) => tier.amount))].sort((a, b) => a - b);
    this.#price = h(
      "select",
      { class: "sm-select" },
      h("option", { value: "", text: "Any price" }),
      ...amounts.map((amount) => h("option", { value: amount, text: `Up to ${money(amount)}` })),
    );
    this.#where = h(
      "select",
      { class: "sm-select" },
      h("option", { value: "", text: "Anywhere" }),
      ...seats.plan.sections
        .filter((section) => !section.standing)
        .map((section) => h("option", { value: section.number, text: section.name })),
    );
    this.#accessible = h("input", { type: "checkbox", class: "sm-check" });
    this.#button = h(
      "button",
      { type: "submit", class: "sm-button sm-button--wide" },
      icon("spark"),
      "Find the best seats",
    );
    const hasAccessible = seats.plan.flags.some((_, i) => seats.isAccessible(i));
    const form = h(
      "form",
      { class: "sm-picker__form", on: { submit: (event) => (event.preventDefault(), this.#find()) } },
      h(
        "div",
        { class: "sm-field sm-field--row" },
        h("span", { class: "sm-field__label", text: "Seats together" }),
        this.#quantity.element,
      ),
      h(
        "div",
        { class: "sm-pair" },
        h(
          "label",
          { class: "sm-field" },
          h("span", { class: "sm-field__label", text: "Price" }),
          this.#price,
        ),
        h(
          "label",
          { class: "sm-field" },
          h("span", { class: "sm-field__label", text: "Where" }),
          this.#where,
        ),
      ),
      hasAccessible
        ? h("label", { class: "sm-tick" }, this.#accessible, "Wheelchair and companion places")
        : null,
      this.#button,
    );
    this.element = h(
      "details",
      { class: "sm-panel sm-picker" },
      h(
        "summary",
        { class: "sm-panel__title" },
        icon("spark"),
        "Best available",
        h("span", { class: "sm-panel__hint", text: "We choose, you approve" }),
      ),
      form,
    );
    fan.addEventListener("change", () => this.#update());
    this.#update();
  }

  #update() {
    const { fan } = this;
    this.#quantity.setMost(Math.max(1, fan.limit.max - fan.limit.used));
    this.#button.disabled = !fan.canChoose || this.#button.dataset.busy === "1";
    this.element.hidden = !fan.canChoose || !this.#hasSeats;
  }

  async #find() {
    this.#button.dataset.busy = "1";
    this.#update();
    await this.fan.best({
      quantity: this.#quantity.value,
      max_amount: this.#price.value === "" ? null : Number(this.#price.value),
      tiers: this.tiers(),
      section: this.#where.value === "" ? null : Number(this.#where.value),
      accessible: this.#accessible.checked,
    });
    delete this.#button.dataset.busy;
    this.#update();
  }
}
