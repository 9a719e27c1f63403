/**
 * Pre-rendered seats: every look of a seat at one size, as pixels ready to be copied.
 *
 * Copying pixels in a loop draws 12,000 seats in about two milliseconds where `drawImage` takes thirty in a
 * browser without a GPU. Small seats are rendered at several sub-pixel offsets, so that curved rows stay curves.
 * State is told by form as well as by colour: free is a filled shape, held a ring, sold a small cross.
 */

import { COMPANION, RESTRICTED, WHEELCHAIR } from "./plan.js";
import { BLOCKED, FREE, HELD } from "./plane.js";
import { NO_TIER, NOT_MINE } from "./seats.js";
import { trace, traceCross, tracePlus, traceWheelchair } from "./shapes.js";
import { mix, rgb, textOn, tone } from "./theme.js";

/** The looks of a seat. */
export const LOOK = {
  free: 0,
  held: 1,
  sold: 2,
  blocked: 3,
  filtered: 4,
  wheelchair: 5,
  companion: 6,
  restricted: 7,
  none: 8,
};

/** Below this size (device pixels) a seat is a dot and glyphs would only be dirt. */
const GLYPH_PX = 9;
const TIERS_MOST = 256;

/** Return the look of seat `i`; his own seats are drawn on top, not here. `organiser` sees what is blocked. */
export function lookOf(seats, i, organiser) {
  if (seats.mine[i] !== NOT_MINE) return LOOK.none;
  const state = seats.states[i];
  if (state === FREE && seats.tier[i] !== NO_TIER) {
    if (!seats.matching[i]) return LOOK.filtered;
    const flags = seats.plan.flags[i];
    if (flags & WHEELCHAIR) return LOOK.wheelchair;
    if (flags & COMPANION) return LOOK.companion;
    if (flags & RESTRICTED) return LOOK.restricted;
    return LOOK.free;
  }
  if (organiser && state === BLOCKED) return LOOK.blocked;
  if (seats.filter.hideTaken) return LOOK.none;
  return state === HELD ? LOOK.held : LOOK.sold;
}

/** The sprites of one seat size (device pixels across) under one theme; each is made when first asked for. */
export class Sprites {
  #made = new Map();
  #canvas = document.createElement("canvas");
  #brush;

  constructor(size, tiers, theme) {
    this.size = size;
    this.tiers = tiers;
    this.theme = theme;
    this.phases = size < 12 ? 4 : size < 24 ? 2 : 1;
    this.side = Math.ceil(size * 1.06) + 3;
    this.#canvas.width = this.side;
    this.#canvas.height = this.side * this.phases * this.phases;
    this.#brush = this.#canvas.getContext("2d", { willReadFrequently: true });
  }

  /** Return the pixels (Uint32Array, `phases`^2 squares of `side`, one below the other) of a look in a tier. */
  pixels(look, tier) {
    const shared = look === LOOK.sold || look === LOOK.blocked;
    const key = look * TIERS_MOST + (shared ? 0 : tier);
    let pixels = this.#made.get(key);
    if (!pixels) {
      pixels = this.#render(look, this.tiers[tier]);
      this.#made.set(key, pixels);
    }
    return pixels;
  }

  #render(look, tier) {
    const { phases, side } = this;
    this.#brush.clearRect(0, 0, side, side * phases * phases);
    for (let p = 0; p < phases * phases; p++) {
      const x = side / 2 + ((p % phases) + 0.5) / phases - 0.5;
      const y = side / 2 + (Math.floor(p / phases) + 0.5) / phases - 0.5 + p * side;
      paintSeat(this.#brush, { look, tier, x, y, size: this.size, theme: this.theme });
    }
    return new Uint32Array(this.#brush.getImageData(0, 0, side, side * phases * phases).data.buffer);
  }
}

/** Paint one seat of `size` pixels at (x, y). */
export function paintSeat(brush, { look, tier, x, y, size, theme }) {
  const radius = size * 0.44;
  const color = tier ? tone(tier.color, theme) : theme.muted;
  const fine = size >= GLYPH_PX;
  brush.beginPath();
  if (look === LOOK.sold) {
    if (fine) {
      brush.strokeStyle = mix(theme.rgb.paper, theme.rgb.muted, theme.dark ? 0.5 : 0.42);
      brush.lineWidth = Math.max(1, size * 0.075);
      brush.lineCap = "round";
      traceCross(brush, x, y, size * 0.36);
      brush.stroke();
    } else {
      brush.fillStyle = mix(theme.rgb.paper, theme.rgb.muted, theme.dark ? 0.42 : 0.34);
      trace(brush, "circle", x, y, radius * 0.62);
      brush.fill();
    }
    return;
  }
  if (look === LOOK.blocked) {
    brush.strokeStyle = theme.danger;
    brush.lineWidth = Math.max(1, size * 0.09);
    trace(brush, "square", x, y, radius * 0.82);
    if (fine) {
      brush.moveTo(x - radius * 0.6, y + radius * 0.6);
      brush.lineTo(x + radius * 0.6, y - radius * 0.6);
    }
    brush.stroke();
    return;
  }
  const shape = tier?.shape ?? "circle";
  if (look === LOOK.held) {
    brush.strokeStyle = mix(theme.rgb.paper, rgb(color), 0.55);
    brush.lineWidth = Math.max(0.8, size * 0.09);
    trace(brush, shape, x, y, radius * 0.78);
    brush.stroke();
    if (fine) {
      brush.beginPath();
      brush.fillStyle = brush.strokeStyle;
      trace(brush, "circle", x, y, size * 0.1);
      brush.fill();
    }
    return;
  }
  if (look === LOOK.filtered) {
    brush.fillStyle = mix(theme.rgb.paper, theme.rgb.muted, 0.22);
    trace(brush, shape, x, y, radius * 0.62);
    brush.fill();
    return;
  }
  brush.fillStyle = color;
  // A sign needs room, whatever the tier's shape: places for wheelchairs and companions are squares.
  trace(
    brush,
    fine && (look === LOOK.wheelchair || look === LOOK.companion) ? "square" : shape,
    x,
    y,
    radius,
  );
  brush.fill();
  if (fine) paintFlag(brush, { look, color, x, y, size, radius });
}

function paintFlag(brush, { look, color, x, y, size, radius }) {
  if (look === LOOK.free) return;
  const mark = textOn(color);
  brush.beginPath();
  brush.strokeStyle = mark;
  brush.lineCap = "round";
  brush.lineJoin = "round";
  brush.lineWidth = Math.max(1, size * 0.075);
  if (look === LOOK.wheelchair) traceWheelchair(brush, x, y, size * 0.66);
  if (look === LOOK.companion) tracePlus(brush, x, y, size * 0.46);
  if (look === LOOK.restricted) {
    // A bar across the lower half: something stands in the way.
    brush.moveTo(x - radius * 0.55, y + radius * 0.32);
    brush.lineTo(x + radius * 0.55, y + radius * 0.32);
  }
  brush.stroke();
}
