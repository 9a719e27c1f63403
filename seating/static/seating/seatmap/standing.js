/** The dialog of a standing area: how many places, at what price. */

import { h, icon, stepper } from "./dom.js";
import { shapeIcon } from "./shapes.js";
import { plural } from "./text.js";

/** Open the dialog for standing `section`; `host` is the element it is put into. Resolves when it is closed. */
export function openStanding({ host, section, seats, fan, money }) {
  const tier = seats.tiers[seats.tier[section.first]];
  const { free } = seats.section(section.number);
  const room = Math.max(0, fan.limit.max - fan.limit.used);
  const total = h("strong", {});
  const show = (n) => (total.textContent = money(n * tier.amount));
  const quantity = stepper({
    label: "places",
    value: Math.min(2, room || 1),
    most: Math.max(1, Math.min(room, free)),
    changed: show,
  });
  show(quantity.value);
  const close = () => dialog.close();
  const add = h(
    "button",
    { type: "submit", class: "sm-button sm-button--primary sm-button--wide" },
    "Add to basket \u00b7 ",
    total,
  );
  const possible = fan.canChoose && free > 0 && room > 0;
  add.disabled = !possible;
  const why = !fan.canChoose
    ? "Not on sale at the moment."
    : free === 0
      ? "This area is sold out."
      : room === 0
        ? `You have reached the limit of ${fan.limit.max}.`
        : "";
  const form = h(
    "form",
    { method: "dialog", class: "sm-dialog__body", on: { submit } },
    h("p", { class: "sm-dialog__over", text: section.zone || "Standing" }),
    h("h2", { class: "sm-dialog__title", id: "sm-standing-title", text: section.name }),
    h(
      "p",
      { class: "sm-dialog__facts" },
      shapeIcon(tier.shape, tier.color),
      `${tier.name} \u00b7 ${money(tier.amount)} each \u00b7 ${free ? `${plural(free, "place")} left` : "sold out"}`,
    ),
    section.view ? h("p", { class: "sm-muted", text: section.view }) : null,
    possible
      ? h(
          "div",
          { class: "sm-field sm-field--row" },
          h("span", { class: "sm-field__label", text: "Places" }),
          quantity.element,
        )
      : h("p", { class: "sm-notice", text: why }),
    possible ? add : null,
  );
  const cross = h(
    "button",
    { type: "button", class: "sm-round sm-dialog__close", "aria-label": "Close", on: { click: close } },
    icon("close"),
  );
  const dialog = h("dialog", { class: "sm-dialog", "aria-labelledby": "sm-standing-title" }, cross, form);

  async function submit(event) {
    event.preventDefault();
    add.disabled = true;
    if (await fan.standing(section.number, quantity.value)) close();
    else add.disabled = false;
  }

  dialog.addEventListener("click", (event) => event.target === dialog && close());
  host.append(dialog);
  dialog.showModal();
  return new Promise((done) =>
    dialog.addEventListener("close", () => {
      dialog.remove();
      done();
    }),
  );
}
