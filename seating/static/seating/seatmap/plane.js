/**
 * Availability on the wire: the R3 body (2 bits a seat) and the delta frame of the socket, both little endian.
 *
 * Versions are u64 on the wire and Numbers here: a relay would need thousands of years of ticks to pass 2^53.
 */

export const FREE = 0;
export const HELD = 1;
export const SOLD = 2;
export const BLOCKED = 3;

const HEADER_BYTES = 24;
const FRAME_BYTES = 16;
const CHANGE_BYTES = 5;

/** Return `count` states, one byte a seat, from a plane of 2 bits a seat. */
export function unpack(plane, count) {
  const states = new Uint8Array(count);
  for (let i = 0; i < count; i++) states[i] = (plane[i >> 2] >> ((i & 3) << 1)) & 3;
  return states;
}

/**
 * Read an R3 body.
 *
 * Returns {version, madeAt (ms), count, rebuilt, states}. Raises on a body that is not one: a captive portal's
 * page with status 200 must not empty the hall.
 */
export function readSnapshot(buffer) {
  const view = new DataView(buffer);
  if (buffer.byteLength < HEADER_BYTES || view.getUint8(0) !== 0x4f || view.getUint8(1) !== 0x53) {
    throw new Error("Not a seat snapshot.");
  }
  if (view.getUint8(2) !== 1) throw new Error(`Unknown snapshot format ${view.getUint8(2)}.`);
  const count = view.getUint32(4, true);
  if (buffer.byteLength < HEADER_BYTES + Math.ceil(count / 4)) throw new Error("Seat snapshot cut short.");
  return {
    rebuilt: (view.getUint8(3) & 1) === 1,
    count,
    version: Number(view.getBigUint64(8, true)),
    madeAt: Number(view.getBigUint64(16, true)),
    states: unpack(new Uint8Array(buffer, HEADER_BYTES), count),
  };
}

/** Read a delta frame: {from, to, indexes Uint32Array, states Uint8Array}. */
export function readFrame(buffer) {
  const size = buffer.byteLength - FRAME_BYTES;
  if (size < 0 || size % CHANGE_BYTES) throw new Error("Not a delta frame.");
  const view = new DataView(buffer);
  const count = size / CHANGE_BYTES;
  const indexes = new Uint32Array(count);
  const states = new Uint8Array(count);
  for (let k = 0, at = FRAME_BYTES; k < count; k++, at += CHANGE_BYTES) {
    indexes[k] = view.getUint32(at, true);
    states[k] = view.getUint8(at + 4);
  }
  return {
    from: Number(view.getBigUint64(0, true)),
    to: Number(view.getBigUint64(8, true)),
    indexes,
    states,
  };
}

/** Return {indexes, states} of the seats that differ between two planes of one byte a seat. */
export function changesBetween(before, after) {
  const indexes = [];
  for (let i = 0; i < after.length; i++) if (before[i] !== after[i]) indexes.push(i);
  return { indexes: Uint32Array.from(indexes), states: Uint8Array.from(indexes, (i) => after[i]) };
}
