/** Building elements without HTML strings: nothing that came from a plan or an organiser is ever parsed as markup. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Return a new element. `props`: `class`, `text`, `on` {event: handler}, and attributes (true sets an empty one,
 * false and null leave it out). Children may be nodes, strings, or null.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === "class") element.className = value;
    else if (name === "text") element.textContent = value;
    else if (name === "on")
      for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const ICONS = {
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  fit: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  close: "M6 6l12 12M18 6L6 18",
  check: "M5 12.5l4.5 4.5L19 7.5",
  back: "M15 5l-7 7 7 7",
  next: "M9 5l7 7-7 7",
  up: "M5 15l7-7 7 7",
  map: "M9 4L3 6.5v13L9 17l6 3 6-2.5v-13L15 7 9 4zM9 4v13M15 7v13",
  list: "M8 6h13M8 12h13M8 18h13M3.5 6h.01M3.5 12h.01M3.5 18h.01",
  spark: "M12 3l2.2 6.3L20.5 12l-6.3 2.2L12 21l-2.2-6.8L3.5 12l6.3-2.7z",
  wheelchair: "M10.5 4.5a1 1 0 1 0 0-.01M10.5 8l.4 7h4.6l2.5 5M11 11.5h4M8.2 11.6a5 5 0 1 0 6.3 6.6",
  clock: "M12 7v5l3.5 2M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z",
  eye: "M2 12s3.6-6.5 10-6.5S22 12 22 12s-3.6 6.5-10 6.5S2 12 2 12zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z",
  door: "M6 21V4h12v17M3.5 21h17M14.5 12.5h.01",
  ticket: "M4 7h16v3.5a1.5 1.5 0 0 0 0 3V17H4v-3.5a1.5 1.5 0 0 0 0-3V7zM14 7v10",
};

/** Return a line icon, decorative: its meaning stands in words beside it or in its button's label. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("sm-icon");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** Return a number field with minus and plus buttons: {element, get value, set value, setMost(n)}. */
export function stepper({ label, value = 1, least = 1, most = 8, changed = () => {} }) {
  let now = value;
  let limit = most;
  const output = h("output", { class: "sm-stepper__value", text: String(now) });
  const less = h(
    "button",
    { type: "button", class: "sm-round", "aria-label": `Fewer ${label}` },
    icon("minus"),
  );
  const more = h(
    "button",
    { type: "button", class: "sm-round", "aria-label": `More ${label}` },
    icon("plus"),
  );
  const show = () => {
    now = Math.max(least, Math.min(limit, now));
    output.textContent = String(now);
    less.setAttribute("aria-disabled", String(now <= least));
    more.setAttribute("aria-disabled", String(now >= limit));
  };
  const move = (by) => {
    now += by;
    show();
    changed(now);
  };
  less.addEventListener("click", () => move(-1));
  more.addEventListener("click", () => move(1));
  show();
  return {
    element: h(
      "div",
      { class: "sm-stepper", role: "group", "aria-label": `Number of ${label}` },
      less,
      output,
      more,
    ),
    get value() {
      return now;
    },
    setMost(n) {
      limit = Math.max(least, n);
      show();
    },
  };
}
