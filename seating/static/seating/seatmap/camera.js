/** Where the map is looked at from: a centre in plan units and a scale in CSS pixels per unit; pure arithmetic. */

/** A seat is drawn this many units across (their pitch is 25). */
export const SEAT_UNITS = 20;
const CLOSEST_SEAT_PX = 46;
const FLIGHT_MS = 420;
/** Inertia loses this share of its speed every millisecond. */
const FRICTION = 0.0045;
const STILL_PX_PER_MS = 0.02;

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const easeOut = (t) => 1 - (1 - t) ** 3;

export class Camera {
  #flight = null;
  #drift = null;

  /** `bounds` [left, top, right, bottom] is what there is to see; `calm` turns animation off. */
  constructor(bounds, calm = false) {
    this.bounds = bounds;
    this.calm = calm;
    this.width = 1;
    this.height = 1;
    this.padding = { top: 16, right: 16, bottom: 16, left: 16 };
    this.x = (bounds[0] + bounds[2]) / 2;
    this.y = (bounds[1] + bounds[3]) / 2;
    this.scale = 1;
  }

  /** The size of a seat on the screen, in CSS pixels: what levels of detail go by. */
  get seatSize() {
    return this.scale * SEAT_UNITS;
  }

  get fitScale() {
    return this.#scaleFor(this.bounds);
  }

  get minScale() {
    return this.fitScale * 0.85;
  }

  get maxScale() {
    return Math.max(CLOSEST_SEAT_PX / SEAT_UNITS, this.fitScale);
  }

  get isFitted() {
    return this.scale <= this.fitScale * 1.02;
  }

  get isMoving() {
    return this.#flight !== null || this.#drift !== null;
  }

  get isZooming() {
    return this.#flight !== null && this.#flight.to.scale !== this.#flight.from.scale;
  }

  /** Take the view's size in CSS pixels; a map that showed everything keeps showing everything. */
  resize(width, height) {
    const fitted = this.width <= 1 || this.isFitted;
    this.width = Math.max(1, width);
    this.height = Math.max(1, height);
    if (fitted) this.fit(false);
    else this.#settle();
  }

  toScreen(x, y) {
    return [(x - this.x) * this.scale + this.width / 2, (y - this.y) * this.scale + this.height / 2];
  }

  toPlan(px, py) {
    return [(px - this.width / 2) / this.scale + this.x, (py - this.height / 2) / this.scale + this.y];
  }

  /** Return the visible box in plan units. */
  get view() {
    return [...this.toPlan(0, 0), ...this.toPlan(this.width, this.height)];
  }

  pan(dx, dy) {
    this.stop();
    this.x -= dx / this.scale;
    this.y -= dy / this.scale;
    this.#settle();
  }

  /** Zoom by `factor`, keeping what lies under (px, py) in place. */
  zoom(factor, px = this.width / 2, py = this.height / 2, animated = false) {
    const scale = clamp((this.#flight?.to.scale ?? this.scale) * factor, this.minScale, this.maxScale);
    const [x, y] = this.toPlan(px, py);
    const target = { scale, x: x - (px - this.width / 2) / scale, y: y - (py - this.height / 2) / scale };
    this.#go(target, animated);
  }

  fit(animated = true) {
    this.show(this.bounds, animated);
  }

  /** Show a box of the plan as large as it goes, a seat at most `seatPx` across. */
  show(box, animated = true, seatPx = CLOSEST_SEAT_PX) {
    const scale = clamp(Math.min(this.#scaleFor(box), seatPx / SEAT_UNITS), this.minScale, this.maxScale);
    const { left, right, top, bottom } = this.padding;
    this.#go(
      {
        scale,
        x: (box[0] + box[2]) / 2 - (left - right) / 2 / scale,
        y: (box[1] + box[3]) / 2 - (top - bottom) / 2 / scale,
      },
      animated,
    );
  }

  /** Return how large seats would be with `box` shown whole. */
  seatSizeIn(box) {
    return this.#scaleFor(box) * SEAT_UNITS;
  }

  /** Let go after a pan with a speed in CSS pixels per millisecond. */
  throw(vx, vy) {
    if (this.calm || Math.hypot(vx, vy) < 0.15) return;
    this.#drift = { vx, vy };
  }

  stop() {
    this.#flight = null;
    this.#drift = null;
  }

  /** Move on by `ms`. Returns whether anything moved. */
  step(ms) {
    if (this.#flight) {
      const flight = this.#flight;
      flight.at = Math.min(1, flight.at + ms / FLIGHT_MS);
      const t = easeOut(flight.at);
      const { from, to } = flight;
      this.scale = from.scale * (to.scale / from.scale) ** t;
      // The centre moves with the zoom, so that the fixed point stays put on its way.
      const share =
        to.scale === from.scale ? t : (1 / this.scale - 1 / from.scale) / (1 / to.scale - 1 / from.scale);
      this.x = from.x + (to.x - from.x) * share;
      this.y = from.y + (to.y - from.y) * share;
      if (flight.at === 1) this.#flight = null;
      return true;
    }
    if (this.#drift) {
      const drift = this.#drift;
      this.x -= (drift.vx * ms) / this.scale;
      this.y -= (drift.vy * ms) / this.scale;
      const keep = Math.exp(-FRICTION * ms);
      drift.vx *= keep;
      drift.vy *= keep;
      const { x, y } = this;
      this.#settle();
      if (Math.hypot(drift.vx, drift.vy) < STILL_PX_PER_MS || (x !== this.x && y !== this.y))
        this.#drift = null;
      return true;
    }
    return false;
  }

  #go(target, animated) {
    this.stop();
    const to = { ...target, ...this.#limit(target) };
    if (animated && !this.calm)
      this.#flight = { from: { x: this.x, y: this.y, scale: this.scale }, to, at: 0 };
    else Object.assign(this, to);
  }

  #scaleFor(box) {
    const { left, right, top, bottom } = this.padding;
    const width = Math.max(40, this.width - left - right);
    const height = Math.max(40, this.height - top - bottom);
    return Math.min(width / Math.max(1, box[2] - box[0]), height / Math.max(1, box[3] - box[1]));
  }

  #settle() {
    this.scale = clamp(this.scale, this.minScale, this.maxScale);
    Object.assign(this, this.#limit(this));
  }

  /** Keep the plan in sight: its edge may come to the middle of the view, no further. */
  #limit({ x, y, scale }) {
    const [left, top, right, bottom] = this.bounds;
    const slackX = Math.max(0, (this.width * 0.5) / scale - (right - left) / 2) * 0.3;
    const slackY = Math.max(0, (this.height * 0.5) / scale - (bottom - top) / 2) * 0.3;
    return { x: clamp(x, left - slackX, right + slackX), y: clamp(y, top - slackY, bottom + slackY) };
  }
}
