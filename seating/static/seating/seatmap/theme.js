/** The site's colours as the canvas needs them: resolved from custom properties, light or dark. */

/** Custom properties that seat-map.css sets from the site's tokens; `paper` is what the map is drawn on. */
const NAMES = {
  paper: ["--sm-map", "#ffffff"],
  ink: ["--sm-ink", "#1b1815"],
  muted: ["--sm-muted", "#5c544a"],
  line: ["--sm-line", "#e2d9cb"],
  accent: ["--sm-accent", "#0e4a3b"],
  danger: ["--sm-danger", "#a3231f"],
};

let brush = null;

const known = new Map();
const KNOWN_MOST = 4000;

/** Return [r, g, b] of any CSS colour. Reading a pixel back is slow, so each colour is asked for once. */
export function rgb(color) {
  let channels = known.get(color);
  if (!channels) {
    if (known.size > KNOWN_MOST) known.clear();
    channels = plain(color) ?? painted(color);
    known.set(color, channels);
  }
  return channels;
}

/** Return the channels of "#rrggbb" and of what `mix` writes, or null. */
function plain(color) {
  if (/^#[0-9a-f]{6}$/i.test(color)) return [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  const numbers = /^rgb\((\d+),? (\d+),? (\d+)\)$/.exec(color);
  return numbers ? numbers.slice(1).map(Number) : null;
}

/** Return the channels of any other colour: paint a pixel and look. */
function painted(color) {
  brush ??= new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  brush.clearRect(0, 0, 1, 1);
  brush.fillStyle = "#000";
  brush.fillStyle = color;
  brush.fillRect(0, 0, 1, 1);
  return Array.from(brush.getImageData(0, 0, 1, 1).data.slice(0, 3));
}

/** Return the colour a `share` (0..1) of the way from `a` to `b` (both [r, g, b]) as CSS. */
export function mix(a, b, share) {
  return `rgb(${a.map((channel, k) => Math.round(channel + (b[k] - channel) * share)).join(" ")})`;
}

/** How far colours chosen for white paper are lightened in the dark; seat-map.css does the same to icons. */
const DARK_LIFT = 0.3;
const WHITE = [255, 255, 255];

/** Return a tier's colour as drawn under `theme`. */
export function tone(color, theme) {
  return theme.dark ? mix(rgb(color), WHITE, DARK_LIFT) : color;
}

/** Return relative luminance (WCAG) of [r, g, b]. */
export function luminance(color) {
  const [r, g, b] = color.map((channel) => {
    const c = channel / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Return black or white, whichever reads better on `color`. */
export function textOn(color) {
  return luminance(rgb(color)) > 0.2 ? "#101218" : "#ffffff";
}

/** Return the theme as seen by `element`: CSS colours by name, the same as `rgb.<name>`, and whether it is dark. */
export function readTheme(element) {
  const probe = document.createElement("span");
  probe.hidden = true;
  element.append(probe);
  const theme = { rgb: {}, font: getComputedStyle(element).fontFamily || "system-ui, sans-serif" };
  for (const [name, [property, fallback]] of Object.entries(NAMES)) {
    probe.style.color = `var(${property}, ${fallback})`;
    theme[name] = getComputedStyle(probe).color;
    theme.rgb[name] = rgb(theme[name]);
  }
  probe.remove();
  theme.dark = luminance(theme.rgb.paper) < 0.2;
  return theme;
}

/** Call `changed` when the site turns dark or light. Returns a function that stops it. */
export function watchTheme(changed) {
  const query = matchMedia("(prefers-color-scheme: dark)");
  const observer = new MutationObserver(changed);
  observer.observe(document.documentElement, {
    attributes: true,
    attributeFilter: ["class", "data-theme", "style"],
  });
  query.addEventListener("change", changed);
  return () => {
    observer.disconnect();
    query.removeEventListener("change", changed);
  };
}
