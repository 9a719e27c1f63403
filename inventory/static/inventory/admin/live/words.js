/** Figures in words: one place that knows the unit of each. */

const SHARE = new Intl.NumberFormat("en-GB", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const PLAIN = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const EXACT = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 1 });

export const NOTHING = "–";

export const VERDICTS = {
  met: ["✓", "met"],
  missed: ["✕", "missed"],
  quiet: ["–", "too little to judge"],
  watched: ["", ""],
};

/** Family -> its name, what it is, and what it means that no read of it was counted. */
export const FAMILIES = {
  shell: ["Event page", "title, dates, prices", "Nothing reached the origin."],
  listing: ["Listings", "what is on, searches", "Nothing reached the origin."],
  plan: ["Plan", "where every seat is", "Immutable: what the edge lacks, each process keeps."],
  seats: ["Seats", "who is free", "Nobody asked."],
  me: ["Me", "a fan's own hold", "Nobody asked but new fans, who have nothing yet."],
};

export const TIERS = {
  lru: "this process",
  copy: "Redis copy",
  page_cache: "page cache",
  rebuilt: "rebuilt copy",
  gutter: "gutter",
  render: "rendered",
  database: "database",
  stale: "stale",
};

export function number(value) {
  if (value === null) return NOTHING;
  if (value > 0 && value < 0.05) return "< 0.1";
  return value < 10 ? EXACT.format(value) : PLAIN.format(value);
}

export const percent = (value) => `${PLAIN.format(value * 100)}\u00a0%`;
export const perSecond = (value) => `${number(value)} / s`;

/** Returns [tier, count] pairs, the tier nearest to the reader first. */
export function inOrder(tiers) {
  const order = Object.keys(TIERS);
  return [...tiers].sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
}

/** Writes a part of a whole. */
export const part = (value) => `${value > 0 && value < 0.0005 ? "< 0.1" : SHARE.format(value * 100)}\u00a0%`;

/** Writes a share with a decimal, rounded down: 99.96 % has not become all of it. */
export const share = (value) => (value === null ? NOTHING : `${SHARE.format(Math.floor(value * 1000) / 10)}\u00a0%`);
export const bytes = (value) => (value ? `${PLAIN.format(value / 1e6)} MB` : NOTHING);

export function seconds(value) {
  if (value === null) return NOTHING;
  return value < 1 ? `${PLAIN.format(value * 1000)} ms` : `${EXACT.format(value)} s`;
}

export function duration(value) {
  if (value < 60) return `${Math.round(value)} s`;
  if (value < 3600) return `${Math.floor(value / 60)} min`;
  if (value < 86400) return `${Math.floor(value / 3600)} h`;
  return `${Math.floor(value / 86400)} d`;
}

/** Returns how a figure of the headline is written. */
export function written(name, value) {
  if (name === "views" || name === "slots") return perSecond(value);
  return name === "reads_per_thousand" ? number(value) : seconds(value);
}
