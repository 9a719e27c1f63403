/**
 * The plan document (`onsale-plan/1`) as typed arrays: where every seat is, and what to call it.
 *
 * A seat is known by its index, 0..n-1, the same number in plan, plane, delta and API. Coordinates are plan
 * units, y downwards; standing places have none (NaN).
 */

import { boxOf } from "./outline.js";

/** Bits of `Plan.flags`. */
export const WHEELCHAIR = 1;
export const COMPANION = 2;
export const RESTRICTED = 4;
export const AISLE = 8;

const FLAG_BITS = { wheelchair: WHEELCHAIR, companion: COMPANION, restricted: RESTRICTED, aisle: AISLE };
const RADIANS = Math.PI / 180;

/** Write the positions of a row's `count` seats, from its shape, into x and y beginning at `first`. */
function placeRow(shape, first, count, x, y) {
  const last = Math.max(1, count - 1);
  if (shape.line) {
    const [x0, y0, x1, y1] = shape.line;
    for (let k = 0; k < count; k++) {
      x[first + k] = x0 + ((x1 - x0) * k) / last;
      y[first + k] = y0 + ((y1 - y0) * k) / last;
    }
  } else if (shape.arc) {
    const [cx, cy, r, a0, a1] = shape.arc;
    for (let k = 0; k < count; k++) {
      const angle = (a0 + ((a1 - a0) * k) / last) * RADIANS;
      x[first + k] = cx + r * Math.cos(angle);
      y[first + k] = cy + r * Math.sin(angle);
    }
  } else if (shape.points) {
    let px = 0;
    let py = 0;
    for (let k = 0; k < count; k++) {
      px += shape.points[2 * k];
      py += shape.points[2 * k + 1];
      x[first + k] = px;
      y[first + k] = py;
    }
  } else {
    throw new Error(`Row at seat ${first} has a shape this map does not know.`);
  }
}

/** Write a row's categories: one number for all seats, or runs of [category, count]. */
function paintRow(categories, first, count, category) {
  if (typeof categories === "number") {
    category.fill(categories, first, first + count);
    return;
  }
  let at = first;
  for (const [k, n] of categories) {
    category.fill(k, at, at + n);
    at += n;
  }
}

/** Return the box around a drawn area, [left, top, right, bottom]; rotation is left out. */
function boxOfArea({ shape, x, y, width, height, rx, ry, r, points, size = 16, text = "" }) {
  if (shape === "rectangle") return [x, y, x + width, y + height];
  if (shape === "ellipse") return [x - rx, y - ry, x + rx, y + ry];
  if (shape === "circle") return [x - r, y - r, x + r, y + r];
  if (shape === "polygon") return boxOf(points);
  const half = (text.length * size) / 3.5;
  return [x - half, y - size, x + half, y + size];
}

/**
 * A decoded plan.
 *
 * `x`, `y` Float32Array, `category` Uint8Array, `flags` Uint8Array (bits above), `sectionOf` Uint16Array: one
 * entry a seat. `rows` is flat and ascending by `first`; each row knows its section's number.
 */
export class Plan {
  constructor(document) {
    if (document.format !== "onsale-plan/1") throw new Error(`Unknown plan format ${document.format}.`);
    const count = document.sections.reduce((end, section) => Math.max(end, section.first + section.count), 0);
    this.name = document.name;
    this.width = document.width;
    this.height = document.height;
    this.stage = document.stage ?? null;
    this.areas = document.areas ?? [];
    this.categories = document.categories;
    this.count = count;
    this.x = new Float32Array(count).fill(NaN);
    this.y = new Float32Array(count).fill(NaN);
    this.category = new Uint8Array(count);
    this.flags = new Uint8Array(count);
    this.sectionOf = new Uint16Array(count);
    this.rows = [];
    this.sections = document.sections.map((section, number) => this.#readSection(section, number));
    for (const [name, bit] of Object.entries(FLAG_BITS)) this.#readFlag(document.flags?.[name] ?? [], bit);
    this.bounds = this.#findBounds();
  }

  #readSection(section, number) {
    const { first, count } = section;
    this.sectionOf.fill(number, first, first + count);
    this.category.fill(section.category ?? 0, first, first + count);
    const rows = (section.rows ?? []).map((row) => {
      placeRow(row.at, row.first, row.count, this.x, this.y);
      paintRow(row.categories ?? section.category ?? 0, row.first, row.count, this.category);
      return {
        label: row.label,
        first: row.first,
        count: row.count,
        numbers: row.numbers ?? [1, 1],
        section: number,
      };
    });
    this.rows.push(...rows);
    const outline = section.outline ?? [];
    const box = (outline.length >= 6 ? boxOf(outline) : null) ?? this.#boxOfSeats(first, count);
    return {
      number,
      name: section.name,
      standing: section.kind === "standing",
      first,
      count,
      outline,
      box,
      label: section.label ?? [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2],
      category: section.category ?? 0,
      entrance: section.entrance ?? "",
      zone: section.zone ?? "",
      view: section.view ?? "",
      rows,
    };
  }

  #boxOfSeats(first, count) {
    const points = [];
    for (let i = first; i < first + count; i++)
      if (!Number.isNaN(this.x[i])) points.push(this.x[i], this.y[i]);
    return points.length ? boxOf(points) : [0, 0, this.width, this.height];
  }

  #readFlag(deltas, bit) {
    let index = 0;
    for (const delta of deltas) {
      index += delta;
      this.flags[index] |= bit;
    }
  }

  #findBounds() {
    const corners = this.sections.flatMap((section) => section.box);
    if (this.stage?.points?.length) corners.push(...boxOf(this.stage.points));
    for (const area of this.areas) corners.push(...boxOfArea(area));
    return corners.length ? boxOf(corners) : [0, 0, this.width, this.height];
  }

  /** Return the row that seat `index` stands in, or null for a standing place. */
  rowOf(index) {
    let low = 0;
    let high = this.rows.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const row = this.rows[middle];
      if (index < row.first) high = middle - 1;
      else if (index >= row.first + row.count) low = middle + 1;
      else return row;
    }
    return null;
  }

  /** Return the printed number of seat `index` ("12"), or "" for a standing place. */
  numberOf(index) {
    const row = this.rowOf(index);
    return row ? numberInRow(row, index - row.first) : "";
  }

  /** Return what to call seat `index`: {index, section, row, number, standing}. */
  seat(index) {
    const section = this.sections[this.sectionOf[index]];
    const row = this.rowOf(index);
    return {
      index,
      section: section.name,
      row: row?.label ?? "",
      number: row ? numberInRow(row, index - row.first) : "",
      standing: section.standing,
    };
  }
}

/** Return the printed number of the k-th seat of a row: explicit labels, or start + k * step. */
export function numberInRow(row, k) {
  const { numbers } = row;
  if (numbers.length === row.count && typeof numbers[0] === "string") return numbers[k];
  return String(Number(numbers[0]) + k * Number(numbers[1] ?? 1));
}

/** Fetch the plan document at `url` (immutable; the browser's cache keeps it a year, and the page preloads it). */
export async function fetchPlan(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`The plan answered ${response.status}.`);
  return response.json();
}
