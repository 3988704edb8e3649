/**
 * What makes a cut link cost nothing. Pure: no socket, no clock.
 *
 * The server may send a record twice and we may send a command twice; {@link Inbox} lets each record through once,
 * {@link Outbox} keeps each command until it is answered, under a number that the server runs once.
 */

/** A number that no command ever has: the server answers it at once with `gap`, and so shows that it lives. */
export const PROBE = Number.MAX_SAFE_INTEGER;

/** Commands that may wait for their answer. */
const WAITING = 64;
/** Answered commands that are remembered, for a refusal that comes late. */
const ANSWERED = 64;
/** How often one command is given another number before it is given up. */
const TURNS = 8;

/** Where we stand in the session's history. */
export class Inbox {
  /** @param {{session?: string, epoch?: string, last?: number|null}} [saved] */
  constructor({ session = "", epoch = "", last = null } = {}) {
    this.session = session;
    this.epoch = epoch;
    this.last = last;
  }

  /** What an attach frame says of our place; empty if we have none. */
  place() {
    return this.last === null ? {} : { epoch: this.epoch, last: this.last };
  }

  /** @param {{session: string, epoch: string, resumed: boolean}} hello */
  hello(hello) {
    this.session = hello.session;
    this.epoch = hello.epoch;
    if (!hello.resumed) this.last = null;
  }

  /**
   * @param {{s: number, p?: number, t: string}} record
   * @returns {"new"|"old"|"hole"} hole: something before it never came; attach again from `last`
   */
  take(record) {
    if (this.last !== null) {
      if (record.s <= this.last) return "old";
      // a gap record says itself what is missing before it
      if (record.t !== "gap" && (record.p ?? record.s - 1) > this.last) return "hole";
    }
    this.last = record.s;
    return "new";
  }
}

/**
 * @typedef {object} Entry a command that is not answered yet
 * @property {number} id ours, never changes
 * @property {number} c its number; 0: none yet
 * @property {string} line
 * @property {boolean} secret kept in memory only
 * @property {boolean} flying sent on the connection of now
 * @property {number} turns how often the server wanted another number for it
 */

/** Commands on their way. */
export class Outbox {
  /** @type {Entry[]} in the order they were typed */
  waiting = [];
  /** @type {Map<number, Entry>} */
  #answered = new Map();
  #turnedBack = false;
  #ids = 0;
  next = 1;

  /** @param {{next?: number, waiting?: {id: number, c: number, line: string}[]}} [saved] */
  constructor({ next = 1, waiting = [] } = {}) {
    this.next = next;
    for (const { id, c, line } of waiting) {
      this.waiting.push({ id, c, line, secret: false, flying: false, turns: 0 });
      this.#ids = Math.max(this.#ids, id);
    }
  }

  /** Null if too many wait already. @param {string} line @param {boolean} [secret] @returns {Entry|null} */
  add(line, secret = false) {
    if (this.waiting.length >= WAITING) return null;
    const entry = { id: (this.#ids += 1), c: 0, line, secret, flying: false, turns: 0 };
    this.waiting.push(entry);
    return entry;
  }

  get flying() {
    return this.waiting.some((entry) => entry.flying);
  }

  /**
   * What is to be sent now, in order. After the server turned a number back nothing is, until all that fly came
   * down: else a number could stand for two commands at once.
   *
   * @returns {Entry[]}
   */
  due() {
    if (this.#turnedBack && this.flying) return [];
    this.#turnedBack = false;
    const due = this.waiting.filter((entry) => !entry.flying);
    for (const entry of due) {
      if (entry.c === 0) {
        entry.c = this.next;
        this.next += 1;
      }
      entry.flying = true;
    }
    return due;
  }

  /** The connection is gone; nobody knows what arrived. */
  landed() {
    for (const entry of this.waiting) entry.flying = false;
    this.#turnedBack = false;
  }

  /**
   * A new connection. What has a number below the one expected was taken: it is sent again under the same number, for
   * its answer. What has a higher one never was, and gets numbers from there on.
   *
   * @param {number} expected
   */
  hello(expected) {
    this.landed();
    this.next = expected;
    for (const entry of this.waiting) if (entry.c >= expected) entry.c = 0;
  }

  /** Another session: what was sent to the old one cannot be asked for. @returns {Entry[]} what was given up */
  forsake() {
    const lost = this.waiting.filter((entry) => entry.c !== 0);
    this.waiting = this.waiting.filter((entry) => entry.c === 0);
    this.#answered.clear();
    return lost;
  }

  /** @param {number} c @returns {Entry|null} the command that this answers; null if it is none of ours */
  done(c) {
    if (c !== PROBE) this.next = Math.max(this.next, c + 1);
    return this.#answer(c);
  }

  /**
   * @param {number} c @param {string} error @param {number} [expect]
   * @returns {Entry|null} the command that was refused for good; null if it will be sent again or is none of ours
   */
  refused(c, error, expect) {
    if (c === PROBE) return null;
    if ((error !== "gap" && error !== "taken") || expect === undefined) return this.#answer(c);
    this.next = expect;
    let entry = this.waiting.find((one) => one.c === c);
    if (!entry && error === "taken") {
      // another tab's answer to the same number came first and was taken for ours
      entry = this.#answered.get(c);
      this.#answered.delete(c);
      if (entry) this.waiting.unshift(entry);
    }
    if (!entry) return null;
    entry.turns += 1;
    if (entry.turns > TURNS) return this.#answer(c);
    entry.c = 0;
    entry.flying = false;
    this.#turnedBack = true;
    return null;
  }

  /** @param {number} c @returns {Entry|null} */
  #answer(c) {
    const entry = this.waiting.find((one) => one.c === c);
    if (!entry) return null;
    this.waiting = this.waiting.filter((one) => one !== entry);
    entry.flying = false;
    this.#answered.set(c, entry);
    this.#answered.delete(c - ANSWERED);
    return entry;
  }

  /** Without secrets. */
  saved() {
    const waiting = this.waiting.filter((entry) => !entry.secret).map(({ id, c, line }) => ({ id, c, line }));
    return { next: this.next, waiting };
  }
}
