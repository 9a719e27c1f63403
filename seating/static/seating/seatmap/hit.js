/** What lies under a point: seats by a uniform grid, sections by their outlines. */

/** Side of a grid cell in plan units: four seats a side keeps a cell to about a dozen seats. */
const CELL = 100;

/** Seats sorted into cells, so that a view's seats and a point's seat are found without looking at all 60,000. */
export class SeatGrid {
  constructor(plan) {
    const { x, y, bounds, count } = plan;
    this.x = x;
    this.y = y;
    this.left = bounds[0] - CELL;
    this.top = bounds[1] - CELL;
    this.columns = Math.ceil((bounds[2] - this.left) / CELL) + 1;
    this.lines = Math.ceil((bounds[3] - this.top) / CELL) + 1;
    const cellOf = new Int32Array(count).fill(-1);
    this.start = new Uint32Array(this.columns * this.lines + 1);
    for (let i = 0; i < count; i++) {
      if (Number.isNaN(x[i])) continue;
      cellOf[i] = this.#line(y[i]) * this.columns + this.#column(x[i]);
      this.start[cellOf[i] + 1] += 1;
    }
    for (let c = 1; c < this.start.length; c++) this.start[c] += this.start[c - 1];
    this.seats = new Uint32Array(this.start[this.start.length - 1]);
    const next = this.start.slice();
    for (let i = 0; i < count; i++) if (cellOf[i] >= 0) this.seats[next[cellOf[i]]++] = i;
  }

  #column(x) {
    return Math.max(0, Math.min(this.columns - 1, Math.floor((x - this.left) / CELL)));
  }

  #line(y) {
    return Math.max(0, Math.min(this.lines - 1, Math.floor((y - this.top) / CELL)));
  }

  /** Call `visit(index)` for every seat whose centre lies in the box (edges included). */
  inBox(left, top, right, bottom, visit) {
    const c0 = this.#column(left);
    const c1 = this.#column(right);
    for (let line = this.#line(top), end = this.#line(bottom); line <= end; line++) {
      const from = this.start[line * this.columns + c0];
      const to = this.start[line * this.columns + c1 + 1];
      for (let k = from; k < to; k++) {
        const i = this.seats[k];
        const x = this.x[i];
        const y = this.y[i];
        if (x >= left && x <= right && y >= top && y <= bottom) visit(i);
      }
    }
  }

  /** Return the seat nearest to (x, y) within `reach` units, or -1. */
  nearest(x, y, reach) {
    let found = -1;
    let best = reach * reach;
    this.inBox(x - reach, y - reach, x + reach, y + reach, (i) => {
      const distance = (this.x[i] - x) ** 2 + (this.y[i] - y) ** 2;
      if (distance <= best) {
        best = distance;
        found = i;
      }
    });
    return found;
  }
}

/** Return whether (x, y) lies in the polygon `outline` (flat coordinates; even-odd rule). */
export function isInside(outline, x, y) {
  let inside = false;
  for (let i = 0, j = outline.length - 2; i < outline.length; j = i, i += 2) {
    const [xi, yi, xj, yj] = [outline[i], outline[i + 1], outline[j], outline[j + 1]];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

/** Return the section under (x, y), or null. */
export function sectionAt(plan, x, y) {
  return (
    plan.sections.find(
      ({ box, outline }) =>
        x >= box[0] &&
        y >= box[1] &&
        x <= box[2] &&
        y <= box[3] &&
        (outline.length < 6 || isInside(outline, x, y)),
    ) ?? null
  );
}
