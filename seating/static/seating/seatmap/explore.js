/** Looking around: what lies under the pointer, the card beside it, and where taps and flights lead. */

import { bindGestures } from "./gestures.js";
import { sectionAt } from "./hit.js";

/** A seat must be this large (CSS pixels) to be chosen by mouse, or by finger. */
const MOUSE_SEAT_PX = 5;
const FINGER_SEAT_PX = 15;
/** How large seats are shown when the map flies to them, and how much around them (plan units). */
const SHOWN_SEAT_PX = 26;
const AROUND = 150;
const CARD_MS = 2600;

export class Explorer {
  #canvas;
  #plan;
  #camera;
  #painter;
  #card;
  #on;

  /**
   * `on` has seat(index, tap) and standing(section), called at a tap on one that is large enough, and
   * isBoxing(event) and box([left, top, right, bottom]) in plan units for drags that draw a box.
   * `signal` ends it all.
   */
  constructor({ canvas, plan, camera, painter, card, on, signal }) {
    this.#canvas = canvas;
    this.#plan = plan;
    this.#camera = camera;
    this.#painter = painter;
    this.#card = card;
    this.#on = on;
    const unbind = bindGestures(canvas, camera, {
      tap: (tap) => this.#tap(tap),
      hover: (point) => this.#hover(point),
      moved: () => this.moved(),
      isBoxing: on.isBoxing,
      box: (box, done) => this.#box(box, done),
    });
    signal.addEventListener("abort", unbind);
    painter.onFrame = () => {
      // With everything in sight one finger scrolls the page; zoomed in, it moves the map.
      canvas.classList.toggle("is-fitted", camera.isFitted);
    };
    painter.seats.addEventListener("change", () => {
      // The card says what is true now, also of a seat that changes under the pointer.
      if (painter.hovered >= 0 && !card.element.hidden) this.#showCard(painter.hovered);
    });
  }

  /** The view changed. */
  moved() {
    this.#card.hide();
    this.#painter.ask();
  }

  /** Fly to seats (those with a place in the drawing), or to their section. */
  showSeats(indexes, animated = true) {
    const { x, y, sections, sectionOf } = this.#plan;
    const drawn = indexes.filter((i) => !Number.isNaN(x[i]));
    if (drawn.length) {
      const xs = drawn.map((i) => x[i]);
      const ys = drawn.map((i) => y[i]);
      const box = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
      const around = [box[0] - AROUND, box[1] - AROUND, box[2] + AROUND, box[3] + AROUND];
      this.#camera.show(around, animated, SHOWN_SEAT_PX);
    } else this.#camera.show(sections[sectionOf[indexes[0]]].box, animated);
    this.moved();
  }

  /** Return {seat, section} under a point of the canvas; seat is -1 where seats are too small to tell apart. */
  #under({ x, y }, touch = false) {
    const [px, py] = this.#camera.toPlan(x, y);
    const size = this.#camera.seatSize;
    const reach = (size * 0.62 + (touch ? 6 : 2)) / this.#camera.scale;
    const seat = size >= MOUSE_SEAT_PX ? this.#painter.grid.nearest(px, py, reach) : -1;
    return { seat, section: sectionAt(this.#plan, px, py) };
  }

  #hover(point) {
    if (!point) {
      this.#mark(-1, null);
      this.#card.hide();
      return;
    }
    const { seat, section } = this.#under(point);
    const whole = seat < 0 && (this.#camera.seatSize < MOUSE_SEAT_PX || section?.standing) ? section : null;
    this.#mark(seat, whole);
    this.#canvas.classList.toggle("is-active", seat >= 0 || whole !== null);
    if (seat >= 0) this.#showCard(seat);
    else if (whole) this.#card.showSection(whole, point.x, point.y, this.#camera.width);
    else this.#card.hide();
  }

  #mark(seat, section) {
    const painter = this.#painter;
    if (painter.hovered === seat && painter.hoveredSection === section) return;
    painter.hovered = seat;
    painter.hoveredSection = section;
    painter.ask();
  }

  #showCard(i) {
    const [x, y] = this.#camera.toScreen(this.#plan.x[i], this.#plan.y[i]);
    this.#card.showSeat(i, x, y, this.#camera.width);
  }

  #tap(tap) {
    const { seat, section } = this.#under(tap, tap.touch);
    const needed = tap.touch ? FINGER_SEAT_PX : MOUSE_SEAT_PX;
    const isLarge = this.#camera.seatSize >= needed;
    if (seat >= 0 && isLarge) {
      this.#showCard(seat);
      if (tap.touch) setTimeout(() => this.#card.hide(), CARD_MS);
      this.#on.seat(seat, tap);
    } else if (seat >= 0) this.showSeats([seat]);
    else if (section?.standing) this.#on.standing(section);
    else if (section && !isLarge) this.#enter(section, tap, needed);
    else if (tap.again) this.#camera.zoom(2, tap.x, tap.y, true);
    this.#painter.ask();
  }

  /** Show a section whole if its seats are then large enough, else its part under the tap. */
  #enter(section, tap, needed) {
    if (this.#camera.seatSizeIn(section.box) >= needed) {
      this.#camera.show(section.box);
    } else {
      const [x, y] = this.#camera.toPlan(tap.x, tap.y);
      this.#camera.show([x - AROUND, y - AROUND, x + AROUND, y + AROUND], true, SHOWN_SEAT_PX);
    }
    this.moved();
  }

  #box(box, done) {
    this.#painter.box = done ? null : box;
    this.moved();
    if (!done) return;
    const corner = this.#camera.toPlan(Math.min(box[0], box[2]), Math.min(box[1], box[3]));
    const opposite = this.#camera.toPlan(Math.max(box[0], box[2]), Math.max(box[1], box[3]));
    this.#on.box([...corner, ...opposite]);
  }
}
