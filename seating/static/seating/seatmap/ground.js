/** The ground of the map: drawn areas, the stage, and the sections filled by the share of seats still free. */

import { boxOf, broadPart } from "./outline.js";
import { luminance, mix, rgb, textOn, tone } from "./theme.js";

const HATCH_PX = 8;
/** Writing of the plan smaller than this on the screen is only dirt. */
const SMALLEST_TEXT_PX = 8.5;

/** Return a closed Path2D of a flat list of coordinates. */
function pathOf(points) {
  const path = new Path2D();
  for (let i = 0; i + 1 < points.length; i += 2) {
    if (i === 0) path.moveTo(points[0], points[1]);
    else path.lineTo(points[i], points[i + 1]);
  }
  path.closePath();
  return path;
}

/** Return whether two boxes [left, top, right, bottom] meet. */
export function overlaps(a, b) {
  return a[0] <= b[2] && a[2] >= b[0] && a[1] <= b[3] && a[3] >= b[1];
}

export class Ground {
  #paths;
  #looks = new Map();
  #hatch = null;
  #stage = null;
  #broad = null;

  /** `bare` draws the plan without a sale: every section in its category's colour. */
  constructor(seats, theme, bare) {
    this.seats = seats;
    this.plan = seats.plan;
    this.theme = theme;
    this.bare = bare;
    this.#paths = this.plan.sections.map((section) =>
      section.outline.length >= 6 ? pathOf(section.outline) : null,
    );
    if (this.plan.stage?.points?.length) this.#stage = pathOf(this.plan.stage.points);
  }

  /** Take new colours. */
  setTheme(theme) {
    this.theme = theme;
    this.#hatch = null;
    this.#looks.clear();
  }

  /** Seats changed (null: all): how full their sections look is to be found again. */
  forget(indexes) {
    if (indexes === null) this.#looks.clear();
    else for (const i of indexes) this.#looks.delete(this.plan.sectionOf[i]);
  }

  /**
   * Draw in plan units. `near` (0..1) fades the sections from solid (overview) to pale (seats shown on them);
   * `pixel` is a device-independent pixel in plan units.
   */
  draw(context, { view, near, pixel, ratio, hovered }) {
    for (const area of this.plan.areas) this.#drawArea(context, area, pixel);
    this.#drawStage(context);
    context.lineJoin = "round";
    for (const section of this.plan.sections) {
      const path = this.#paths[section.number];
      if (!path || !overlaps(section.box, view)) continue;
      const look = this.lookOf(section);
      const pale = section.standing ? 0 : near;
      context.fillStyle = pale < 1 ? look.fill : look.pale;
      context.fill(path);
      if (pale > 0 && pale < 1) {
        context.globalAlpha = pale;
        context.fillStyle = look.pale;
        context.fill(path);
      }
      if (look.soldOut && pale < 1) {
        context.globalAlpha = 1 - pale;
        context.fillStyle = this.#hatching(context, ratio);
        context.fill(path);
      }
      context.globalAlpha = 1;
      const active = hovered === section;
      context.strokeStyle = active ? this.theme.ink : pale > 0.5 ? look.edge : look.line;
      context.lineWidth = (active ? 2 : 1) * pixel;
      context.stroke(path);
    }
  }

  /** Return {fill, pale, line, edge, ink, free, from, soldOut} of a section: its tier's colour by the share still free. */
  lookOf(section) {
    const known = this.#looks.get(section.number);
    if (known) return known;
    const { paper, muted, line, ink } = this.theme.rgb;
    const { free, share, from } = this.seats.section(section.number);
    const tier = this.#mainTier(section);
    const lively = tier && (free > 0 || this.bare);
    const color = lively ? rgb(tone(tier.color, this.theme)) : muted;
    const strength = this.bare ? 0.4 : lively ? 0.14 + 0.46 * share : 0.08;
    const fill = mix(paper, color, strength);
    const look = {
      fill,
      pale: mix(paper, lively ? color : ink, lively && this.theme.dark ? 0.09 : 0.045),
      line: mix(paper, color, Math.min(1, strength + 0.25)),
      edge: mix(paper, lively ? color : line, 0.28),
      ink: lively ? textOn(fill) : this.theme.muted,
      free,
      from,
      soldOut: !free && !this.bare && this.seats.known,
    };
    this.#looks.set(section.number, look);
    return look;
  }

  /** Return the tier with the most free seats of a section, else the tier of its first seat. */
  #mainTier(section) {
    const { tiers, tier, freeIn } = this.seats;
    let best = tiers[tier[section.first]];
    let most = 0;
    for (const candidate of tiers) {
      const n = freeIn[section.number][candidate.number];
      if (n > most) [most, best] = [n, candidate];
    }
    return best;
  }

  #drawArea(context, area, pixel) {
    const { rgb: colors, font } = this.theme;
    // A plan's colours were chosen for white paper: in the dark, pale ones become a shade of it and others are dimmed.
    const dim = (color) => {
      if (!this.theme.dark) return color;
      return luminance(rgb(color)) > 0.5
        ? mix(colors.paper, colors.ink, 0.07)
        : mix(colors.paper, rgb(color), 0.4);
    };
    context.save();
    if (area.rotation) {
      context.translate(area.x, area.y);
      context.rotate((area.rotation * Math.PI) / 180);
      context.translate(-area.x, -area.y);
    }
    context.beginPath();
    let [x, y] = [area.x, area.y];
    if (area.shape === "rectangle") {
      context.rect(x, y, area.width, area.height);
      [x, y] = [x + area.width / 2, y + area.height / 2];
    } else if (area.shape === "ellipse") context.ellipse(x, y, area.rx, area.ry, 0, 0, 2 * Math.PI);
    else if (area.shape === "circle") context.arc(x, y, area.r, 0, 2 * Math.PI);
    else if (area.shape === "polygon") {
      const { points } = area;
      for (let i = 0; i + 1 < points.length; i += 2) context.lineTo(points[i], points[i + 1]);
      context.closePath();
      [x, y] = middle(points);
    }
    if (area.shape !== "text") {
      context.fillStyle = area.fill ? dim(area.fill) : mix(colors.paper, colors.ink, 0.05);
      context.fill();
      if (area.stroke) {
        context.strokeStyle = dim(area.stroke);
        context.lineWidth = 2;
        context.stroke();
      }
    }
    const size = area.size ?? 16;
    if (area.text && size >= SMALLEST_TEXT_PX * pixel) {
      context.fillStyle = area.color && !this.theme.dark ? area.color : this.theme.muted;
      context.font = `500 ${size}px ${font}`;
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.fillText(area.text, x, y);
    }
    context.restore();
  }

  #drawStage(context) {
    if (!this.#stage) return;
    const { points, label } = this.plan.stage;
    this.#broad ??= broadPart(points);
    const { x, y, width, height } = this.#broad;
    const { ink, paper } = this.theme.rgb;
    context.fillStyle = mix(paper, ink, this.theme.dark ? 0.2 : 0.86);
    context.fill(this.#stage);
    const text = (label || "Stage").toUpperCase();
    const size = Math.min(height * 0.42, (width / text.length) * 0.95);
    context.fillStyle = mix(paper, ink, this.theme.dark ? 0.85 : 0.06);
    context.font = `600 ${size}px ${this.theme.font}`;
    context.letterSpacing = `${size * 0.12}px`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(text, x, y + size * 0.05);
    context.letterSpacing = "0px";
  }

  /** Return the pattern of a sold-out section, the same on the screen at every zoom: not by colour alone. */
  #hatching(context, ratio) {
    if (!this.#hatch) {
      const cell = document.createElement("canvas");
      const side = Math.round(HATCH_PX * ratio);
      cell.width = cell.height = side;
      const brush = cell.getContext("2d");
      brush.strokeStyle = mix(this.theme.rgb.paper, this.theme.rgb.muted, 0.32);
      brush.lineWidth = ratio;
      for (const k of [-side, 0, side]) {
        brush.moveTo(k, side);
        brush.lineTo(k + side, 0);
      }
      brush.stroke();
      this.#hatch = context.createPattern(cell, "repeat");
    }
    this.#hatch.setTransform(context.getTransform().inverse());
    return this.#hatch;
  }
}

/** Return the middle [x, y] of the box around flat coordinates. */
function middle(points) {
  const [left, top, right, bottom] = boxOf(points);
  return [(left + right) / 2, (top + bottom) / 2];
}
