/** A line of values over time: small, without axes; the figure beside it says the number, the table below says them all. */

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 240;
const HEIGHT = 48;
const ROOM = 4; // Above and below, for the line's own width.

/**
 * Draws `values` (oldest first, null where nothing was counted) into an svg element that keeps its size.
 * `target`, if any, is a line of its own, and always in the picture.
 */
export function drawSparkline(svg, values, target) {
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const top = Math.max(...values.map((value) => value ?? 0), (target ?? 0) * 1.25) || 1;
  const x = (index) => (values.length > 1 ? (index / (values.length - 1)) * WIDTH : WIDTH);
  const y = (value) => HEIGHT - ROOM - (value / top) * (HEIGHT - 2 * ROOM);
  const parts = [];
  for (const run of runs(values)) {
    const line = run.map(([index, value]) => `${round(x(index))} ${round(y(value))}`).join("L");
    const [first, last] = [round(x(run[0][0])), round(x(run.at(-1)[0]))];
    if (run.length > 1) parts.push(path("live-line__area", `M${first} ${HEIGHT}L${line}L${last} ${HEIGHT}Z`));
    parts.push(path("live-line__line", run.length > 1 ? `M${line}` : `M${line}h0`));
  }
  if (target !== null && target !== undefined) parts.push(path("live-line__target", `M0 ${round(y(target))}H${WIDTH}`));
  const newest = values.at(-1);
  if (typeof newest === "number") parts.push(path("live-line__now", `M${round(x(values.length - 1))} ${round(y(newest))}h0`));
  svg.replaceChildren(...parts);
}

/** Returns the stretches of values without a gap, each as [index, value] pairs. */
function runs(values) {
  const found = [];
  values.forEach((value, index) => {
    if (value === null) return;
    if (index && values[index - 1] !== null && found.length) found.at(-1).push([index, value]);
    else found.push([[index, value]]);
  });
  return found;
}

function path(name, d) {
  const element = document.createElementNS(SVG, "path");
  element.setAttribute("class", name);
  element.setAttribute("d", d);
  return element;
}

const round = (number) => Math.round(number * 10) / 10;
