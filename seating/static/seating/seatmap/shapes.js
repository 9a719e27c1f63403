/** The shapes that mark price tiers, in a unit circle: for canvas, for pixel sprites and for SVG icons alike. */

const SVG = "http://www.w3.org/2000/svg";

/** Return n corners on a circle of `radius`, the first at `turn` degrees. */
function corners(n, radius, turn) {
  return Array.from({ length: n }, (_, k) => {
    const angle = ((turn + (360 * k) / n) * Math.PI) / 180;
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
}

function star() {
  const outer = corners(5, 1.12, -90);
  const inner = corners(5, 0.58, -54);
  return outer.flatMap((point, k) => [point, inner[k]]);
}

// Sizes differ so that every shape looks equally heavy.
const POLYGONS = {
  square: corners(4, 1.18, 45),
  diamond: corners(4, 1.14, 0),
  triangle: corners(3, 1.2, -90).map(([x, y]) => [x, y + 0.16]),
  hexagon: corners(6, 1.06, 0),
  star: star(),
};

/** Add a tier's shape around (x, y) to the context's path. */
export function trace(context, shape, x, y, radius) {
  const polygon = POLYGONS[shape];
  if (!polygon) {
    context.moveTo(x + radius, y);
    context.arc(x, y, radius, 0, 2 * Math.PI);
    return;
  }
  polygon.forEach(([px, py], k) => {
    if (k === 0) context.moveTo(x + px * radius, y + py * radius);
    else context.lineTo(x + px * radius, y + py * radius);
  });
  context.closePath();
}

/** Return an SVG icon of a tier's shape, for legends and lists. Decorative: its meaning stands beside it in words. */
export function shapeIcon(shape, color) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "-1.3 -1.3 2.6 2.6");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("sm-shape");
  const polygon = POLYGONS[shape];
  const mark = document.createElementNS(SVG, polygon ? "polygon" : "circle");
  if (polygon) mark.setAttribute("points", polygon.map((point) => point.join(",")).join(" "));
  else mark.setAttribute("r", "1");
  // Through a property, so that the stylesheet can lighten it in the dark.
  mark.style.setProperty("--tier", color);
  svg.append(mark);
  return svg;
}

/** Draw a wheelchair user, `size` high, in the current stroke style. */
export function traceWheelchair(context, x, y, size) {
  const u = size / 10;
  context.moveTo(x - 0.8 * u, y - 4.2 * u);
  context.arc(x - 0.8 * u, y - 4.2 * u, 0.7 * u, 0, 2 * Math.PI);
  context.moveTo(x - 0.7 * u, y - 2.6 * u);
  context.lineTo(x - 0.5 * u, y + 0.8 * u);
  context.lineTo(x + 2.2 * u, y + 0.8 * u);
  context.lineTo(x + 3.4 * u, y + 3.8 * u);
  context.moveTo(x - 0.6 * u, y - 1 * u);
  context.lineTo(x + 1.9 * u, y - 1 * u);
  context.moveTo(x - 1.9 * u, y - 0.9 * u);
  context.arc(x - 0.4 * u, y + 1.9 * u, 3 * u, -2.1, 0.75, true);
}

/** Draw a plus sign (a companion's seat). */
export function tracePlus(context, x, y, size) {
  const half = size / 2.6;
  context.moveTo(x - half, y);
  context.lineTo(x + half, y);
  context.moveTo(x, y - half);
  context.lineTo(x, y + half);
}

/** Draw a cross (a sold seat). */
export function traceCross(context, x, y, size) {
  const half = size / 2;
  context.moveTo(x - half, y - half);
  context.lineTo(x + half, y + half);
  context.moveTo(x + half, y - half);
  context.lineTo(x - half, y + half);
}

/** Draw a tick (one's own seat). */
export function traceTick(context, x, y, size) {
  context.moveTo(x - size * 0.45, y + size * 0.02);
  context.lineTo(x - size * 0.1, y + size * 0.36);
  context.lineTo(x + size * 0.48, y - size * 0.34);
}
