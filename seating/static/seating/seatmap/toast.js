/** Short messages over the map, with what can be done about them by one tap; and what screen readers are told. */

import { h, icon } from "./dom.js";

const SHOWN_MS = 7000;
const WITH_ACTIONS_MS = 14_000;
const MOST = 2;

export class Toasts {
  #box = h("div", { class: "sm-toasts" });
  #polite = h("div", { class: "sm-hidden", role: "status", "aria-live": "polite" });
  #urgent = h("div", { class: "sm-hidden", role: "alert", "aria-live": "assertive" });

  get elements() {
    return [this.#box, this.#polite, this.#urgent];
  }

  /** Tell screen readers; nothing is shown. */
  say(text, urgent = false) {
    const region = urgent ? this.#urgent : this.#polite;
    // The same text twice is announced only if the region changed in between.
    region.textContent = "";
    requestAnimationFrame(() => (region.textContent = text));
  }

  /** Show `text`, with buttons [{label, run}], and say it. `tone` is plain, bad or good. */
  show(text, { actions = [], tone = "plain" } = {}) {
    const toast = h("div", { class: `sm-toast sm-toast--${tone}`, role: "group", "aria-label": "Message" });
    const close = () => toast.remove();
    toast.append(h("p", { class: "sm-toast__text", text }));
    const dismiss = h("button", {
      type: "button",
      class: "sm-toast__close",
      "aria-label": "Dismiss",
      on: { click: close },
    });
    dismiss.append(icon("close"));
    toast.append(dismiss);
    if (actions.length) {
      const buttons = actions.map(({ label, run }) =>
        h("button", {
          type: "button",
          class: "sm-button sm-button--small",
          text: label,
          on: { click: () => (close(), run()) },
        }),
      );
      toast.append(h("div", { class: "sm-toast__actions" }, ...buttons));
    }
    this.#box.append(toast);
    while (this.#box.children.length > MOST) this.#box.firstChild.remove();
    setTimeout(close, actions.length ? WITH_ACTIONS_MS : SHOWN_MS);
    this.say([text, ...actions.map(({ label }) => label)].join(". "), tone === "bad");
  }

  /** Take all messages away (what they were about is over). */
  clear() {
    this.#box.replaceChildren();
  }
}
