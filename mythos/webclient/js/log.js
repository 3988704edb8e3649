import { el } from "./el.js";
import { say } from "./strings.js";

/** The role of a span or the kind of a line as a class; one that the stylesheet does not know is plain. @param {string} prefix @param {string|null} name */
const style = (prefix, name) => (/^[a-z-]+$/.test(name ?? "") ? `${prefix}-${name}` : "");

/**
 * @typedef {[string, string|null]} Span
 * @typedef {{kind: string, spans: Span[], id?: number, mark?: boolean, own?: boolean}} Line
 *   mark: it is to be seen at once; own: the client says it, in its language
 */

/** Lines in the page, and lines that survive a reload. */
const CAP = 5000;
const KEPT = 300;
/** Lines in one block: the browser neither lays out nor paints a full one that is out of sight. */
const BLOCK = 100;
/** Pixels from the end that still count as the end. */
const END = 8;

/** The visible log: one paragraph a line, text only. It follows the newest line unless its reader looked back. */
export class Log {
  #element;
  #button;
  /** @type {Line[]} */
  #kept = [];
  /** @type {HTMLElement[]} */
  #queue = [];
  /** @type {Map<number, HTMLElement>} places for a word behind a command that is not answered yet */
  #notes = new Map();
  #due = false;
  #count = 0;
  #new = 0;
  #top = 0;
  frozen = false;

  /** @param {HTMLElement} element @param {HTMLButtonElement} button shown while it is frozen and something came */
  constructor(element, button) {
    this.#element = element;
    this.#button = button;
    element.addEventListener("scroll", () => this.#look(), { passive: true });
    element.addEventListener("keydown", (event) => {
      if (event.key === "End") this.follow();
    });
    // words alone, a line for each line
    element.addEventListener("copy", (event) => {
      event.clipboardData?.setData("text/plain", String(getSelection()).replace(/\n\n/g, "\n"));
      event.preventDefault();
    });
    button.addEventListener("click", () => {
      this.follow();
      element.focus();
    });
    new ResizeObserver(() => {
      this.#settle([...element.children].filter((block) => block.classList.contains("full")));
      if (!this.frozen) this.follow();
    }).observe(element);
  }

  /** @param {Line} line @param {number} [id] of a command, for `note` */
  append(line, id) {
    const kind = style("kind", line.kind);
    const paragraph = el("p", { class: line.mark ? `${kind} marked` : kind, dir: "auto", lang: line.own ? say("language") : null });
    for (const [text, role] of line.spans) {
      paragraph.append(style("role", role) ? el("span", { class: style("role", role) }, text) : text);
    }
    if (!paragraph.textContent) paragraph.append("\u00a0");
    if (id !== undefined) {
      const note = el("span", { class: "note" });
      paragraph.append(note);
      this.#notes.set(id, note);
    }
    this.#kept.push(id === undefined ? line : { ...line, id });
    if (this.#kept.length > 2 * KEPT) this.#kept.splice(0, KEPT);
    this.#queue.push(paragraph);
    if (this.#queue.length > CAP) this.#queue.shift();
    if (!this.#due) {
      this.#due = true;
      // a hidden page gets no frames
      if (document.hidden) setTimeout(() => this.#flush(), 200);
      else requestAnimationFrame(() => this.#flush());
    }
  }

  /** Put a word behind a command's echo; `done`: it is the last. @param {number} id @param {string} word @param {boolean} done */
  note(id, word, done) {
    const note = this.#notes.get(id);
    if (!note) return;
    note.textContent = word ? ` ${word}` : "";
    if (done) this.#notes.delete(id);
  }

  /** The nth line from the end that the game said; empty if there is none. @param {number} n */
  last(n) {
    const said = this.#kept.filter((line) => line.kind !== "echo");
    return said.at(-n)?.spans.map(([text]) => text).join("") ?? "";
  }

  /** All lines in the page. @returns {HTMLElement[]} */
  lines() {
    this.#flush();
    return [...this.#element.querySelectorAll("p")];
  }

  /** The newest lines, for a reload. @returns {Line[]} */
  saved() {
    return this.#kept.slice(-KEPT);
  }

  /** Go to the newest line and stay there. */
  follow() {
    this.frozen = false;
    this.#new = 0;
    this.#button.hidden = true;
    this.#toEnd();
  }

  /** What this moves, nobody scrolled back: also if the log has become higher, so that its end lies further up. */
  #toEnd() {
    this.#element.scrollTop = this.#element.scrollHeight;
    this.#top = this.#element.scrollTop;
  }

  /** @param {number} pages negative: back */
  turn(pages) {
    this.#element.scrollTop += pages * 0.85 * this.#element.clientHeight;
  }

  #look() {
    const { scrollHeight, scrollTop, clientHeight } = this.#element;
    const back = scrollTop < this.#top;
    this.#top = scrollTop;
    // who is not at the end did not look back if only the page around the log has grown
    if (scrollHeight - scrollTop - clientHeight > END && (back || this.frozen)) this.frozen = true;
    else this.follow();
  }

  /** Let full blocks keep their height while they are out of sight. @param {Element[]} blocks */
  #settle(blocks) {
    for (const block of blocks) block.classList.remove("full");
    const heights = blocks.map((block) => block.getBoundingClientRect().height);
    blocks.forEach((block, n) => {
      block.style.containIntrinsicHeight = `${heights[n]}px`;
      block.classList.add("full");
    });
  }

  #flush() {
    this.#due = false;
    const lines = this.#queue;
    this.#queue = [];
    this.#count += lines.length;
    const full = [];
    for (let at = 0; at < lines.length; ) {
      const last = this.#element.lastElementChild;
      const block = last && last.childElementCount < BLOCK ? last : this.#element.appendChild(el("div", { class: "block" }));
      const room = BLOCK - block.childElementCount;
      block.append(...lines.slice(at, at + room));
      at += room;
      if (block.childElementCount === BLOCK) full.push(block);
    }
    this.#settle(full);
    for (; this.#count > CAP; this.#count -= 1) {
      const first = this.#element.firstElementChild;
      first?.firstElementChild?.remove();
      if (!first?.childElementCount) first?.remove();
    }
    if (!this.frozen) {
      this.#toEnd();
      return;
    }
    this.#new += lines.length;
    this.#button.textContent = say("newLines", { n: this.#new });
    this.#button.hidden = false;
  }
}
