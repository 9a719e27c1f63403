/** Fingers, mouse, wheel and keys on the canvas, as acts on the camera and as taps and hovers. */

const TAP_PX = 8;
const TAP_MS = 600;
const DOUBLE_MS = 320;
const WHEEL_RATE = 0.0016;
const KEY_PAN_PX = 90;
const KEY_ZOOM = 1.5;
/** Speed is taken over the last moves only. */
const THROW_WINDOW_MS = 80;

/**
 * Bind gestures on `canvas`.
 *
 * `on` has: tap({x, y, touch, again}), hover({x, y}) or hover(null), moved() after the camera was changed,
 * and box([x0, y0, x1, y1], done) while a box is drawn; `isBoxing()` says whether a drag draws one.
 * Returns a function that unbinds.
 */
export function bindGestures(canvas, camera, on) {
  const pointers = new Map();
  const ends = new AbortController();
  const options = { signal: ends.signal };
  let start = null;
  let pinch = null;
  let trail = [];
  let lastTap = null;

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top, at: event.timeStamp };
  };

  function measure() {
    const [a, b] = [...pointers.values()];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, gap: Math.max(1, Math.hypot(a.x - b.x, a.y - b.y)) };
  }

  function down(event) {
    if (event.button > 0) return;
    const point = place(event);
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, point);
    camera.stop();
    if (pointers.size === 1) {
      start = { ...point, moved: false, box: on.isBoxing(event) };
      trail = [point];
    } else if (pointers.size === 2) {
      start = null;
      pinch = measure();
    }
    if (event.pointerType !== "mouse") on.hover(null);
  }

  function move(event) {
    const point = place(event);
    const last = pointers.get(event.pointerId);
    if (!last) {
      if (event.pointerType === "mouse") on.hover(point);
      return;
    }
    pointers.set(event.pointerId, point);
    if (pinch && pointers.size === 2) {
      const now = measure();
      camera.pan(now.x - pinch.x, now.y - pinch.y);
      camera.zoom(now.gap / pinch.gap, now.x, now.y);
      pinch = now;
      on.moved();
      return;
    }
    if (!start) return;
    if (!start.moved && Math.hypot(point.x - start.x, point.y - start.y) < TAP_PX) return;
    start.moved = true;
    if (start.box) {
      on.box([start.x, start.y, point.x, point.y], false);
      return;
    }
    canvas.classList.add("is-dragging");
    on.hover(null);
    camera.pan(point.x - last.x, point.y - last.y);
    trail.push(point);
    on.moved();
  }

  function up(event) {
    if (!pointers.delete(event.pointerId)) return;
    canvas.classList.remove("is-dragging");
    const point = place(event);
    const began = start;
    start = null;
    if (pinch) {
      if (pointers.size < 2) pinch = null;
      return;
    }
    if (!began || event.type === "pointercancel") return;
    if (began.moved && began.box) on.box([began.x, began.y, point.x, point.y], true);
    else if (began.moved) letGo(point);
    else if (point.at - began.at < TAP_MS) tap(point, event);
  }

  function letGo(point) {
    const recent = trail.filter((spot) => point.at - spot.at < THROW_WINDOW_MS);
    if (recent.length < 2) return;
    const ms = Math.max(8, point.at - recent[0].at);
    camera.throw((point.x - recent[0].x) / ms, (point.y - recent[0].y) / ms);
    on.moved();
  }

  function tap(point, event) {
    const again =
      lastTap !== null &&
      point.at - lastTap.at < DOUBLE_MS &&
      Math.hypot(point.x - lastTap.x, point.y - lastTap.y) < 24;
    lastTap = again ? null : point;
    on.tap({ x: point.x, y: point.y, touch: event.pointerType !== "mouse", again, shift: event.shiftKey });
  }

  function wheel(event) {
    event.preventDefault();
    const { x, y } = place(event);
    const lines = event.deltaMode === 1 ? 18 : 1;
    // A trackpad's pinch arrives as a wheel with ctrl and small steps.
    const rate = event.ctrlKey ? WHEEL_RATE * 5 : WHEEL_RATE;
    const turn = Math.max(-240, Math.min(240, event.deltaY * lines));
    camera.zoom(Math.exp(-turn * rate), x, y);
    on.moved();
  }

  const keys = {
    ArrowLeft: () => camera.pan(KEY_PAN_PX, 0),
    ArrowRight: () => camera.pan(-KEY_PAN_PX, 0),
    ArrowUp: () => camera.pan(0, KEY_PAN_PX),
    ArrowDown: () => camera.pan(0, -KEY_PAN_PX),
    "+": () => camera.zoom(KEY_ZOOM, undefined, undefined, true),
    "=": () => camera.zoom(KEY_ZOOM, undefined, undefined, true),
    "-": () => camera.zoom(1 / KEY_ZOOM, undefined, undefined, true),
    0: () => camera.fit(),
    Home: () => camera.fit(),
  };

  function key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
    on.moved();
  }

  canvas.addEventListener("pointerdown", down, options);
  canvas.addEventListener("pointermove", move, options);
  canvas.addEventListener("pointerup", up, options);
  canvas.addEventListener("pointercancel", up, options);
  canvas.addEventListener("pointerleave", () => on.hover(null), options);
  canvas.addEventListener("wheel", wheel, { ...options, passive: false });
  canvas.addEventListener("keydown", key, options);
  return () => ends.abort();
}
