/** The commands typed, newest last. What was being typed is kept as slot 0 while older ones are looked at. */
export class History {
  constructor(lines = [], limit = 500) {
    this.limit = limit;
    this.lines = lines.slice(-limit);
    this.at = 0;
    this.draft = "";
  }

  /** A line was sent. The same line twice in a row stands once. @param {string} line */
  add(line) {
    this.at = 0;
    this.draft = "";
    if (!line.trim() || line === this.lines.at(-1)) return;
    this.lines.push(line);
    if (this.lines.length > this.limit) this.lines.shift();
  }

  /**
   * One older.
   *
   * @param {string} typed what stands in the field @param {boolean} [alike] only one that begins as the draft does
   * @returns {string|null} what it should show; null if there is nothing older
   */
  older(typed, alike = false) {
    const draft = this.at === 0 ? typed : this.draft;
    for (let at = this.at + 1; at <= this.lines.length; at += 1) {
      const line = this.lines[this.lines.length - at];
      if (alike && !line.startsWith(draft)) continue;
      this.at = at;
      this.draft = draft;
      return line;
    }
    return null;
  }

  /** One newer; behind the newest comes the draft. @param {boolean} [alike] @returns {string|null} */
  newer(alike = false) {
    while (this.at > 0) {
      this.at -= 1;
      const line = this.at === 0 ? this.draft : this.lines[this.lines.length - this.at];
      if (!alike || line.startsWith(this.draft)) return line;
    }
    return null;
  }
}

/**
 * A line as it may be shown, with what is secret in it left out; null if nothing in it is.
 * `password` asks for the words itself, but some will type them behind it.
 *
 * @param {string} line
 * @returns {string|null}
 */
export function withoutSecret(line) {
  const found = /^\s*(passw\w*)\s+\S/i.exec(line);
  return found ? `${found[1]} •••` : null;
}
