/**
 * What a reload finds again: the link, the newest lines, the states that were drawn, the history. In sessionStorage, so
 * that each tab is a player of its own and nothing outlives it. One value, written whole: the place in the
 * session's history and the lines shown never disagree.
 */
const KEY = "mythos";

/** The newest lines, for a page that is opened without the server: by a new tab too, but nobody can go on from there. */
const LAST = "mythos.last";
/** The commands typed, by the name of the character, and for how many of them. */
const TYPED = "mythos.typed";
const CHARACTERS = 10;

/** Milliseconds until a change is written, if nothing asks sooner. */
const LAZY = 500;

/** @param {() => any} whole what is to be kept; null: nothing */
export function createMemory(whole) {
  let due = 0;
  const now = () => {
    clearTimeout(due);
    due = 0;
    const value = whole();
    write(sessionStorage, KEY, value);
    return value;
  };
  return {
    now,
    /** The page may be over: what is for other tabs is kept too. */
    rest() {
      const value = now();
      if (!value) return;
      write(localStorage, LAST, value.lines);
      const { [value.name]: _, ...others } = recallTyped();
      const entries = Object.entries(others).slice(1 - CHARACTERS);
      write(localStorage, TYPED, Object.fromEntries([...entries, [value.name, value.history]]));
    },
    /** The player has left. */
    forget: () => write(localStorage, LAST, null),
    soon() {
      if (!due) due = setTimeout(now, LAZY);
    },
  };
}

/** @param {Storage} storage @param {string} key @param {any} value null: nothing @returns {boolean} whether it is kept */
export function write(storage, key, value) {
  try {
    if (value === null) storage.removeItem(key);
    else storage.setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false; // no room or not allowed
  }
}

/** @param {Storage} storage @param {string} key @returns {any} null: nothing that can be read */
export function read(storage, key) {
  try {
    return JSON.parse(storage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}

/** @returns {any} what the page before kept, or null */
export const recall = () => read(sessionStorage, KEY);

/** @returns {Record<string, string[]>} what each character typed */
export const recallTyped = () => read(localStorage, TYPED) ?? {};

/** @returns {import("./log.js").Line[]} what any page showed last */
export const recallLast = () => read(localStorage, LAST) ?? [];
