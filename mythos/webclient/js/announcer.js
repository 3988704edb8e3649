import { el } from "./el.js";

/** The language of the game's words. */
export const GAME = "en";

/** @typedef {{text: string, lang: string}} Spoken */

/**
 * What a screen reader hears. The log itself is silent, so that reading it never meets a second copy: here a line
 * comes once, in batches of one element each, and is gone after two seconds. Both regions stand in the page
 * before the first words.
 */
export class Announcer {
  #polite;
  #alert;
  /** @type {Spoken[]} */
  #batch = [];

  /** While it is true nothing is spoken but alerts and what is asked for. */
  paused = false;

  /** Milliseconds that lines are gathered, and that a batch stays. */
  static BATCH = 250;
  static STAY = 2000;

  constructor(polite, alert) {
    this.#polite = polite;
    this.#alert = alert;
  }

  /** Heard when the reader has finished what it says. @param {string} text @param {string} [lang] */
  speak(text, lang = GAME) {
    if (!this.paused) this.read(text, lang);
  }

  /** The same, for what somebody asked to hear. @param {string} text @param {string} [lang] */
  read(text, lang = GAME) {
    if (!text) return;
    if (this.#batch.push({ text, lang }) === 1) {
      setTimeout(() => {
        const lines = this.#batch;
        this.#batch = [];
        put(this.#polite, lines);
      }, Announcer.BATCH);
    }
  }

  /** Heard at once. @param {string} text @param {string} [lang] */
  alert(text, lang = GAME) {
    if (text) put(this.#alert, [{ text, lang }]);
  }
}

/** @param {HTMLElement} region @param {Spoken[]} lines */
function put(region, lines) {
  const spans = lines.map(({ text, lang }, n) => el("span", { lang }, n < lines.length - 1 ? `${text}\n` : text));
  const batch = el("div", {}, ...spans);
  region.append(batch);
  setTimeout(() => batch.remove(), Announcer.STAY);
}
