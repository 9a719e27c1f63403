/**
 * The seats as this fan sees them: the plan, the live states, what is his, and what his filters leave.
 *
 * The one place the drawing, the list and the basket read from. Dispatches `change` events whose detail is
 * {indexes} (an array of seats, or null for "everything").
 */

import { COMPANION, WHEELCHAIR } from "./plan.js";
import { BLOCKED, FREE } from "./plane.js";

/** Values of `Seats.mine`. */
export const NOT_MINE = 0;
export const CONFIRMING = 1;
export const MINE = 2;
export const RELEASING = 3;

/** `Seats.tier` of a seat that has no price, and so is not sold. */
export const NO_TIER = 255;

const TIER_SHAPES = ["circle", "square", "diamond", "triangle", "hexagon", "star"];

const NO_FILTER = { tiers: null, maxAmount: null, accessible: false, hideTaken: false };

export class Seats extends EventTarget {
  #own = [];

  /**
   * `tiers` [{number, name, amount, color, shape}], `categoryTier` the tier number of each plan category
   * (null or -1: not sold). Without live data every seat counts as free.
   */
  constructor(plan, tiers, categoryTier) {
    super();
    this.plan = plan;
    this.tiers = tiers;
    this.tier = new Uint8Array(plan.count);
    for (let i = 0; i < plan.count; i++) {
      const number = categoryTier[plan.category[i]];
      this.tier[i] = tiers[number] ? number : NO_TIER;
    }
    this.states = new Uint8Array(plan.count);
    this.mine = new Uint8Array(plan.count);
    this.version = 0;
    this.known = false;
    this.filter = NO_FILTER;
    /** 1 where a seat passes the filters (whatever its state). */
    this.matching = new Uint8Array(plan.count).fill(1);
    this.freeIn = plan.sections.map(() => new Uint32Array(tiers.length + 1));
    this.#count();
  }

  /** Return whether a fan could take seat `index` now. */
  isFree(index) {
    return this.states[index] === FREE && this.mine[index] === NOT_MINE && this.tier[index] !== NO_TIER;
  }

  /** Return whether seat `index` is his or about to be. */
  isMine(index) {
    return this.mine[index] === MINE || this.mine[index] === CONFIRMING;
  }

  isAccessible(index) {
    return (this.plan.flags[index] & (WHEELCHAIR | COMPANION)) !== 0;
  }

  /** Return the price of seat `index` in minor units, or null. */
  amount(index) {
    return this.tiers[this.tier[index]]?.amount ?? null;
  }

  /** Return {free, from, share} of a section under the filters: free seats, the lowest price of one, free/all. */
  section(number) {
    const counts = this.freeIn[number];
    let free = 0;
    let from = null;
    for (const tier of this.tiers) {
      const n = counts[tier.number];
      free += n;
      if (n && (from === null || tier.amount < from)) from = tier.amount;
    }
    return { free, from, share: free / Math.max(1, this.plan.sections[number].count) };
  }

  /** Return how many seats are free, held, sold, blocked and his, for the inspection API. */
  counts() {
    const totals = [0, 0, 0, 0];
    let mine = 0;
    for (let i = 0; i < this.states.length; i++) {
      totals[this.states[i]] += 1;
      if (this.mine[i] === MINE) mine += 1;
    }
    return { free: totals[0], held: totals[1], sold: totals[2], blocked: totals[3], mine };
  }

  /** Take a whole new plane of one byte a seat. */
  load(version, states) {
    this.states.set(states.subarray(0, this.states.length));
    this.version = version;
    this.known = true;
    this.#count();
    this.#changed(null);
  }

  /** Take the changes of one frame. */
  apply(version, indexes, states) {
    this.version = version;
    for (let k = 0; k < indexes.length; k++)
      this.#move(indexes[k], () => (this.states[indexes[k]] = states[k]));
    if (indexes.length) this.#changed(indexes);
  }

  /** Mark which seats are his: pairs of [index, NOT_MINE | CONFIRMING | MINE | RELEASING]; the rest becomes NOT_MINE. */
  setMine(entries) {
    const next = new Map(entries);
    const changed = [];
    for (const i of new Set([...this.#own, ...next.keys()])) {
      const value = next.get(i) ?? NOT_MINE;
      if (this.mine[i] === value) continue;
      this.#move(i, () => {
        // What was his and is given back is free at once to him; the next change of the seat corrects it if not.
        if (value === NOT_MINE && this.mine[i] === RELEASING && this.states[i] !== BLOCKED)
          this.states[i] = FREE;
        this.mine[i] = value;
      });
      changed.push(i);
    }
    this.#own = [...next.keys()];
    if (changed.length) this.#changed(changed);
  }

  /** The seats he is giving back. */
  get leaving() {
    return this.#own.filter((i) => this.mine[i] === RELEASING);
  }

  /** Replace the filters: {tiers: Set|null, maxAmount: minor|null, accessible, hideTaken}. */
  setFilter(filter) {
    this.filter = { ...NO_FILTER, ...filter };
    const { tiers, maxAmount, accessible } = this.filter;
    const passes = this.tiers.map(
      (tier) => (!tiers || tiers.has(tier.number)) && (maxAmount === null || tier.amount <= maxAmount),
    );
    for (let i = 0; i < this.matching.length; i++) {
      this.matching[i] = Number(passes[this.tier[i]] && (!accessible || this.isAccessible(i)));
    }
    this.#count();
    this.#changed(null);
  }

  get isFiltered() {
    const { tiers, maxAmount, accessible, hideTaken } = this.filter;
    return tiers !== null || maxAmount !== null || accessible || hideTaken;
  }

  #changed(indexes) {
    this.dispatchEvent(new CustomEvent("change", { detail: { indexes } }));
  }

  #tally(i) {
    return this.matching[i] && this.isFree(i) ? this.freeIn[this.plan.sectionOf[i]] : null;
  }

  #move(i, change) {
    const before = this.#tally(i);
    if (before) before[this.tier[i]] -= 1;
    change();
    const after = this.#tally(i);
    if (after) after[this.tier[i]] += 1;
  }

  #count() {
    for (const counts of this.freeIn) counts.fill(0);
    for (let i = 0; i < this.plan.count; i++) {
      const counts = this.#tally(i);
      if (counts) counts[this.tier[i]] += 1;
    }
  }
}

/** Return a tier a category, for the picture of a plan without a sale. */
export function tiersOfPlan(plan) {
  return plan.categories.map(({ name, color }, number) => ({
    number,
    name,
    color,
    amount: 0,
    shape: TIER_SHAPES[number % TIER_SHAPES.length],
  }));
}
