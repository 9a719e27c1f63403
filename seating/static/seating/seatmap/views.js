/** The two ways of choosing, map and list, and the buttons between them; the list is loaded when first asked for. */

import { h, icon } from "./dom.js";

const WORDS = { map: "Map", list: "List" };

export class Views {
  #host;
  #map;
  #painter;
  #forList;
  #buttons;
  #list = null;

  /** `map` is the element to hide behind the list; `forList` is what list.js builds from. */
  constructor({ host, map, painter, forList }) {
    this.#host = host;
    this.#map = map;
    this.#painter = painter;
    this.#forList = forList;
    this.#buttons = Object.keys(WORDS).map((view) => this.#button(view));
    this.element = h(
      "div",
      { class: "sm-tabs", role: "group", "aria-label": "Way of choosing" },
      ...this.#buttons,
    );
  }

  #button(view) {
    const props = {
      type: "button",
      "aria-pressed": String(view === "map"),
      on: { click: () => this.#show(view) },
    };
    return h("button", props, icon(view), WORDS[view]);
  }

  async #show(view) {
    const isList = view === "list";
    for (const [k, button] of this.#buttons.entries()) {
      button.setAttribute("aria-pressed", String((k === 1) === isList));
    }
    this.#map.hidden = isList;
    this.#host.toggleAttribute("data-list", isList);
    if (isList) {
      this.#list ??= this.#make();
      const list = await this.#list;
      // He may have gone back to the map meanwhile.
      if (!this.#map.hidden) return;
      list.open();
    } else {
      (await this.#list)?.hide();
      this.#painter.resize();
    }
  }

  async #make() {
    const { SeatList } = await import("./list.js");
    const list = new SeatList(this.#forList);
    this.#map.after(list.element);
    return list;
  }
}
