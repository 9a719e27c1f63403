/** The key to the map's signs, in words. */

import { h } from "./dom.js";
import { COMPANION, RESTRICTED, WHEELCHAIR } from "./plan.js";
import { shapeIcon } from "./shapes.js";

const SVG = "http://www.w3.org/2000/svg";

/** The signs as SVG, drawn like the canvas draws them: [element, attributes]. */
const SIGNS = {
  yours: [
    ["circle", { r: 0.78, class: "sm-sign__fill" }],
    ["circle", { r: 1.12, class: "sm-sign__line" }],
  ],
  held: [
    ["circle", { r: 0.8, class: "sm-sign__faint" }],
    ["circle", { r: 0.22, class: "sm-sign__dot" }],
  ],
  taken: [["path", { d: "M-.45-.45l.9.9M.45-.45l-.9.9", class: "sm-sign__faint" }]],
  blocked: [["path", { d: "M-.75-.75h1.5v1.5h-1.5zM-.6.6L.6-.6", class: "sm-sign__danger" }]],
  wheelchair: [
    [
      "path",
      {
        d: "M-.15-.95a.16.16 0 1 0 .01 0M-.15-.5l.1.75h.6l.35.6M-.1-.15h.5M-.4-.1a.62.62 0 1 0 .8.95",
        class: "sm-sign__ink",
      },
    ],
  ],
  companion: [["path", { d: "M-.6 0h1.2M0-.6v1.2", class: "sm-sign__ink" }]],
  restricted: [
    ["circle", { r: 0.9, class: "sm-sign__ink" }],
    ["path", { d: "M-.45.3h.9", class: "sm-sign__ink" }],
  ],
};

function sign(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "-1.3 -1.3 2.6 2.6");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("sm-shape");
  for (const [tag, attributes] of SIGNS[name]) {
    const part = document.createElementNS(SVG, tag);
    for (const [key, value] of Object.entries(attributes)) part.setAttribute(key, value);
    svg.append(part);
  }
  return svg;
}

/** Return the legend of a map of `seats`; only signs that occur in its plan are explained. */
export function legend(seats, { organiser = false, bare = false } = {}) {
  const has = (bit) => seats.plan.flags.some((flags) => flags & bit);
  const items = [];
  if (organiser || bare) {
    for (const tier of seats.tiers) items.push([shapeIcon(tier.shape, tier.color), tier.name]);
  } else items.push([sign("yours"), "Yours"]);
  if (!bare)
    items.push(
      [sign("held"), organiser ? "Held" : "In a basket"],
      [sign("taken"), organiser ? "Sold" : "Taken"],
    );
  if (organiser) items.push([sign("blocked"), "Blocked"]);
  if (has(WHEELCHAIR)) items.push([sign("wheelchair"), "Wheelchair"]);
  if (has(COMPANION)) items.push([sign("companion"), "Companion"]);
  if (has(RESTRICTED)) items.push([sign("restricted"), "Restricted view"]);
  return h(
    "ul",
    { class: "sm-legend", "aria-label": "Key" },
    ...items.map(([mark, text]) => h("li", {}, mark, text)),
  );
}
