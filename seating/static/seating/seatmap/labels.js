/** Writing on the map: section names with their "from" price, and row letters at the ends of rows. */

import { overlaps } from "./ground.js";
import { span } from "./outline.js";
import { mix } from "./theme.js";

/** Few sizes, so that a zoom reuses bitmaps instead of writing every label at every step. */
const SIZES = [9, 10, 11.5, 13, 15];
/** Among seats a name keeps small. */
const PALE_MOST_PX = 11.5;
/** A frame writes new labels for so long; the others keep what they were, and the next frame goes on. */
const WRITE_MS = 8;
const ROW_LABEL_PX = 8;
/** Labels kept as bitmaps: copying one costs a tenth of writing it. */
const KEPT_MOST = 600;

const noteSize = (size) => Math.max(9, size * 0.8);

/** Return how a section may be written, the fullest first: [[lines of its name, note], ...]. */
function wordingsOf(name, note) {
  const words = name.split(" ");
  const short = words.at(-1);
  const wordings = [[[name], note]];
  if (words.length > 1) wordings.push([[words.slice(0, -1).join(" "), short], note]);
  wordings.push([[name], ""]);
  if (words.length > 1) wordings.push([[words.slice(0, -1).join(" "), short], ""]);
  // "Block 101" is known by its number; "Upper circle right" is not known by "right".
  if (/\d/.test(short)) wordings.splice(1, wordings.length - 1, [[short], note], [[name], ""], [[short], ""]);
  return wordings;
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
  #fits = new Map();
  #brush = new OffscreenCanvas(1, 1).getContext("2d");
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
    this.#fits.clear();
  }

  /**
   * Write section names in CSS pixels; they fade (`alpha`) where single seats can be told apart. `near` (0..1) says how
   * pale the sections are: on pale ones the writing is the page's ink, in a halo that keeps seats out of the letters.
   */
  drawSections(context, look) {
    const { camera, ratio } = look;
    const round = (value) => Math.round(value * ratio) / ratio;
    for (const [section, shown, bitmap] of this.#sections(look)) {
      const [x, y] = camera.toScreen(...section.label);
      const [width, height] = [bitmap.width / ratio, bitmap.height / ratio];
      context.globalAlpha = shown;
      context.drawImage(bitmap, round(x - width / 2), round(y - height / 2), width, height);
    }
    context.globalAlpha = 1;
  }

  /** Find labels for the same look ahead of its drawing, for a moment. Returns whether all are found. */
  prepare(look) {
    this.#sections(look);
    return this.complete;
  }

  /** Return [section, alpha, bitmap] of the labels to be seen. */
  #sections({ camera, view, ground, theme, ratio, alpha, near, bare }) {
    const end = performance.now() + WRITE_MS;
    const found = [];
    this.complete = true;
    for (const section of this.plan.sections) {
      const shown = section.standing ? 1 : alpha;
      if (shown <= 0 || !overlaps(section.box, view)) continue;
      const { ink, from, soldOut } = ground.lookOf(section);
      const pale = near > 0.4 && !section.standing;
      const style = {
        scale: camera.scale,
        ink: pale ? theme.ink : ink,
        halo: pale ? theme.paper : "",
        theme,
        ratio,
      };
      const price = from !== null ? `from ${this.money(from)}` : soldOut ? "Sold out" : "";
      const bitmap = this.#known(section, bare || pale ? "" : price, style, end);
      if (bitmap) found.push([section, shown, bitmap]);
    }
    return found;
  }

  /** Return a section's label as it was found for this look, or find it anew while there is time. */
  #known(section, note, style, end) {
    const look = `${style.scale} ${note} ${style.ink} ${style.halo}`;
    const known = this.#fits.get(section.number);
    if (known?.look === look) return known.bitmap;
    if (performance.now() > end) {
      this.complete = false;
      return known?.bitmap;
    }
    const bitmap = this.#fitting(section, note, style);
    this.#fits.set(section.number, { look, bitmap });
    return bitmap;
  }

  /** Return the fullest wording that fits inside the section's outline, or null. */
  #fitting(section, note, style) {
    const { scale, theme } = style;
    const room = this.#room(section);
    const height = room.height * scale;
    const wish = (room.width * scale) / 6.5;
    const most = style.halo ? Math.min(wish, PALE_MOST_PX) : wish;
    const size = SIZES.findLast((candidate) => candidate <= most) ?? SIZES[0];
    for (const [names, price] of wordingsOf(section.name, note)) {
      const lines = names.length * 1.05 - 0.15 + (price ? 1.15 : 0);
      if (height < size * lines) continue;
      const half = (size * lines) / 2 / scale;
      const widths = names.map((name) => this.#measure(name, size, theme));
      if (price) widths.push(this.#measure(price, noteSize(size), theme));
      const width = Math.max(...widths);
      if (width + 3 <= widthAt(section, half) * scale) return this.#write(names, price, size, width, style);
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
      room = {
        width: widthAt(section, 0),
        height: upright ? 2 * Math.min(y - upright[0], upright[1] - y) : 0,
      };
      this.#rooms.set(section.number, room);
    }
    return room;
  }

  /** Return a label as a bitmap. */
  #write(names, note, size, width, { ink, halo, theme, ratio }) {
    const key = `${names.join("/")}|${note}|${size}|${ink}|${halo}`;
    const known = this.#bitmaps.get(key);
    if (known) return known;
    if (this.#bitmaps.size > KEPT_MOST) this.#bitmaps.clear();
    const line = size * 1.15 * ratio;
    const lines = names.map((text) => [text, `650 ${size * ratio}px ${theme.font}`, 1]);
    if (note) lines.push([note, `500 ${noteSize(size) * ratio}px ${theme.font}`, 0.88]);
    const bitmap = new OffscreenCanvas(
      Math.ceil((width + 8) * ratio),
      Math.ceil(line * lines.length + 4 * ratio),
    );
    const brush = bitmap.getContext("2d", { willReadFrequently: true });
    brush.textAlign = "center";
    brush.textBaseline = "middle";
    brush.lineJoin = "round";
    brush.lineWidth = 3.5 * ratio;
    lines.forEach(([text, font, alpha], k) => {
      const y = line * (k + 0.5) + 2 * ratio;
      brush.font = font;
      brush.globalAlpha = alpha;
      if (halo) {
        brush.strokeStyle = halo;
        brush.strokeText(text, bitmap.width / 2, y);
      }
      brush.fillStyle = ink;
      brush.fillText(text, bitmap.width / 2, y);
    });
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
        if (px > -20 && py > -20 && px < camera.width + 20 && py < camera.height + 20)
          context.fillText(row.label, px, py);
        if (!step) break;
      }
    }
  }
}
