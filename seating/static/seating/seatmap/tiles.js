/**
 * The seats as square bitmaps at one scale, so that panning copies a few bitmaps instead of drawing every seat.
 *
 * A tile is painted when first seen and again when one of its seats changed, a few milliseconds a frame at most:
 * the map never waits for it, and shows the tiles of the previous scale, stretched, until the new ones are there.
 */

import { SEAT_UNITS } from "./camera.js";
import { WHEELCHAIR } from "./plan.js";
import { LOOK, lookOf, Sprites } from "./sprites.js";
import { textOn, tone } from "./theme.js";

/** From this size on (CSS pixels) a free seat shows its number. */
export const NUMBER_PX = 19;

export class Tiles {
  #tiles = new Map();

  /** Tiles of `side` device pixels, `scale` device pixels per unit. */
  constructor({ seats, grid, theme, scale, ratio, organiser, pool }) {
    this.seats = seats;
    this.grid = grid;
    this.theme = theme;
    this.scale = scale;
    this.ratio = ratio;
    this.organiser = organiser;
    this.pool = pool;
    this.side = ratio > 1.5 ? 512 : 256;
    this.size = SEAT_UNITS * scale;
    this.sprites = new Sprites(this.size, seats.tiers, theme);
    this.ink = seats.tiers.map((tier) => textOn(tone(tier.color, theme)));
  }

  /** Mark the tiles under seat `i` for painting again. */
  touch(i) {
    const { x, y } = this.seats.plan;
    if (Number.isNaN(x[i])) return;
    const reach = this.sprites.side / 2 + 1;
    const [px, py] = [x[i] * this.scale, y[i] * this.scale];
    for (let ty = Math.floor((py - reach) / this.side); ty <= Math.floor((py + reach) / this.side); ty++) {
      for (let tx = Math.floor((px - reach) / this.side); tx <= Math.floor((px + reach) / this.side); tx++) {
        const tile = this.#tiles.get(`${tx} ${ty}`);
        if (tile) tile.stale = true;
      }
    }
  }

  /** Mark everything for painting again. */
  touchAll() {
    for (const tile of this.#tiles.values()) tile.stale = true;
  }

  /** Paint what `view` (plan units) lacks, for at most `budget` ms. Returns whether nothing is left to paint. */
  paint(view, budget, frame) {
    const end = performance.now() + budget;
    for (const { key, tx, ty } of this.#covering(view)) {
      const tile = this.#tiles.get(key);
      if (tile && !tile.stale) continue;
      if (performance.now() > end) return false;
      this.#paintTile(key, tx, ty, frame);
    }
    return true;
  }

  /**
   * Draw the tiles that cover `view` at `zoom` canvas pixels per device pixel of the tiles.
   *
   * Returns the places [x, y, side] on the canvas whose tiles are not there yet.
   */
  draw(context, view, zoom, frame) {
    let [left, top] = [view[0] * this.scale, view[1] * this.scale];
    // At its own scale a tile must lie on whole pixels, or every seat blurs.
    if (zoom === 1) [left, top] = [Math.round(left), Math.round(top)];
    const missing = [];
    const size = this.side * zoom;
    for (const { key, tx, ty } of this.#covering(view)) {
      const tile = this.#tiles.get(key);
      const [x, y] = [(tx * this.side - left) * zoom, (ty * this.side - top) * zoom];
      if (!tile) {
        missing.push([x, y, size]);
        continue;
      }
      tile.frame = frame;
      if (!tile.empty) context.drawImage(tile.canvas, x, y, size, size);
    }
    return missing;
  }

  #covering(view) {
    const unit = this.scale / this.side;
    const [x0, y0, x1, y1] = view.map((edge) => Math.floor(edge * unit));
    const tiles = [];
    for (let ty = y0; ty <= y1; ty++)
      for (let tx = x0; tx <= x1; tx++) tiles.push({ key: `${tx} ${ty}`, tx, ty });
    return tiles;
  }

  /** Give back the canvases of tiles not drawn lately, but keep `most`. */
  trim(most) {
    if (this.#tiles.size <= most) return;
    const oldest = [...this.#tiles].sort((a, b) => a[1].frame - b[1].frame);
    for (const [key, tile] of oldest.slice(0, this.#tiles.size - most)) {
      if (tile.canvas) this.pool.push(tile.canvas);
      this.#tiles.delete(key);
    }
  }

  close() {
    this.trim(0);
  }

  #paintTile(key, tx, ty, frame) {
    const tile = this.#tiles.get(key) ?? { canvas: null, frame };
    this.#tiles.set(key, tile);
    tile.stale = false;
    const painted = this.#blit(tx, ty);
    tile.empty = painted.length === 0;
    if (tile.empty) return;
    tile.canvas ??= this.#newCanvas();
    const context = tile.canvas.getContext("2d");
    context.putImageData(scratch(this.side).image, 0, 0);
    if (this.size >= NUMBER_PX * this.ratio) this.#number(context, tx, ty, painted);
  }

  #newCanvas() {
    const canvas = this.pool.pop() ?? document.createElement("canvas");
    if (canvas.width !== this.side) canvas.width = canvas.height = this.side;
    return canvas;
  }

  /** Copy the sprites of a tile's seats into the scratch image. Returns the seats that carry a number. */
  #blit(tx, ty) {
    const { seats, sprites, side, scale } = this;
    const { x, y } = seats.plan;
    const { pixels } = scratch(side);
    pixels.fill(0);
    const { side: spriteSide, phases } = sprites;
    const reach = spriteSide / 2 + 1;
    const [left, top] = [tx * side, ty * side];
    const painted = [];
    this.grid.inBox(
      (left - reach) / scale,
      (top - reach) / scale,
      (left + side + reach) / scale,
      (top + side + reach) / scale,
      (i) => {
        const look = lookOf(seats, i, this.organiser);
        if (look === LOOK.none) return;
        painted.push(i);
        const px = x[i] * scale - left - spriteSide / 2 + 0.5;
        const py = y[i] * scale - top - spriteSide / 2 + 0.5;
        const ix = Math.floor(px);
        const iy = Math.floor(py);
        const phase = Math.floor((py - iy) * phases) * phases + Math.floor((px - ix) * phases);
        copy(
          sprites.pixels(look, seats.tier[i]),
          phase * spriteSide * spriteSide,
          spriteSide,
          pixels,
          side,
          ix,
          iy,
        );
      },
    );
    return painted;
  }

  #number(context, tx, ty, painted) {
    const { seats, scale, side } = this;
    const { plan } = seats;
    context.font = `600 ${Math.round(this.size * 0.4)}px ${this.theme.font}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (const i of painted) {
      if (!seats.isFree(i) || !seats.matching[i] || plan.flags[i] & WHEELCHAIR) continue;
      context.fillStyle = this.ink[seats.tier[i]];
      const low = seats.tiers[seats.tier[i]].shape === "triangle" ? 0.1 * this.size : 0.03 * this.size;
      context.fillText(plan.numberOf(i), plan.x[i] * scale - tx * side, plan.y[i] * scale - ty * side + low);
    }
  }
}

const scratches = new Map();

/** Return the shared {image, pixels} that tiles of `side` are composed in. */
function scratch(side) {
  if (!scratches.has(side)) {
    const image = new ImageData(side, side);
    scratches.set(side, { image, pixels: new Uint32Array(image.data.buffer) });
  }
  return scratches.get(side);
}

/** Copy a square sprite to (x, y); where two seats' soft edges meet, the more opaque pixel stays. */
function copy(source, offset, size, target, side, x, y) {
  const fromX = Math.max(0, -x);
  const toX = Math.min(size, side - x);
  const fromY = Math.max(0, -y);
  const toY = Math.min(size, side - y);
  for (let row = fromY; row < toY; row++) {
    let s = offset + row * size + fromX;
    let t = (y + row) * side + x + fromX;
    for (let k = fromX; k < toX; k++, s++, t++) {
      const pixel = source[s];
      if (pixel >>> 24 > target[t] >>> 24) target[t] = pixel;
    }
  }
}
