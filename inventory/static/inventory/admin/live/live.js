/** The live page: asks for the figures every two seconds, and shows what came. */

import { h, replace, verdict } from "./dom.js";
import { drawSparkline } from "./sparkline.js";
import * as words from "./words.js";

const POLL_MS = 2000;
const GIVE_UP_MS = 5000;
const LONGEST_WAIT_MS = 16_000;
const DRAWN = 150;
const ROW_SLOTS = 15; // A row of the table: half a minute.

const root = document.querySelector("[data-live]");
const part = (name) => root.querySelector(`[data-live-${name}]`);
const line = new Map(); // Name of a figure -> its values, oldest first.
let last = null; // The latest slot that is drawn.
let lost = 0;
let timer = 0;

async function poll() {
  clearTimeout(timer);
  if (document.hidden) return;
  try {
    const address = last === null ? root.dataset.live : `${root.dataset.live}?since=${last}`;
    const answer = await fetch(address, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(GIVE_UP_MS) });
    if (answer.redirected || answer.status === 403) return leave();
    if (!answer.ok) throw new Error(String(answer.status));
    show(await answer.json());
    lost = 0;
  } catch {
    lost += 1;
    if (lost > 1) lose();
  }
  timer = setTimeout(poll, Math.min(POLL_MS * 2 ** Math.max(0, lost - 1), LONGEST_WAIT_MS));
}

function show(now) {
  root.dataset.state = now.alive;
  const isThere = now.alive === "yes";
  part("empty").hidden = isThere;
  part("figures").hidden = !isThere;
  if (!isThere) return empty(now.alive);
  keep(now);
  const silent = now.processes.filter((process) => process.silent);
  const heard = now.processes.length - silent.length;
  part("told").textContent = `${heard} ${heard === 1 ? "process" : "processes"} heard. Updated ${clock(now.at)}.`;
  notice(silent.length ? [`${list(silent.map((one) => `${one.kind} (${one.where})`))} went silent. A process that ends in order says so: this was killed, or hangs.`] : []);
  headline(now.headline);
  facts(now.facts);
  reads(now);
  hot(now.hot);
  processes(now.processes);
  past(now);
}

/** Adds the slots that came to those that are drawn. */
function keep(now) {
  for (const [name, values] of Object.entries(now.points)) {
    const before = last === null || now.last - last >= DRAWN ? [] : line.get(name) ?? [];
    line.set(name, [...before, ...values].slice(-DRAWN));
  }
  last = now.last;
}

function headline(figures) {
  const place = part("headline");
  if (!place.childElementCount) {
    place.append(
      ...figures.map((figure) =>
        h("div", { class: "bo-tile live-tile", "data-figure": figure.name }, [
          h("p", { class: "bo-tile__name" }, [figure.title]),
          h("p", { class: "bo-tile__number" }),
          h("p", { class: "live-tile__target" }),
          h("svg", { class: "live-line" }),
        ]),
      ),
    );
  }
  for (const figure of figures) {
    const tile = place.querySelector(`[data-figure="${figure.name}"]`);
    tile.dataset.verdict = figure.verdict;
    tile.querySelector(".bo-tile__number").textContent = words.written(figure.name, figure.value);
    const target = figure.target === null ? [] : [h("span", {}, [`at most ${words.written(figure.name, figure.target)}`]), verdict(figure.verdict)];
    replace(tile.querySelector(".live-tile__target"), target);
    drawSparkline(tile.querySelector(".live-line"), line.get(figure.name) ?? [], figure.target);
  }
}

function facts(found) {
  replace(
    part("facts"),
    found.map((fact) => h("div", { class: "live-fact", "data-verdict": fact.verdict }, [h("dt", {}, [fact.title]), h("dd", {}, [sign(fact.verdict), fact.text])])),
  );
}

/** Writes the sign of a fact; its text says by itself what is true, the sign whether that is well. */
function sign(name) {
  const [mark] = words.VERDICTS[name];
  return mark ? h("span", { class: "live-sign" }, [h("span", { "aria-hidden": "true" }, [mark]), h("span", { class: "live-unseen" }, [name === "missed" ? "Not well: " : "Well: "])]) : "";
}

function reads(now) {
  replace(
    part("reads"),
    Object.entries(words.FAMILIES).map(([family, [title, about, nothing]]) => {
      const tiers = words.inOrder(Object.entries(now.tiers[family] ?? {})).filter(([, count]) => count);
      const all = tiers.reduce((sum, [, count]) => sum + count, 0);
      return h("section", { class: "live-read" }, [
        h("header", { class: "live-read__head" }, [h("h3", {}, [title]), h("p", { class: "bo-soft" }, [about])]),
        h("div", { class: "live-read__shares" }, now.shares.filter((one) => one.name === family).map(shareRow)),
        h("div", { class: "live-read__tiers" }, all ? [strip(tiers, all), key(tiers, all, now.seconds)] : [h("p", { class: "bo-soft" }, [nothing])]),
      ]);
    }),
  );
}

function shareRow(figure) {
  const bar = h("svg", { class: "live-meter", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" }, [
    h("rect", { class: "live-meter__ground", width: "100", height: "10" }),
    h("rect", { class: "live-meter__value", width: String(100 * (figure.value ?? 0)), height: "10" }),
    ...(figure.target === null ? [] : [h("path", { class: "live-meter__target", d: `M${100 * figure.target} 0V10` })]),
  ]);
  return h("div", { class: "live-share", "data-verdict": figure.verdict }, [
    h("p", { class: "live-share__name" }, [figure.title]),
    bar,
    h("p", { class: "live-share__value bo-num" }, [words.share(figure.value)]),
    h("p", { class: "live-share__target" }, figure.target === null ? ["no target"] : [h("span", {}, [`at least ${words.percent(figure.target)}`]), verdict(figure.verdict)]),
  ]);
}

function strip(tiers, all) {
  let from = 0;
  return h(
    "svg",
    { class: "live-strip", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
    tiers.map(([tier, count]) => {
      const width = (100 * count) / all;
      const part = h("rect", { class: `live-tier live-tier--${tier}`, x: String(from), width: String(width), height: "10" });
      from += width;
      return part;
    }),
  );
}

function key(tiers, all, seconds) {
  return h(
    "ul",
    { class: "live-key" },
    tiers.map(([tier, count]) =>
      h("li", {}, [
        h("svg", { class: "live-key__swatch", viewBox: "0 0 10 10", "aria-hidden": "true" }, [h("rect", { class: `live-tier live-tier--${tier}`, width: "10", height: "10", rx: "2" })]),
        h("span", {}, [words.TIERS[tier] ?? tier]),
        h("span", { class: "bo-num" }, [`${words.part(count / all)} · ${words.perSecond(count / seconds)}`]),
      ]),
    ),
  );
}

function hot(events) {
  const most = events[0]?.per_second ?? 1;
  replace(
    part("hot"),
    events.length
      ? events.map((event) =>
          h("li", { class: "live-hot" }, [
            h("p", { class: "live-hot__name" }, [event.url ? h("a", { href: event.url }, [event.name]) : event.name, " ", h("span", { class: "bo-soft" }, [event.about])]),
            h("span", { class: "bo-num" }, [words.perSecond(event.per_second)]),
            h("svg", { class: "live-meter", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" }, [
              h("rect", { class: "live-meter__ground", width: "100", height: "10" }),
              h("rect", { class: "live-meter__value", width: String((100 * event.per_second) / most), height: "10" }),
            ]),
          ]),
        )
      : [h("li", { class: "bo-empty" }, [h("p", {}, ["Nobody is looking at seats."])])],
  );
}

function processes(all) {
  part("count").textContent = `${all.filter((process) => !process.silent).length} of ${all.length} heard`;
  replace(
    part("processes"),
    all.map((process) =>
      h("tr", { "data-verdict": process.silent ? "missed" : "met" }, [
        h("th", { scope: "row" }, [process.kind, " ", h("span", { class: "bo-soft" }, [process.where])]),
        h("td", { class: "bo-right bo-num" }, [words.duration(process.up)]),
        h("td", { class: "bo-right bo-num" }, [words.percent(process.cpu)]),
        h("td", { class: "bo-right bo-num" }, [words.bytes(process.memory)]),
        h("td", {}, [
          process.silent ? h("span", { class: "bo-badge bo-badge--failed" }, [`✕ silent for ${words.duration(process.beat)}`]) : h("span", { class: "bo-num" }, [`${words.duration(process.beat)} ago`]),
          ...(process.leads && !process.silent ? [" ", h("span", { class: "bo-badge bo-badge--open" }, ["leads"])] : []),
        ]),
      ]),
    ),
  );
}

/** The same lines in numbers: each row the middle of half a minute. */
function past(now) {
  if (!part("past").closest("details").open) return;
  const names = now.headline.map((figure) => figure.name);
  replace(part("past-head"), [h("tr", {}, [h("th", { scope: "col" }, ["From"]), ...now.headline.map((figure) => h("th", { scope: "col", class: "bo-right" }, [figure.title]))])]);
  const length = line.get(names[0])?.length ?? 0;
  const rows = [];
  for (let end = length; end > 0; end -= ROW_SLOTS) {
    const begin = Math.max(0, end - ROW_SLOTS);
    const from = (last - (length - 1) + begin) * now.step;
    rows.push(
      h("tr", {}, [
        h("th", { scope: "row", class: "bo-num" }, [clock(from)]),
        ...names.map((name) => h("td", { class: "bo-right bo-num" }, [words.written(name, middle(line.get(name).slice(begin, end)))])),
      ]),
    );
  }
  replace(part("past"), rows);
}

function middle(values) {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b);
  return known.length ? known[Math.floor(known.length / 2)] : null;
}

function empty(alive) {
  last = null;
  part("told").textContent = alive === "redis" ? "Redis does not answer." : "No pulse.";
  part("empty-title").textContent = alive === "redis" ? "Redis does not answer" : "No pulse yet";
  part("empty-text").textContent =
    alive === "redis"
      ? "The figures of this page travel through Redis. Sales go on without it: the database decides. Prometheus still reads each process."
      : "No process has told of itself in the last minute. Processes do so two seconds after they start.";
  notice([]);
}

function lose() {
  root.dataset.state = "lost";
  notice([`The back office does not answer. What you see is from before; asking again${last === null ? "" : " soon"}.`]);
}

function leave() {
  root.dataset.state = "lost";
  notice(["You are signed out, or may not see this any more. Reload the page to sign in."]);
}

/** Says what is wrong, once: what has not changed is not read out again. */
function notice(lines) {
  const place = part("notice");
  const text = lines.join(" ");
  if (place.textContent === text) return;
  replace(place, lines.length ? [h("div", { class: "bo-notice bo-notice--bad" }, lines.map((one) => h("p", {}, [one])))] : []);
}

const clock = (at) => new Date(at * 1000).toLocaleTimeString("en-GB");
const list = (names) => new Intl.ListFormat("en-GB").format(names);

document.addEventListener("visibilitychange", poll);
part("past").closest("details").addEventListener("toggle", poll);
poll();
