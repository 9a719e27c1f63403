/** The purchase API's holds, as promises: resolve with the hold, or reject with a `Refusal`. */

const TRIES = 4;
const FIRST_WAIT_MS = 250;
const DEADLINE_MS = 10_000;
/** Refusals that ask for the same request again, with the same key. */
const AGAIN = new Set(["idempotency_running", "server_busy"]);

/** What the server said no to: `code` is the problem's name (seats_taken, limit_reached, ...), `extra` all of it. */
export class Refusal extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || "The box office refused this.");
    this.status = status;
    this.code = problem.code || "unknown";
    this.extra = problem;
  }
}

/** Return a fresh UUID; `randomUUID` exists in secure contexts only, and a box office on a LAN has none. */
export function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export class HoldApi {
  /** `holdsUrl` is the event's `/api/v1/events/<id>/holds`; `renew` fetches a new CSRF token when ours is refused. */
  constructor({ holdsUrl, renew }) {
    this.holdsUrl = holdsUrl;
    this.oneUrl = holdsUrl.replace(/events\/[^/]+\/holds\/?$/, "holds/");
    this.renew = renew;
    this.csrf = "";
  }

  /** Hold every seat of `seats` or none. */
  hold(seats, presaleCode) {
    return this.#post(this.holdsUrl, { seats, ...code(presaleCode) });
  }

  /** Hold the best seats: {quantity, max_amount, tiers, section, accessible}. */
  best(wish, presaleCode) {
    return this.#post(this.holdsUrl, { best: wish, ...code(presaleCode) });
  }

  /** Hold `quantity` places of standing section `section`. */
  standing(section, quantity, presaleCode) {
    return this.#post(this.holdsUrl, { standing: { section, quantity }, ...code(presaleCode) });
  }

  /** Give back `seats` of a hold, or all of it with null. Resolves with {hold: null | {...}}. */
  release(holdId, seats) {
    return this.#post(`${this.oneUrl}${holdId}/release`, { seats });
  }

  /** Prolong a hold, once. */
  extend(holdId) {
    return this.#post(`${this.oneUrl}${holdId}/extend`, {});
  }

  async #post(url, body) {
    const key = newKey();
    let renewed = false;
    for (let attempt = 1; ; attempt++) {
      let refusal;
      let wait = FIRST_WAIT_MS * 2 ** (attempt - 1) * (0.5 + Math.random());
      try {
        const response = await this.#send(url, key, body);
        if (response.ok) return await response.json();
        refusal = new Refusal(response.status, await response.json().catch(() => ({})));
        wait = Math.max(wait, 1000 * Number(response.headers.get("Retry-After") || 0));
      } catch {
        // No answer: it may or may not have been done. The same key again makes asking twice harmless.
        refusal = new Refusal(0, {
          code: "unreachable",
          title: "The box office cannot be reached. Check your connection.",
        });
      }
      if (refusal.code === "csrf_failed" && !renewed) {
        renewed = true;
        await this.renew();
        continue;
      }
      const again =
        refusal.status === 0 || AGAIN.has(refusal.code) || refusal.status === 502 || refusal.status === 504;
      if (!again || attempt >= TRIES || wait > DEADLINE_MS) throw refusal;
      await pause(wait);
    }
  }

  #send(url, key, body) {
    return fetch(url, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", "Idempotency-Key": key, "X-CSRF-Token": this.csrf },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
  }
}

function code(presaleCode) {
  return presaleCode ? { presale_code: presaleCode } : {};
}
