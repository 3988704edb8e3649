/** Lines kept of each buffer. */
const KEPT = 500;

/** Buffers in their order, and the kinds of lines in each; no kinds: all of them. @type {[string, string[]][]} */
const BUFFERS = [
  ["all", []],
  ["room", ["room", "move", "item"]],
  ["combat", ["combat"]],
  ["talk", ["say", "emote", "channel"]],
  ["tells", ["tell"]],
];

/** What the game said, to be gone through line by line without looking. */
export class Review {
  #buffers = BUFFERS.map(([name, kinds]) => ({ name, kinds, lines: [], at: -1 }));
  #current = 0;

  /** @param {{kind: string, text: string}} line */
  add({ kind, text }) {
    for (const buffer of this.#buffers) {
      if (buffer.kinds.length && !buffer.kinds.includes(kind)) continue;
      buffer.lines.push(text);
      if (buffer.lines.length <= KEPT) continue;
      buffer.lines.shift();
      if (buffer.at > 0) buffer.at -= 1;
    }
  }

  /** One line on or back; the first step leads to the newest. @param {1|-1} way @returns {string|null} null: no lines */
  step(way) {
    const buffer = this.#buffers[this.#current];
    const last = buffer.lines.length - 1;
    if (last < 0) return null;
    buffer.at = buffer.at < 0 ? last : Math.min(last, Math.max(0, buffer.at + way));
    return buffer.lines[buffer.at];
  }

  /** To another buffer, at its newest line. @param {1|-1} way @returns {{name: string, count: number}} */
  turn(way) {
    this.#current = (this.#current + way + BUFFERS.length) % BUFFERS.length;
    const { name, lines } = this.#buffers[this.#current];
    this.#buffers[this.#current].at = -1;
    return { name, count: lines.length };
  }
}
