import { Inbox, Outbox, PROBE } from "./resume.js";

/**
 * The link to one session: opens roads, comes back when they are lost, lets each record through once and sends each
 * command until it is answered. Time, chance and roads are handed in.
 *
 * Liveness: the pings of WebSocket and the comments of SSE are not shown to a page, so the link asks for itself: after
 * {@link QUIET} without a word it sends a command number that is far too high, which the server refuses at once and
 * without doing anything. No word for {@link ANSWER} after that: the link is dead, 24 s after the last word at the
 * most, or 13 s while a command waits.
 *
 * @typedef {object} Parts
 * @property {(kind: "websocket"|"sse", attach: import("./roads.js").Attach, hooks: import("./roads.js").Hooks) => import("./roads.js").Road} open
 * @property {() => Promise<boolean>} alive whether the server answers plain requests
 * @property {(refresh: string) => Promise<{token: string, refresh: string}>} renew rejects with a `status`; 401: no good
 * @property {{now: () => number, after: (ms: number, work: () => void) => (() => void)}} clock milliseconds
 * @property {() => number} random from 0 to 1
 * @property {() => void} keep called before records are acknowledged, and before a command leaves
 * @property {(event: Event) => void} on
 *
 * @typedef {import("./resume.js").Entry} Entry
 * @typedef {{type: "state", state: "connecting"|"live"|"lost"|"ended", road: "websocket"|"sse"}
 *   | {type: "hello", resumed: boolean, reason: string|null, missed: number}
 *   | {type: "record", record: any}
 *   | {type: "waiting", entries: Entry[]}
 *   | {type: "sent", entries: Entry[]}
 *   | {type: "answered", entry: Entry, error: string}
 *   | {type: "error", message: string}
 *   | {type: "ended", why: "denied"|"taken"|"bye", reason: string, unsent: Entry[], unsure: Entry[]}} Event
 */

/** Milliseconds for a road to open, and then for hello. */
const OPEN = 4000;
const GREET = 15_000;
/** Milliseconds without a word before we ask; while a command waits; for the answer. */
const QUIET = 15_000;
const QUIET_WAITING = 4000;
const ANSWER = 8000;
/** Milliseconds between looks at all this. */
const BEAT = 1000;
/** Acknowledge this often on each road (a POST costs more), or sooner when this many records came. */
const ACK = { websocket: 1000, sse: 5000 };
const ACK_RECORDS = 32;
const ACK_FASTEST = 250;
/** Two WebSockets that fail within TRIAL send us to the second road, for DETOUR at least. */
const TRIAL = 10_000;
const DETOUR = 60_000;
/** Bounds of the back-off, and how long a link must live to start it anew. */
const FIRST = 500;
const LONGEST = 10_000;
const STEADY = 5000;

export class Link {
  #parts;
  #inbox;
  #outbox;
  #token = "";
  #refresh = "";
  /** @type {import("./roads.js").Road|null} */
  #road = null;
  /** @type {"websocket"|"sse"} */
  #kind = "websocket";
  /** @type {"idle"|"connecting"|"live"|"lost"|"ended"} */
  state = "idle";
  /** @type {() => void} */
  #cancel = () => {};
  #attempt = 0;
  #renewed = false;
  /** @type {number[]} when WebSockets failed although the server answered */
  #failures = [];
  #detourEnds = 0;
  #liveAt = 0;
  #heardAt = 0;
  #askedAt = 0;
  #acked = 0;
  #ackedAt = 0;

  /** @param {Parts} parts @param {any} [saved] what `saved()` gave */
  constructor(parts, saved = {}) {
    this.#parts = parts;
    this.#inbox = new Inbox(saved.inbox);
    this.#outbox = new Outbox(saved.outbox);
    this.#token = saved.token ?? "";
    this.#refresh = saved.refresh ?? "";
  }

  /** Everything that another page needs to go on here. */
  saved() {
    const { session, epoch, last } = this.#inbox;
    return { token: this.#token, refresh: this.#refresh, inbox: { session, epoch, last }, outbox: this.#outbox.saved() };
  }

  /** Connect, with what a login gave or with what was saved. @param {{token: string, refresh: string}} [grant] */
  start(grant) {
    if (grant) {
      this.#token = grant.token;
      this.#refresh = grant.refresh;
    }
    this.#attempt = 0;
    this.#renewed = false;
    this.#connect();
  }

  /**
   * Send a line, now or when the link is back. Null if too many wait.
   *
   * @param {string} line @param {boolean} [secret] never kept
   * @returns {Entry|null}
   */
  submit(line, secret = false) {
    const entry = this.#outbox.add(line, secret);
    if (entry) this.#send();
    return entry;
  }

  /** The network is back, or the page is looked at again: do not wait. */
  nudge() {
    if (this.state === "lost") {
      this.#cancel();
      this.#connect();
    } else if (this.state === "live" && this.#askedAt <= this.#heardAt) this.#ask();
  }

  #connect() {
    const { clock, open } = this.#parts;
    this.#cancel();
    this.#kind = this.#choose();
    this.#become("connecting");
    const beat = () => {
      this.#beat();
      if (this.state === "live") this.#cancel = clock.after(BEAT, beat);
    };
    this.#cancel = clock.after(OPEN, () => this.#lost({}));
    this.#road = open(this.#kind, { t: "attach", token: this.#token, ...this.#inbox.place() }, {
      open: () => {
        this.#cancel();
        this.#cancel = clock.after(GREET, () => this.#lost({}));
      },
      frame: (frame) => {
        this.#heardAt = clock.now();
        if (frame.t === "hello") {
          this.#cancel();
          this.#cancel = clock.after(BEAT, beat);
        }
        this.#hear(frame);
      },
      lost: (why) => this.#lost(why),
    });
  }

  /** @returns {"websocket"|"sse"} */
  #choose() {
    const now = this.#parts.clock.now();
    if (now < this.#detourEnds) return "sse";
    this.#failures = this.#failures.filter((at) => now - at <= TRIAL);
    if (this.#failures.length < 2) return "websocket";
    this.#failures = [];
    this.#detourEnds = now + DETOUR;
    return "sse";
  }

  #hear(frame) {
    if (frame.s !== undefined) return this.#record(frame);
    const { on } = this.#parts;
    switch (frame.t) {
      case "hello":
        return this.#hello(frame);
      case "done":
        return this.#answered(this.#outbox.done(frame.c), "");
      case "refused":
        return this.#answered(this.#outbox.refused(frame.c, frame.error, frame.expect), frame.error);
      case "error":
        if (frame.error === "token") return this.#lost({ denied: true });
        return on({ type: "error", message: frame.message });
      case "bye":
        return this.#end(/^takeover/.test(frame.reason) ? "taken" : "bye", frame.reason);
      case "reconnect":
        return this.#lost({}, frame.after_ms);
    }
  }

  #hello(hello) {
    const { clock, on } = this.#parts;
    const other = this.#inbox.session !== "" && this.#inbox.session !== hello.session;
    const unsure = other ? this.#outbox.forsake() : [];
    this.#inbox.hello(hello);
    this.#outbox.hello(hello.next);
    this.#token = hello.token || this.#token;
    this.#renewed = false;
    this.#liveAt = clock.now();
    this.#askedAt = 0;
    this.#acked = this.#inbox.last ?? 0;
    for (const entry of unsure) on({ type: "answered", entry, error: "unsure" });
    this.#become("live");
    const { resumed, reason, missed } = hello;
    on({ type: "hello", resumed, reason, missed });
    this.#send();
    this.#parts.keep();
  }

  #record(record) {
    const verdict = this.#inbox.take(record);
    if (verdict === "hole") return this.#lost({});
    if (verdict === "new") this.#parts.on({ type: "record", record });
    const many = (this.#inbox.last ?? 0) - this.#acked >= ACK_RECORDS;
    if (many && this.#heardAt - this.#ackedAt >= ACK_FASTEST) this.#ack();
  }

  /** @param {Entry|null} entry @param {string} error */
  #answered(entry, error) {
    if (entry) this.#parts.on({ type: "answered", entry, error });
    this.#send();
  }

  #send() {
    if (this.state !== "live") return;
    const due = this.#outbox.due();
    if (!due.length) return;
    this.#parts.keep();
    for (const { c, line } of due) this.#road?.send({ c, line, ...this.#seen() });
    this.#parts.on({ type: "sent", entries: due });
  }

  #seen() {
    const { last } = this.#inbox;
    if (last === null || last <= this.#acked) return {};
    this.#acked = last;
    this.#ackedAt = this.#parts.clock.now();
    return { a: last };
  }

  #ack() {
    this.#parts.keep(); // what is acknowledged may be forgotten by the server: a reload must find it here
    const seen = this.#seen();
    if (seen.a) this.#road?.send(seen);
  }

  #ask() {
    this.#askedAt = this.#parts.clock.now();
    this.#road?.send({ c: PROBE, line: "" });
  }

  #beat() {
    const now = this.#parts.clock.now();
    if (this.#askedAt > this.#heardAt) {
      if (now - this.#askedAt > ANSWER) return this.#lost({});
    } else if (now - this.#heardAt > (this.#outbox.flying ? QUIET_WAITING : QUIET)) this.#ask();
    if ((this.#inbox.last ?? 0) > this.#acked && now - this.#ackedAt >= ACK[this.#kind]) this.#ack();
  }

  /** @param {import("./roads.js").Why} why @param {number} [after] milliseconds the server asks for */
  #lost(why, after = 0) {
    const { clock, random, alive, on } = this.#parts;
    const wasLive = this.state === "live";
    this.#drop();
    if (why.code === 4001) return this.#end("taken", why.reason ?? "");
    // a goodbye gives a reason: leaving a page, Firefox closes by itself and hears 1000 without one
    if (why.code === 1000 && why.reason && wasLive) return this.#end("bye", why.reason);
    if (why.denied) return void this.#renew();
    if (!wasLive && this.#kind === "websocket") {
      const at = clock.now();
      alive().then((answers) => answers && this.#failures.push(at));
    }
    if (!wasLive && this.#kind === "sse") this.#detourEnds = 0;
    this.#attempt = wasLive && clock.now() - this.#liveAt > STEADY ? 0 : this.#attempt + 1;
    this.#become("lost");
    on({ type: "waiting", entries: this.#outbox.waiting });
    const longest = Math.min(LONGEST, FIRST * 2 ** Math.min(this.#attempt, 10));
    this.#cancel = clock.after(after + random() * longest, () => this.#connect());
  }

  /** The token was refused: the refresh token may still be good. */
  async #renew() {
    if (!this.#refresh || this.#renewed) return this.#end("denied", "");
    this.#renewed = true;
    this.#become("connecting");
    try {
      const grant = await this.#parts.renew(this.#refresh);
      this.#token = grant.token;
      this.#refresh = grant.refresh;
      this.#parts.keep();
      this.#connect();
    } catch (problem) {
      if (problem.status === 401) return this.#end("denied", "");
      this.#renewed = false;
      this.#lost({});
    }
  }

  #drop() {
    this.#cancel();
    this.#road?.close();
    this.#road = null;
    this.#outbox.landed();
  }

  /** @param {"denied"|"taken"|"bye"} why @param {string} reason */
  #end(why, reason) {
    this.#drop();
    const waiting = this.#outbox.waiting;
    this.#become("ended");
    this.#parts.on({
      type: "ended",
      why,
      reason,
      unsent: waiting.filter((entry) => entry.c === 0),
      unsure: waiting.filter((entry) => entry.c !== 0),
    });
    if (why === "taken") return;
    this.#inbox = new Inbox();
    this.#outbox = new Outbox();
  }

  /** @param {"connecting"|"live"|"lost"|"ended"} state */
  #become(state) {
    this.state = state;
    this.#parts.on({ type: "state", state, road: this.#kind });
  }
}
