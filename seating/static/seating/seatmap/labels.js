/** Writing on the map: section names with their "from" price, and row letters at the ends of rows. */

import { overlaps } from "./ground.js";
import { mix } from "./theme.js";

/** Few sizes, so that a zoom reuses bitmaps instead of writing every label at every step. */
const SIZES = [9, 10, 11.5, 13, 15];
const WRITTEN_MOST = 12;
const ROW_LABEL_PX = 8;
/** Labels kept as bitmaps: copying one costs a tenth of writing it. */
const KEPT_MOST = 600;

const noteSize = (size) => Math.max(9, size * 0.8);

/**
 * Return where the outline is entered and left around `at` on the line that crosses it at `across`, or null.
 * `axis` 0: a horizontal line, `at` is an x and `across` a y; 1: a vertical one, the other way round.
 */
function span(outline, at, across, axis) {
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

/** Return the width a text of `2 * half` units height has around a section's label (centred there). */
function widthAt({ outline, label: [x, y], box }, half) {
  if (outline.length < 6) return box[2] - box[0];
  let width = Infinity;
  for (const line of [y - half, y, y + half]) {
    const found = span(outline, x, line, 0);
    width = Math.min(width, found ? 2 * Math.min(x - found[0], found[1] - x) : 0);
  }
  return width;
}

export class Labels {
  #bitmaps = new Map();
  #rooms = new Map();
  #widths = new Map();
  #brush = document.createElement("canvas").getContext("2d");
  #written = 0;
  /** Whether the last drawing had every label. */
  complete = true;

  constructor(plan, money) {
    this.plan = plan;
    this.money = money;
  }

  /** Forget bitmaps (the theme or the screen's pixels changed). */
  forget() {
    this.#bitmaps.clear();
    this.#widths.clear();
  }

  /** Write section names in CSS pixels; they fade where single seats can be told apart. */
  drawSections(context, { camera, view, ground, theme, ratio, alpha, bare }) {
    this.#written = 0;
    this.complete = true;
    for (const section of this.plan.sections) {
      const shown = section.standing ? 1 : alpha;
      if (shown <= 0 || !overlaps(section.box, view)) continue;
      const look = ground.lookOf(section);
      const note = bare ? "" : look.from !== null ? `from ${this.money(look.from)}` : look.soldOut ? "Sold out" : "";
      const bitmap = this.#fitting(section, note, { scale: camera.scale, ink: look.ink, theme, ratio });
      if (!bitmap) continue;
      const [x, y] = camera.toScreen(...section.label);
      const [width, height] = [bitmap.width / ratio, bitmap.height / ratio];
      const round = (value) => Math.round(value * ratio) / ratio;
      context.globalAlpha = shown;
      context.drawImage(bitmap, round(x - width / 2), round(y - height / 2), width, height);
    }
    context.globalAlpha = 1;
  }

  /** Return the fullest wording that fits inside the section's outline: name and price, name, its last word, nothing. */
  #fitting(section, note, { scale, ink, theme, ratio }) {
    const room = this.#room(section);
    const height = room.height * scale;
    const short = section.name.split(" ").at(-1);
    const wish = (room.width * scale) / 6.5;
    const size = SIZES.findLast((candidate) => candidate <= wish) ?? SIZES[0];
    const wordings = [
      [section.name, note],
      [short, note],
      [section.name, ""],
      [short, ""],
    ];
    for (const [name, price] of wordings) {
      const lines = price ? 2.3 : 0.9;
      if (height < size * lines) continue;
      const half = (size * lines) / 2 / scale;
      const width = Math.max(this.#measure(name, size, theme), price ? this.#measure(price, noteSize(size), theme) : 0);
      if (width + 3 <= widthAt(section, half) * scale) return this.#write(name, price, size, ink, theme, ratio);
    }
    return null;
  }

  /** Return the width of a text in CSS pixels at `size`: measured once, widths grow with the size. */
  #measure(text, size, theme) {
    let width = this.#widths.get(text);
    if (width === undefined) {
      this.#brush.font = `650 100px ${theme.font}`;
      width = this.#brush.measureText(text).width / 100;
      this.#widths.set(text, width);
    }
    return width * size;
  }

  /** Return how wide and high a section is at its label, in plan units. */
  #room(section) {
    let room = this.#rooms.get(section.number);
    if (!room) {
      const [x, y] = section.label;
      const upright = span(section.outline, y, x, 1);
      room = { width: widthAt(section, 0), height: upright ? 2 * Math.min(y - upright[0], upright[1] - y) : 0 };
      this.#rooms.set(section.number, room);
    }
    return room;
  }

  /** Return a label as a bitmap, or null if this frame has written its share: the next one goes on. */
  #write(name, note, size, ink, theme, ratio) {
    const key = `${name}|${note}|${size}|${ink}`;
    const known = this.#bitmaps.get(key);
    if (known) return known;
    if (this.#written++ >= WRITTEN_MOST) {
      this.complete = false;
      return null;
    }
    if (this.#bitmaps.size > KEPT_MOST) this.#bitmaps.clear();
    const bitmap = document.createElement("canvas");
    const small = noteSize(size);
    const width = Math.max(this.#measure(name, size, theme), note ? this.#measure(note, small, theme) : 0);
    const line = size * 1.2 * ratio;
    bitmap.width = Math.ceil(width * ratio) + 4;
    bitmap.height = Math.ceil(note ? line * 2 : line);
    const brush = bitmap.getContext("2d", { willReadFrequently: true });
    brush.textAlign = "center";
    brush.textBaseline = "middle";
    brush.fillStyle = ink;
    brush.font = `650 ${size * ratio}px ${theme.font}`;
    brush.fillText(name, bitmap.width / 2, line / 2);
    brush.font = `500 ${small * ratio}px ${theme.font}`;
    brush.globalAlpha = 0.88;
    if (note) brush.fillText(note, bitmap.width / 2, line * 1.45);
    this.#bitmaps.set(key, bitmap);
    return bitmap;
  }

  /** Write row letters beside both ends of every visible row, once seats are large enough. */
  drawRows(context, { camera, view, theme }) {
    const seat = camera.seatSize;
    if (seat < ROW_LABEL_PX) return;
    const { x, y, rows, sections } = this.plan;
    context.font = `600 ${Math.min(13, Math.max(8.5, seat * 0.48))}px ${theme.font}`;
    context.fillStyle = mix(theme.rgb.paper, theme.rgb.ink, 0.55);
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (const row of rows) {
      if (!row.label || !overlaps(sections[row.section].box, view)) continue;
      const last = row.first + row.count - 1;
      const step = row.count > 1 ? 1 : 0;
      for (const [end, inner] of [
        [row.first, row.first + step],
        [last, last - step],
      ]) {
        let [dx, dy] = [x[end] - x[inner], y[end] - y[inner]];
        const length = Math.hypot(dx, dy) || 1;
        if (!step) [dx, dy] = [end === row.first ? -1 : 1, 0];
        const [px, py] = camera.toScreen(x[end] + (dx / length) * 23, y[end] + (dy / length) * 23);
        if (px > -20 && py > -20 && px < camera.width + 20 && py < camera.height + 20) context.fillText(row.label, px, py);
        if (!step) break;
      }
    }
  }
}
