/** What lies over the seats: one's own, the one under the pointer, the organiser's selection and his box. */

import { CONFIRMING, NOT_MINE, RELEASING } from "./seats.js";
import { trace, traceTick } from "./shapes.js";
import { paintSeat, lookOf } from "./sprites.js";
import { textOn } from "./theme.js";

const SMALLEST_OWN_PX = 9;
const PULSE_MS = 900;

/** Draw one's own seats: an accent disc with a tick in a ring; one being confirmed breathes, without a tick. */
export function drawOwn(context, { seats, camera, theme, own, now, calm }) {
  const size = Math.max(SMALLEST_OWN_PX, camera.seatSize);
  const { x, y } = seats.plan;
  for (const i of own) {
    if (Number.isNaN(x[i]) || seats.mine[i] === NOT_MINE) continue;
    const [px, py] = camera.toScreen(x[i], y[i]);
    if (px < -size || py < -size || px > camera.width + size || py > camera.height + size) continue;
    const mark = seats.mine[i];
    const breath = calm || mark !== CONFIRMING ? 1 : 0.82 + 0.18 * Math.sin((now / PULSE_MS) * 2 * Math.PI);
    const radius = size * 0.46;
    context.globalAlpha = mark === RELEASING ? 0.4 : 1;
    context.beginPath();
    trace(context, "circle", px, py, radius + Math.max(2, size * 0.12));
    context.fillStyle = theme.paper;
    context.fill();
    context.lineWidth = Math.max(1.5, size * 0.07);
    context.strokeStyle = theme.accent;
    context.setLineDash(mark === CONFIRMING ? [3, 3] : []);
    context.stroke();
    context.setLineDash([]);
    context.beginPath();
    trace(context, "circle", px, py, radius * breath);
    context.fillStyle = theme.accent;
    context.fill();
    if (mark !== CONFIRMING) {
      context.beginPath();
      context.strokeStyle = textOn(theme.accent);
      context.lineWidth = Math.max(1.5, size * 0.1);
      context.lineCap = context.lineJoin = "round";
      traceTick(context, px, py, size * 0.4);
      context.stroke();
    }
    context.globalAlpha = 1;
  }
}

/** Draw the seat under the pointer a little larger, in a ring. */
export function drawHover(context, { seats, camera, theme, index, organiser }) {
  if (index < 0) return;
  const [x, y] = camera.toScreen(seats.plan.x[index], seats.plan.y[index]);
  const size = Math.max(SMALLEST_OWN_PX, camera.seatSize);
  if (seats.mine[index] === NOT_MINE && seats.isFree(index)) {
    context.beginPath();
    trace(context, "circle", x, y, size * 0.66);
    context.fillStyle = theme.paper;
    context.fill();
    const tier = seats.tiers[seats.tier[index]];
    paintSeat(context, { look: lookOf(seats, index, organiser), tier, x, y, size: size * 1.12, theme });
  }
  context.beginPath();
  trace(context, "circle", x, y, size * 0.68);
  context.strokeStyle = theme.ink;
  context.lineWidth = 1.75;
  context.stroke();
}

/** Draw the organiser's selection: a dark ring and a dot on every chosen seat. */
export function drawSelection(context, { seats, camera, theme, selection }) {
  const size = Math.max(3, camera.seatSize);
  const { x, y } = seats.plan;
  context.beginPath();
  for (const i of selection) {
    if (Number.isNaN(x[i])) continue;
    const [px, py] = camera.toScreen(x[i], y[i]);
    if (px < -size || py < -size || px > camera.width + size || py > camera.height + size) continue;
    if (size < 7) context.rect(px - size / 2, py - size / 2, size, size);
    else trace(context, "circle", px, py, size * 0.56);
  }
  if (size < 7) {
    context.fillStyle = theme.accent;
    context.fill();
  } else {
    context.strokeStyle = theme.accent;
    context.lineWidth = Math.max(2, size * 0.14);
    context.stroke();
  }
}

/** Draw the box that an organiser drags over seats. */
export function drawBox(context, { theme, box }) {
  if (!box) return;
  const [x0, y0, x1, y1] = box;
  context.fillStyle = theme.accent;
  context.globalAlpha = 0.12;
  context.fillRect(x0, y0, x1 - x0, y1 - y0);
  context.globalAlpha = 1;
  context.strokeStyle = theme.accent;
  context.lineWidth = 1.5;
  context.strokeRect(x0, y0, x1 - x0, y1 - y0);
}
