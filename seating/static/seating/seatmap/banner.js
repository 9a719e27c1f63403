/** The sale's own states, each said plainly: countdown, presale code, paused, closed, sold out, cancelled. */

import { h, icon } from "./dom.js";
import { countdown } from "./text.js";

const TICK_MS = 1000;

export class Banner {
  #fan;
  #event;
  #timer;
  #state = "";
  #left = h("strong", { class: "sm-banner__left", role: "timer", "aria-live": "off" });
  element = h("div", { class: "sm-banner", hidden: true });

  constructor(fan, event) {
    this.#fan = fan;
    this.#event = event;
    fan.addEventListener("change", () => this.#render());
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#render();
  }

  close() {
    clearInterval(this.#timer);
  }

  /** Say that a presale code was refused, at the field. */
  refuseCode(text) {
    this.#fan.setPresaleCode("");
    this.#state = "";
    this.#render(text);
    this.element.querySelector("input")?.focus();
  }

  #render(error = "") {
    const { sale, presaleCode, chosen } = this.#fan;
    const state = `${sale.state} ${presaleCode !== ""} ${sale.opens_at} ${chosen.length > 0} ${error}`;
    if (state === this.#state) return;
    this.#state = state;
    const content = this.#content(sale, presaleCode, error);
    this.element.hidden = content === null;
    this.element.dataset.state = sale.state;
    this.element.replaceChildren(...(content ?? []));
    this.#tick();
  }

  #content(sale, presaleCode, error) {
    const words = (title, text) => [
      h(
        "div",
        { class: "sm-banner__words" },
        h("p", { class: "sm-banner__title" }, ...[title].flat()),
        h("p", { class: "sm-banner__text", text }),
      ),
    ];
    const { chosen } = this.#fan;
    const keep = chosen.length ? " The seats in your basket stay yours while its clock runs." : "";
    switch (sale.state) {
      case "upcoming":
        return [
          icon("clock"),
          ...words(
            ["On sale in ", this.#left],
            `${this.#when(sale.opens_at)} Look around: seats can be chosen as soon as the sale opens.`,
          ),
        ];
      case "presale":
        return presaleCode
          ? null
          : [
              icon("ticket"),
              ...words("Presale", "Enter your presale code to choose seats."),
              this.#codeForm(error),
            ];
      case "paused":
        return [
          icon("clock"),
          ...words("The sale is paused", `It goes on shortly; this page notices by itself.${keep}`),
        ];
      case "closed":
        return [icon("door"), ...words("The sale has closed", `Tickets are no longer sold here.${keep}`)];
      case "sold_out":
        return [
          icon("ticket"),
          ...words("Sold out", `Every seat is taken. Seats that come back show up here at once.${keep}`),
        ];
      case "cancelled":
        return [
          icon("close"),
          ...words("This event is cancelled", "Everyone who bought tickets is refunded."),
        ];
      default:
        return null;
    }
  }

  #when(opensAt) {
    if (!opensAt) return "";
    const { locale, timeZone } = this.#event;
    const format = { dateStyle: "full", timeStyle: "short", ...(timeZone ? { timeZone } : {}) };
    const zone = new Intl.DateTimeFormat(locale, { timeZoneName: "short", ...(timeZone ? { timeZone } : {}) })
      .formatToParts(opensAt)
      .find((part) => part.type === "timeZoneName").value;
    return `${new Intl.DateTimeFormat(locale, format).format(opensAt)} (${zone}).`;
  }

  #codeForm(error) {
    const field = h("input", {
      class: "sm-input",
      name: "code",
      autocomplete: "off",
      autocapitalize: "characters",
      spellcheck: "false",
      required: true,
      "aria-label": "Presale code",
      placeholder: "Presale code",
    });
    if (error) {
      field.setAttribute("aria-invalid", "true");
      field.setAttribute("aria-describedby", "sm-code-error");
    }
    const submit = (event) => {
      event.preventDefault();
      this.#fan.setPresaleCode(field.value);
    };
    return h(
      "form",
      { class: "sm-banner__form", on: { submit } },
      field,
      h("button", { type: "submit", class: "sm-button sm-button--primary", text: "Unlock" }),
      error ? h("p", { class: "sm-banner__error", id: "sm-code-error", role: "alert", text: error }) : null,
    );
  }

  #tick() {
    const { sale } = this.#fan;
    if (sale.state === "upcoming" && sale.opens_at)
      this.#left.textContent = countdown(sale.opens_at - this.#fan.now());
  }
}
