/** Room inside an outline: where a text fits into a section or a stage. Outlines are flat lists of coordinates. */

/**
 * Return where the outline is entered and left around `at` on the line that crosses it at `across`, or null.
 * `axis` 0: a horizontal line, `at` is an x and `across` a y; 1: a vertical one, the other way round.
 */
export function span(outline, at, across, axis) {
  let low = -Infinity;
  let high = Infinity;
  for (let i = 0, j = outline.length - 2; i < outline.length; j = i, i += 2) {
    const [a, b] = [outline[i + 1 - axis], outline[j + 1 - axis]];
    if (a > across === b > across) continue;
    const [c, d] = [outline[i + axis], outline[j + axis]];
    const crossing = c + ((across - a) / (b - a)) * (d - c);
    if (crossing <= at) low = Math.max(low, crossing);
    else high = Math.min(high, crossing);
  }
  return Number.isFinite(low) && Number.isFinite(high) ? [low, high] : null;
}

/** Return [left, top, right, bottom] around an outline. */
export function boxOf(outline) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i + 1 < outline.length; i += 2) {
    box[0] = Math.min(box[0], outline[i]);
    box[1] = Math.min(box[1], outline[i + 1]);
    box[2] = Math.max(box[2], outline[i]);
    box[3] = Math.max(box[3], outline[i + 1]);
  }
  return box;
}

/**
 * Return {x, y, width, height} of the widest band of an outline: a stage with a runway is written on its broad part,
 * not across the runway.
 */
export function broadPart(outline) {
  const [left, top, right, bottom] = boxOf(outline);
  const x = (left + right) / 2;
  const lines = Array.from({ length: 25 }, (_, k) => top + ((k + 0.5) / 25) * (bottom - top));
  const spans = lines.map((y) => span(outline, x, y, 0));
  const widths = spans.map((found) => (found ? found[1] - found[0] : 0));
  const least = Math.max(...widths) * 0.8;
  const first = widths.findIndex((width) => width >= least);
  let last = first;
  while (widths[last + 1] >= least) last += 1;
  const height = ((last - first + 1) / 25) * (bottom - top);
  const middle = Math.round((first + last) / 2);
  const [from, to] = spans[middle] ?? [left, right];
  return { x: (from + to) / 2, y: (lines[first] + lines[last]) / 2, width: to - from, height };
}
