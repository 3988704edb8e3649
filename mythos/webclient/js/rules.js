/**
 * What a player lets the client do by itself. Nothing here is a program: words are looked for and commands are sent.
 *
 * `does` is one command a line. In an alias `%1` to `%9` are the words behind its name and `%*` is all of them; in a
 * trigger they are what stood where its pattern has a `*`.
 *
 * @typedef {{name: string, does: string}} Alias
 * @typedef {{match: string, does: string, mark: boolean, hide: boolean, call: boolean}} Trigger
 *   `match` is found anywhere in a line, capitals or not; a `*` in it stands for any words; `call`: by
 *   sound or notification, if those are on
 * @typedef {{label: string, key: string, does: string}} Macro
 * @typedef {{every: number, does: string, on: boolean}} Timer `every`: seconds
 * @typedef {{aliases: Alias[], triggers: Trigger[], macros: Macro[], timers: Timer[]}} RuleSet
 */

/** Bounds: rules of each kind, letters of a name or pattern, letters of `does`, commands in it, seconds of a timer. */
export const LIMITS = { rules: 100, name: 200, does: 1000, commands: 20, fastest: 5, slowest: 86_400 };
/** Keys that a macro may have: by `KeyboardEvent.key`, or by `code` on the number pad. */
export const KEYS = [
  "F2", "F3", "F4", "F6", "F7", "F8", "F9", "F10",
  ...Array.from({ length: 10 }, (_, n) => `Numpad${n}`), "NumpadAdd", "NumpadSubtract", "NumpadDecimal",
];
/** Commands that triggers and timers may send within PERIOD milliseconds. More: they stop. */
export const MOST = 30;
const PERIOD = 10_000;

/** Fields of each kind: how they are read. */
const SHAPES = {
  aliases: { name: "word", does: "does" },
  triggers: { match: "name", does: "maybe", mark: "switch", hide: "switch", call: "switch" },
  macros: { label: "name", key: "key", does: "does" },
  timers: { every: "seconds", does: "does", on: "switch" },
};

/** @returns {RuleSet} */
export const none = () => ({ aliases: [], triggers: [], macros: [], timers: [] });

/** A rule that cannot be. `at` says which: the kind, the place in its list from 0, the field. */
export class Wrong extends Error {
  /** @param {string} code a key of the strings @param {{kind?: string, place?: number, field?: string}} [at] */
  constructor(code, at = {}) {
    super(code);
    this.code = code;
    this.at = at;
  }
}

/**
 * Rules as they came from a form, a file or the storage; nothing of another shape comes through.
 *
 * @param {any} data @returns {RuleSet} @throws {Wrong}
 */
export function readRules(data) {
  if (typeof data !== "object" || data === null || Array.isArray(data)) throw new Wrong("wrongFile");
  const rules = none();
  for (const [kind, shape] of Object.entries(SHAPES)) {
    const list = data[kind] ?? [];
    if (!Array.isArray(list)) throw new Wrong("wrongFile", { kind });
    if (list.length > LIMITS.rules) throw new Wrong("wrongCount", { kind });
    rules[kind] = list.map((one, place) =>
      Object.fromEntries(
        Object.entries(shape).map(([field, how]) => {
          const value = READ[how](one?.[field]);
          if (value === null) throw new Wrong(`wrong_${how}`, { kind, place, field });
          return [field, value];
        }),
      ),
    );
  }
  const names = rules.aliases.map((one) => one.name.toLowerCase());
  const twice = names.findIndex((name, n) => names.indexOf(name) < n);
  if (twice >= 0) throw new Wrong("wrong_twice", { kind: "aliases", place: twice, field: "name" });
  return rules;
}

/** @type {Record<string, (value: any) => any>} each gives null for what cannot be */
const READ = {
  word: (value) => (typeof value === "string" && /^[^\s;]{1,20}$/.test(value.trim()) ? value.trim() : null),
  name: (value) => text(value, LIMITS.name),
  does: (value) => (text(value, LIMITS.does) && commands(value).length <= LIMITS.commands ? value.trim() : null),
  maybe: (value) => (value === undefined || value === "" ? "" : READ.does(value)),
  key: (value) => (value === undefined || value === "" || KEYS.includes(value) ? value ?? "" : null),
  seconds: (value) => (Number.isInteger(value) && value >= LIMITS.fastest && value <= LIMITS.slowest ? value : null),
  switch: (value) => (value === undefined ? false : typeof value === "boolean" ? value : null),
};

function text(value, most) {
  const found = typeof value === "string" ? value.trim() : "";
  return found && found.length <= most ? found : null;
}

export const commands = (does) => does.split("\n").map((line) => line.trim()).filter(Boolean);

/**
 * Find a pattern in a line. Each piece is looked for once, from where the one before ended: the time rises with the
 * length of the line and nothing else.
 *
 * @param {string} pattern @param {string} line
 * @returns {string[]|null} the words that each `*` stands for; null: it is not there
 */
export function find(pattern, line) {
  const low = line.toLowerCase();
  const pieces = pattern.toLowerCase().split("*");
  const stars = [];
  let at = 0;
  for (let n = 0; n < pieces.length; n += 1) {
    const last = n > 0 && n === pieces.length - 1 && pieces[n] === "";
    const place = last ? low.length : low.indexOf(pieces[n], at);
    if (place < 0) return null;
    if (n > 0) stars.push(line.slice(at, place).trim());
    at = place + pieces[n].length;
  }
  return stars;
}

function fill(does, words, all) {
  return commands(does).map((line) =>
    line.replace(/%([1-9*])/g, (_, which) => (which === "*" ? all : words[which - 1] ?? "")).trim(),
  );
}

/** Words of others may not become commands: the game reads what stands behind a semicolon as another one. */
const tame = (words) => words.replace(/[;\r\n]+/g, ",");

/** The rules at work. It is told the time, in milliseconds. */
export class Rules {
  /** @type {number[]} when the last commands were sent */
  #sent = [];
  /** @type {number[]} when each timer is due */
  #due = [];
  stopped = false;

  /** @param {RuleSet} [set] @param {number} [now] */
  constructor(set = none(), now = 0) {
    this.set = set;
    this.use(set, now);
  }

  /** Go on with other rules; what was stopped runs again. @param {RuleSet} set @param {number} now */
  use(set, now) {
    this.set = set;
    this.stopped = false;
    this.#sent = [];
    this.#due = set.timers.map(({ every }) => now + every * 1000);
  }

  /** A line typed, as the commands it means. An alias in an alias is not looked for. @param {string} line @returns {string[]} */
  expand(line) {
    const [, name, rest] = /^\s*(\S*)\s*(.*)$/s.exec(line) ?? [];
    const alias = this.set.aliases.find((one) => one.name.toLowerCase() === name?.toLowerCase());
    if (!alias) return [line];
    const filled = fill(alias.does, rest.split(/\s+/).filter(Boolean), rest.trim());
    return filled.length ? filled : [line];
  }

  /**
   * A line of the game.
   *
   * @param {string} line @param {number} now
   * @returns {{mark: boolean, hide: boolean, call: boolean, send: string[], over: boolean}} over: that was too much, all is stopped
   */
  hear(line, now) {
    const found = { mark: false, hide: false, call: false, send: [], over: false };
    if (this.stopped) return found;
    for (const trigger of this.set.triggers) {
      const stars = find(trigger.match, line);
      if (!stars) continue;
      found.mark ||= trigger.mark;
      found.hide ||= trigger.hide;
      found.call ||= trigger.call;
      const words = stars.map(tame);
      found.send.push(...fill(trigger.does, words, tame(line)));
    }
    return this.#bound(found, now);
  }

  /** What timers send now. @param {number} now @returns {{send: string[], over: boolean}} */
  tick(now) {
    const found = { send: [], over: false };
    if (this.stopped) return found;
    this.set.timers.forEach(({ every, does, on }, place) => {
      if (now < this.#due[place]) return;
      this.#due[place] = now + every * 1000;
      if (on) found.send.push(...commands(does));
    });
    return this.#bound(found, now);
  }

  /** @template {{send: string[], over: boolean}} Found @param {Found} found @param {number} now @returns {Found} */
  #bound(found, now) {
    if (!found.send.length) return found;
    this.#sent = this.#sent.filter((at) => now - at < PERIOD);
    if (this.#sent.length + found.send.length > MOST) {
      this.stopped = true;
      return { ...found, send: [], over: true };
    }
    this.#sent.push(...found.send.map(() => now));
    return found;
  }

  /** What a key does. @param {{key: string, code: string}} event @returns {string[]} */
  key({ key, code }) {
    const macro = this.set.macros.find((one) => one.key && (one.key === key || one.key === code));
    return macro ? commands(macro.does) : [];
  }
}
