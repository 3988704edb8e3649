import { el } from "./el.js";

/**
 * What a screen reader hears. The log itself is silent, so that reading it never meets a second copy: here a line
 * comes once, in batches of one element each, and is gone after two seconds. Both regions stand in the page
 * before the first words.
 */
export class Announcer {
  #polite;
  #alert;
  /** @type {string[]} */
  #batch = [];

  /** Milliseconds that lines are gathered, and that a batch stays. */
  static BATCH = 250;
  static STAY = 2000;

  /** @param {HTMLElement} polite @param {HTMLElement} alert */
  constructor(polite, alert) {
    this.#polite = polite;
    this.#alert = alert;
  }

  /** Heard when the reader has finished what it says. @param {string} text */
  speak(text) {
    if (!text) return;
    if (this.#batch.push(text) === 1) {
      setTimeout(() => {
        const lines = this.#batch;
        this.#batch = [];
        put(this.#polite, lines);
      }, Announcer.BATCH);
    }
  }

  /** Heard at once. @param {string} text */
  alert(text) {
    if (text) put(this.#alert, [text]);
  }
}

/** @param {HTMLElement} region @param {string[]} lines */
function put(region, lines) {
  const batch = el("div", {}, lines.join("\n"));
  region.append(batch);
  setTimeout(() => batch.remove(), Announcer.STAY);
}
