/**
 * What a reload finds again: the link, the newest lines, the states that were drawn, the history. In sessionStorage, so
 * that each tab is a player of its own and nothing outlives it. One value, written whole: the place in the
 * session's history and the lines shown never disagree.
 */
const KEY = "mythos";

/** Milliseconds until a change is written, if nothing asks sooner. */
const LAZY = 500;

/** @param {() => any} whole what is to be kept; null: nothing */
export function createMemory(whole) {
  let due = 0;
  const now = () => {
    clearTimeout(due);
    due = 0;
    const value = whole();
    try {
      if (value === null) sessionStorage.removeItem(KEY);
      else sessionStorage.setItem(KEY, JSON.stringify(value));
    } catch {
      // no room or not allowed: a reload will have to log in again
    }
  };
  return {
    now,
    soon() {
      if (!due) due = setTimeout(now, LAZY);
    },
  };
}

/** @returns {any} what the page before kept, or null */
export function recall() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  } catch {
    return null;
  }
}
