/**
 * Draws the map on a canvas: one draw per frame, and none while nothing changed.
 *
 * Levels of detail go by the size of a seat on the screen: sections (names, "from" prices, filled by the share of
 * free seats), then rows (seats as dots), then seats (shapes, glyphs, numbers).
 */

import { Ground } from "./ground.js";
import { SeatGrid } from "./hit.js";
import { Labels } from "./labels.js";
import { drawBox, drawHover, drawOwn, drawSelection } from "./marks.js";
import { CONFIRMING } from "./seats.js";
import { readTheme, watchTheme } from "./theme.js";
import { Tiles } from "./tiles.js";

/** Seat sizes (CSS pixels) where rows and seats begin. */
const ROWS_PX = 1.7;
const SEATS_PX = 6;
/** Time a frame may spend on painting tiles. */
const PAINT_MS = 5;
/** While zooming, tiles stretched by more than this are painted anew on the way ... */
const STRETCH = 1.45;
/** ... and in any case once the scale has rested this long. */
const REST_MS = 110;
const FRAMES_KEPT = 240;

/** Return 0 below `from`, 1 above `to`, and a smooth way between. */
function smooth(value, from, to) {
  const t = Math.min(1, Math.max(0, (value - from) / (to - from)));
  return t * t * (3 - 2 * t);
}

/** Return {median, p95, worst} of a list of milliseconds. */
function spread(times) {
  if (!times.length) return { median: 0, p95: 0, worst: 0 };
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return { median: at(0.5), p95: at(0.95), worst: sorted.at(-1) };
}

export class Painter {
  #context;
  #tiles = null;
  #before = null;
  #pool = [];
  #isReady = false;
  #asked = 0;
  #last = 0;
  #unit = 0;
  #unitAt = 0;
  #unwatch;

  /** `money(amount)` writes prices; `organiser` shows what is blocked; `bare` draws a plan without any sale. */
  constructor(canvas, seats, camera, { money, organiser = false, bare = false }) {
    this.canvas = canvas;
    this.seats = seats;
    this.camera = camera;
    this.organiser = organiser;
    this.bare = bare;
    this.theme = readTheme(canvas.parentElement);
    this.grid = new SeatGrid(seats.plan);
    this.ground = new Ground(seats, this.theme, bare);
    this.labels = new Labels(seats.plan, money);
    /** What to mark: his own seats, the seat and section under the pointer, the organiser's selection and box. */
    this.own = [];
    this.hovered = -1;
    this.hoveredSection = null;
    this.selection = null;
    this.box = null;
    this.frames = 0;
    this.frameTimes = [];
    this.workTimes = [];
    /** Called after every frame. */
    this.onFrame = () => {};
    this.#context = canvas.getContext("2d", { alpha: false });
    this.#unwatch = watchTheme(() => this.retheme());
    seats.addEventListener("change", ({ detail }) => this.#changed(detail.indexes));
  }

  close() {
    this.#unwatch();
    cancelAnimationFrame(this.#asked);
  }

  /** The level of detail now: "sections", "rows" or "seats". */
  get level() {
    const size = this.camera.seatSize;
    if (size < ROWS_PX) return "sections";
    return size < SEATS_PX ? "rows" : "seats";
  }

  /** What frames took: {frames, frameMs, workMs}, the latter as {median, p95, worst} of the last moving ones. */
  get times() {
    return { frames: this.frames, frameMs: spread(this.frameTimes), workMs: spread(this.workTimes) };
  }

  /** Ask for a frame. */
  ask() {
    if (this.#isReady && !this.#asked) this.#asked = requestAnimationFrame((now) => this.#tick(now));
  }

  /** Read the colours again and draw everything anew. */
  retheme() {
    this.theme = readTheme(this.canvas.parentElement);
    this.ground.setTheme(this.theme);
    this.labels.forget();
    this.#drop();
    this.ask();
  }

  /** Fit the canvas to its box and the screen's pixels. */
  resize() {
    if (!this.#fit() || !this.#isReady) return;
    // At once: a canvas of a new size is empty, and would be shown so.
    this.#draw();
    this.ask();
  }

  /** Get ready for the first frame, in steps between which `breathe()` is awaited: labels take long to write. */
  async prepare(breathe) {
    this.#fit();
    while (this.ratio && !this.labels.prepare(this.#labelLook())) await breathe();
    this.#isReady = true;
    this.ask();
  }

  /** Take the size of the canvas's box. Returns whether it is another. */
  #fit() {
    const { clientWidth, clientHeight } = this.canvas;
    if (!clientWidth || !clientHeight) return false;
    const ratio = Math.min(3, window.devicePixelRatio || 1);
    const [width, height] = [Math.round(clientWidth * ratio), Math.round(clientHeight * ratio)];
    if (ratio === this.ratio && width === this.canvas.width && height === this.canvas.height) return false;
    if (ratio !== this.ratio) this.labels.forget();
    this.ratio = ratio;
    this.canvas.width = width;
    this.canvas.height = height;
    this.camera.resize(clientWidth, clientHeight);
    return true;
  }

  #drop() {
    this.#tiles?.close();
    this.#before?.close();
    this.#tiles = null;
    this.#before = null;
  }

  #changed(indexes) {
    if (indexes === null) this.#tiles?.touchAll();
    else for (const i of indexes) this.#tiles?.touch(i);
    this.ground.forget(indexes);
    this.ask();
  }

  #tick(now) {
    this.#asked = 0;
    const gap = this.#last ? now - this.#last : 0;
    const began = performance.now();
    const moved = this.camera.step(Math.min(64, gap || 16));
    const done = this.#draw();
    this.#note(gap, performance.now() - began);
    this.onFrame();
    const more = moved || this.camera.isMoving || !done || this.#isBreathing;
    this.#last = more ? now : 0;
    if (more) this.ask();
  }

  #note(gap, work) {
    this.frames += 1;
    this.workTimes.push(work);
    if (this.workTimes.length > FRAMES_KEPT) this.workTimes.shift();
    if (gap) this.frameTimes.push(gap);
    if (this.frameTimes.length > FRAMES_KEPT) this.frameTimes.shift();
  }

  /** Seats being confirmed breathe, so frames go on until the answer is there. */
  get #isBreathing() {
    return !this.camera.calm && this.own.some((i) => this.seats.mine[i] === CONFIRMING);
  }

  /** Draw one frame. Returns whether it was complete. */
  #draw() {
    const { camera, ratio, seats, theme, organiser } = this;
    if (!ratio) return true;
    const context = this.#context;
    const { view } = camera;
    const unit = camera.scale * ratio;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = theme.paper;
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);

    context.setTransform(unit, 0, 0, unit, -view[0] * unit, -view[1] * unit);
    const look = this.#labelLook();
    const hovered = this.hoveredSection;
    this.ground.draw(context, { view, near: look.near, pixel: 1 / camera.scale, ratio, hovered });

    context.setTransform(1, 0, 0, 1, 0, 0);
    const done = this.#drawSeats(context, view, unit);

    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.labels.drawRows(context, { camera, view, theme });
    this.labels.drawSections(context, look);
    if (this.selection?.size) drawSelection(context, { seats, camera, theme, selection: this.selection });
    drawOwn(context, { seats, camera, theme, own: this.own, now: performance.now(), calm: camera.calm });
    drawHover(context, { seats, camera, theme, index: this.hovered, organiser });
    drawBox(context, { theme, box: this.box });
    return done && this.labels.complete;
  }

  /** What section names are written for. */
  #labelLook() {
    const { camera, ground, theme, ratio, bare } = this;
    const near = smooth(camera.seatSize, ROWS_PX * 0.8, SEATS_PX * 0.55);
    const alpha = 1 - smooth(camera.seatSize, SEATS_PX * 0.5, SEATS_PX * 0.65);
    return { camera, view: camera.view, ground, theme, ratio, alpha, near, bare };
  }

  #newTiles(unit) {
    const { seats, grid, theme, ratio, organiser } = this;
    return new Tiles({ seats, grid, theme, scale: unit, ratio, organiser, pool: this.#pool });
  }

  /** Choose the tiles to draw with: the ones of this scale, or those of the scale a zoom began with. */
  #tilesFor(unit) {
    const now = performance.now();
    if (unit !== this.#unit) this.#unitAt = now;
    this.#unit = unit;
    if (!this.#tiles) this.#tiles = this.#newTiles(unit);
    const stretch = unit / this.#tiles.scale;
    if (stretch === 1) return this.#tiles;
    const rested = now - this.#unitAt > REST_MS && !this.camera.isZooming;
    if (rested || stretch > STRETCH || stretch < 1 / STRETCH) {
      this.#before?.close();
      this.#before = this.#tiles;
      this.#tiles = this.#newTiles(unit);
    }
    return this.#tiles;
  }

  #drawSeats(context, view, unit) {
    const shown = smooth(this.camera.seatSize, ROWS_PX * 0.7, ROWS_PX * 1.25);
    if (shown === 0) return true;
    const tiles = this.#tilesFor(unit);
    const zoom = unit / tiles.scale;
    const painted = tiles.paint(view, PAINT_MS, this.frames);
    context.globalAlpha = shown;
    const missing = tiles.draw(context, view, zoom, this.frames);
    if (this.#before && missing.length) this.#fillWithBefore(context, view, unit, missing);
    else if (this.#before) {
      this.#before.close();
      this.#before = null;
    }
    context.globalAlpha = 1;
    const across = Math.ceil(this.canvas.width / tiles.side) + 1;
    tiles.trim(3 * across * (Math.ceil(this.canvas.height / tiles.side) + 1));
    return painted && zoom === 1;
  }

  /** Where tiles are still missing, show those of the scale before, stretched. */
  #fillWithBefore(context, view, unit, missing) {
    context.save();
    context.beginPath();
    for (const [x, y, side] of missing) context.rect(x, y, side, side);
    context.clip();
    this.#before.draw(context, view, unit / this.#before.scale, this.frames);
    context.restore();
  }
}
