// Counts down every [data-countdown="<seconds since 1970>"]: fills its [data-countdown-text] once a second, and when the
// time has come shows [data-countdown-over] instead. Without scripts the date written beside it stands.

const UNITS = [
  ["day", 86_400],
  ["hr", 3_600],
  ["min", 60],
  ["sec", 1],
];

/** Write the seconds left as parts people read: 2 days 03 hr 04 min, and seconds only in the last day. */
export function parts(seconds) {
  let left = Math.max(0, Math.ceil(seconds));
  const found = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count || found.length || unit === "min" || unit === "sec") found.push({ unit, count });
  }
  return found.slice(0, 3);
}

/** Show the time left in `element` without making new nodes while the units stay the same. */
export function write(element, seconds) {
  const shown = parts(seconds);
  const units = shown.map((part) => part.unit).join();
  if (element.dataset.units !== units) {
    element.dataset.units = units;
    element.replaceChildren(
      ...shown.map((part) => {
        const item = document.createElement("span");
        item.className = "clock__part";
        item.append(document.createElement("b"), document.createElement("small"));
        return item;
      }),
    );
  }
  shown.forEach(({ unit, count }, index) => {
    const [number, label] = element.children[index].children;
    number.textContent = index ? String(count).padStart(2, "0") : String(count);
    label.textContent = unit === "day" && count !== 1 ? "days" : unit;
  });
  element.hidden = false;
}

function start(root) {
  const until = Number(root.dataset.countdown);
  const text = root.querySelector("[data-countdown-text]");
  const over = root.querySelector("[data-countdown-over]");
  const tick = () => {
    const left = until - Date.now() / 1000;
    if (left <= 0) {
      for (const child of root.children) child.hidden = child !== over;
      return;
    }
    write(text, left);
    setTimeout(tick, (left % 1) * 1000 + 5);
  };
  tick();
}

document.querySelectorAll("[data-countdown]").forEach(start);
