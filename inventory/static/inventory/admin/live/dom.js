/** Building elements: text stays text, whatever it says. */

import { VERDICTS } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const DRAWN = new Set(["svg", "rect", "path"]);

/** Returns a new element with attributes and children (elements or text). */
export function h(name, attributes = {}, children = []) {
  const element = DRAWN.has(name) ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Puts new children into an element, unless they say what it says already; a link that had the focus has it again. */
export function replace(element, children) {
  const fresh = document.createElement("div");
  fresh.append(...children);
  if (element.innerHTML === fresh.innerHTML) return;
  const focused = element.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  element.replaceChildren(...fresh.childNodes);
  if (focused) element.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus();
}

/** Returns the badge that says whether a target is met: by a sign and by words, not by colour alone. */
export function verdict(name) {
  const [sign, words] = VERDICTS[name];
  return h("span", { class: `live-verdict live-verdict--${name}` }, [h("span", { "aria-hidden": "true" }, [sign]), ` ${words}`]);
}
