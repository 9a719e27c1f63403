/**
 * Keeps one event's seat states fresh: a snapshot by GET, then deltas by socket, polling while there is no socket.
 *
 * Free of the DOM, so that it runs in the worker (worker.js), or in the page where workers are not to be had.
 * The rule of continuity: states in a frame are absolute, so it is applied if it begins at or before our version and
 * ends after it; one that ends before is old; one that begins later means that we missed something, and the snapshot
 * is fetched again. Any snapshot that is not older replaces ours, also one of our own version: while the relay is
 * away a rebuilt one keeps the version.
 */

import { changesBetween, readFrame, readSnapshot } from "./plane.js";

/** How often seats are asked for while no socket stands; the seats slot is cached for one second. */
const POLL_MS = 2000;
/** A half-open socket looks quiet: every so often a conditional GET (mostly 304) proves that it is only quiet. */
const PROOF_MS = 30_000;
/** The edge may answer a second or two late: ask once more after the socket opened. */
const SETTLE_MS = 3000;
const GAP_MS = 1000;
/** Nothing is missed while polling, so even the first try takes its time: a whole hall may have lost its socket. */
const RETRY_FIRST_MS = 2000;
const RETRY_MOST_MS = 30_000;
/** The close code of a server that stops; its reason is after how many milliseconds to come back. */
const SERVICE_RESTART = 1012;
const PENDING_MOST = 256;
/** A snapshot older than ours is an edge running late; made this long after our last one, a server that began anew. */
const ANEW_MS = 5000;

export class Live {
  #seatsUrl;
  #socketUrl;
  #post;
  #socket = null;
  #opened = false;
  #etag = null;
  #states = null;
  #version = 0;
  #pending = [];
  #busy = false;
  #again = false;
  #made = { at: 0, here: 0 };
  #heardAt = 0;
  #gaps = 0;
  #misses = 0;
  #failures = 0;
  #pollMs = POLL_MS;
  #timers = new Map();
  #stale = false;
  #asleep = false;
  #offline = false;
  #stopped = false;
  #status = "";

  /**
   * `post` receives messages: {kind: "snapshot", version, states}, {kind: "changes", version, indexes, states},
   * {kind: "status", transport, stale, pollMs}, {kind: "notice", notice}. `transport` is socket, polling or offline.
   */
  constructor({ seatsUrl, socketUrl, post }) {
    this.#seatsUrl = seatsUrl;
    this.#socketUrl = socketUrl;
    this.#post = post;
  }

  start() {
    this.#refresh();
    this.#connect();
  }

  stop() {
    this.#stopped = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#socket?.close();
    this.#socket = null;
  }

  /** Fetch the snapshot now (after the organiser changed seats, or a resync). */
  refresh() {
    this.#refresh();
  }

  /** The browser went online or offline. */
  setOnline(online) {
    this.#offline = !online;
    if (online) {
      this.#failures = 0;
      this.#misses = 0;
      this.#refresh();
      this.#connect();
    }
    this.#tell();
  }

  /** A hidden page polls no more (its socket stays); a shown one catches up at once. */
  setVisible(visible) {
    this.#asleep = !visible;
    if (visible) {
      this.#refresh();
      this.#connect();
    }
  }

  #after(name, ms, act) {
    clearTimeout(this.#timers.get(name));
    this.#timers.set(
      name,
      setTimeout(() => {
        this.#timers.delete(name);
        if (!this.#stopped) act();
      }, ms),
    );
  }

  #tell() {
    const stale = this.#stale;
    const open = this.#socket?.readyState === 1;
    const transport = this.#offline || this.#misses > 1 ? "offline" : open ? "socket" : "polling";
    const pollMs = this.#pollMs;
    const status = `${transport} ${stale} ${pollMs}`;
    if (status !== this.#status) this.#post({ kind: "status", transport, stale, pollMs });
    this.#status = status;
  }

  // --- snapshot -----------------------------------------------------------------------------------------------

  async #refresh() {
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    try {
      const response = await fetch(this.#seatsUrl, {
        credentials: "omit",
        headers: this.#etag ? { "If-None-Match": this.#etag } : {},
      });
      if (response.status === 200) {
        this.#take(readSnapshot(await response.arrayBuffer()), response.headers.get("ETag"));
      } else if (response.status !== 304) {
        throw new Error(`Seats answered ${response.status}.`);
      }
      this.#misses = 0;
      this.#tell();
    } catch {
      this.#misses += 1;
      this.#tell();
    }
    this.#busy = false;
    this.#catchUp();
    this.#schedule();
  }

  #take(snapshot, etag) {
    const now = performance.now();
    const lastMadeAt = this.#made.at + this.#heardAt - this.#made.here;
    if (snapshot.version < this.#version && snapshot.madeAt < lastMadeAt + ANEW_MS) return;
    this.#made = { at: snapshot.madeAt, here: now };
    this.#heardAt = now;
    this.#etag = etag;
    const before = this.#states;
    this.#states = snapshot.states;
    this.#version = snapshot.version;
    const { version } = snapshot;
    if (before === null || before.length !== snapshot.states.length) {
      const states = snapshot.states.slice();
      this.#post({ kind: "snapshot", version, states }, [states.buffer]);
    } else {
      this.#send(version, changesBetween(before, snapshot.states));
    }
    this.#stale = snapshot.rebuilt;
  }

  #send(version, { indexes, states }) {
    this.#post({ kind: "changes", version, indexes, states }, [indexes.buffer, states.buffer]);
  }

  #schedule() {
    if (this.#again) {
      this.#again = false;
      // A copy of the snapshot may be a second old: after a gap, give it the time to catch up.
      const wait = this.#gaps > 1 ? GAP_MS * (0.7 + 0.6 * Math.random()) : 0;
      this.#after("poll", wait, () => this.#refresh());
    } else if (this.#socket?.readyState === 1) {
      this.#after("poll", PROOF_MS * (0.7 + 0.6 * Math.random()), () => this.#refresh());
    } else if (!this.#asleep) {
      const wait = this.#pollMs * Math.min(8, 2 ** Math.max(0, this.#misses - 2));
      this.#after("poll", wait * (0.85 + 0.3 * Math.random()), () => this.#refresh());
    }
  }

  // --- deltas -------------------------------------------------------------------------------------------------

  #catchUp() {
    const frames = this.#pending;
    this.#pending = [];
    if (this.#states === null) return;
    for (const frame of frames) this.#apply(frame);
  }

  #receive(frame) {
    if (!this.#busy && this.#states !== null) {
      this.#apply(frame);
      return;
    }
    if (this.#pending.length < PENDING_MOST) this.#pending.push(frame);
    else this.#again = true;
  }

  #apply(frame) {
    if (frame.to <= this.#version) return;
    if (frame.from > this.#version) {
      this.#gaps += 1;
      this.#again = true;
      if (!this.#busy) this.#schedule();
      return;
    }
    this.#gaps = 0;
    this.#heardAt = performance.now();
    for (let k = 0; k < frame.indexes.length; k++) {
      if (frame.indexes[k] < this.#states.length) this.#states[frame.indexes[k]] = frame.states[k];
    }
    this.#version = frame.to;
    this.#send(frame.to, frame);
  }

  // --- socket -------------------------------------------------------------------------------------------------

  #connect() {
    if (
      this.#stopped ||
      this.#offline ||
      this.#socket ||
      !this.#socketUrl ||
      typeof WebSocket === "undefined"
    )
      return;
    clearTimeout(this.#timers.get("socket"));
    let socket;
    try {
      socket = new WebSocket(this.#socketUrl);
    } catch {
      this.#lost(false);
      return;
    }
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.#failures = 0;
      this.#opened = true;
      this.#tell();
      // Between our GET and this moment frames may have passed: ask again, now and once the edge has caught up.
      this.#refresh();
      this.#after("settle", SETTLE_MS, () => this.#refresh());
    };
    socket.onmessage = ({ data }) => (typeof data === "string" ? this.#notice(data) : this.#frame(data));
    socket.onclose = ({ code, reason }) => {
      if (this.#socket !== socket) return;
      const told = code === SERVICE_RESTART && /^\d{1,5}$/.test(reason) ? Number(reason) : null;
      this.#lost(this.#opened, told);
    };
  }

  #frame(data) {
    try {
      this.#receive(readFrame(data));
    } catch {
      this.#refresh();
    }
  }

  /**
   * The socket is gone. One that `stood` had put polling off; a try that failed must not put it off again.
   * The server may have told in how many milliseconds to come back.
   */
  #lost(stood, told = null) {
    this.#socket = null;
    this.#opened = false;
    if (this.#stopped) return;
    const most = Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** this.#failures++);
    // Full jitter: when a server goes, everybody's socket goes at once, and must not return at once.
    this.#after("socket", told ?? most * (0.1 + 0.9 * Math.random()), () => this.#connect());
    this.#tell();
    if (stood && !this.#busy) this.#schedule();
  }

  #notice(text) {
    let notice;
    try {
      notice = JSON.parse(text);
    } catch {
      return;
    }
    if (notice.kind === "resync") this.#refresh();
    if (notice.kind === "degraded") {
      this.#pollMs = Math.max(POLL_MS, Number(notice.poll_ms) || POLL_MS);
      const socket = this.#socket;
      this.#failures = 6;
      this.#lost(true);
      socket?.close();
    }
    this.#post({ kind: "notice", notice });
  }
}
