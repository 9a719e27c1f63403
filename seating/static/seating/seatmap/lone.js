/** Lone seats: single free seats that a choice would leave behind, and how to choose without. */

/** Two neighbours further apart than this many usual gaps of their row have an aisle between them. */
const AISLE = 1.6;

/** Return a row's runs of neighbours, [[first, last], ...], cut where there is an aisle. */
export function runsOf(plan, row) {
  const { x, y } = plan;
  const gaps = [];
  for (let i = row.first; i < row.first + row.count - 1; i++)
    gaps.push(Math.hypot(x[i + 1] - x[i], y[i + 1] - y[i]));
  const usual = [...gaps].sort((a, b) => a - b)[gaps.length >> 1] ?? 0;
  const runs = [];
  let first = row.first;
  gaps.forEach((gap, k) => {
    if (gap <= usual * AISLE) return;
    runs.push([first, row.first + k]);
    first = row.first + k + 1;
  });
  runs.push([first, row.first + row.count - 1]);
  return runs;
}

/** Return the seats of [first, last] that stand alone: `open(i)` but no neighbour is. */
function alone(first, last, open) {
  const found = [];
  for (let i = first; i <= last; i++) {
    const left = i > first && open(i - 1);
    const right = i < last && open(i + 1);
    if (open(i) && !left && !right) found.push(i);
  }
  return found;
}

/**
 * Look at what `chosen` leaves behind.
 *
 * Returns null if nothing is left alone that was not alone without him, or {lone: [index], old: [index],
 * moves: [[index, ...]], fill: [index]}: the seats left alone, his seats in that run, up to two other choices of the
 * same run that leave none, and the lone seats he could add. `moves` is empty where it cannot be avoided.
 */
export function loneSeats(seats, chosen) {
  const { plan } = seats;
  const own = new Set(chosen);
  const openBefore = (i) => seats.isFree(i) || own.has(i);
  const done = new Set();
  for (const index of chosen) {
    const row = plan.rowOf(index);
    if (!row || done.has(row)) continue;
    done.add(row);
    for (const [first, last] of runsOf(plan, row)) {
      const old = chosen.filter((i) => i >= first && i <= last);
      if (!old.length) continue;
      const before = new Set(alone(first, last, openBefore));
      const without = (mine) =>
        alone(first, last, (i) => openBefore(i) && !mine.has(i)).filter((i) => !before.has(i));
      const lone = without(own);
      if (lone.length)
        return { lone, old, moves: movesIn(first, last, old, openBefore, without), fill: lone };
    }
  }
  return null;
}

/** Return up to two windows of the same size in [first, last] that leave no seat alone, nearest first. */
function movesIn(first, last, old, open, without) {
  const moves = [];
  for (let start = first; start + old.length - 1 <= last; start++) {
    const window = old.map((_, k) => start + k);
    if (window.every(open) && without(new Set(window)).length === 0) moves.push(window);
  }
  return moves.sort((a, b) => Math.abs(a[0] - old[0]) - Math.abs(b[0] - old[0])).slice(0, 2);
}
