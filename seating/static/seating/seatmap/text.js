/** Words for people: money, times, seat names. */

/** Return a function that writes minor units of `currency` for `locale`: 4500 -> "€45", 4550 -> "€45.50". */
export function moneyWriter(currency, locale) {
  // Made with the first amount, which costs a phone thirty milliseconds.
  let writer = null;
  let unit = 1;
  return (amount) => {
    if (!writer) {
      writer = new Intl.NumberFormat(locale, {
        style: "currency",
        currency,
        trailingZeroDisplay: "stripIfInteger",
      });
      unit = 10 ** writer.resolvedOptions().maximumFractionDigits;
    }
    return writer.format(amount / unit);
  };
}

/** Return "3:07" for 187,000 ms left, never below "0:00"; rounded down, so that it never promises more than there is. */
export function clock(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Return "2 days 3 hours", "9 minutes 5 seconds": the two largest units of a countdown. */
export function countdown(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const parts = [
    [Math.floor(seconds / 86400), "day"],
    [Math.floor(seconds / 3600) % 24, "hour"],
    [Math.floor(seconds / 60) % 60, "minute"],
    [seconds % 60, "second"],
  ];
  const from = Math.max(
    0,
    Math.min(
      2,
      parts.findIndex(([n]) => n > 0),
    ),
  );
  const start = seconds < 60 ? 3 : from;
  return parts
    .slice(start, start + 2)
    .map(([n, unit]) => plural(n, unit))
    .join(" ");
}

/** Return "1 seat", "3 seats". */
export function plural(n, noun) {
  return `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
}

/** Return "Block 101, row C, seat 12", or the section's name for a standing place. */
export function seatName(seat) {
  if (!seat.row && !seat.number) return seat.section;
  return `${seat.section}, row ${seat.row}, seat ${seat.number}`;
}

/** Return 4 seats of one row as "row C, seats 9-12"; of several rows as "4 seats in Block 101". */
export function groupName(seats) {
  const [first] = seats;
  const together = seats.every((seat) => seat.row === first.row && seat.section === first.section);
  if (!together) return `${plural(seats.length, "seat")} in ${first.section}`;
  if (first.standing) return `${plural(seats.length, "place")} in ${first.section}`;
  const numbers = seats.map((seat) => seat.number);
  const span = seats.length > 1 ? `seats ${numbers[0]}\u2013${numbers.at(-1)}` : `seat ${numbers[0]}`;
  return `${first.section}, row ${first.row}, ${span}`;
}
