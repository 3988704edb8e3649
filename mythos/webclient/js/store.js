/**
 * What is known just now, by key, and who wants to hear of a change.
 *
 * @param {Record<string, any>} initial
 */
export function createStore(initial) {
  const values = { ...initial };
  /** @type {Map<string, Set<(value: any) => void>>} */
  const listeners = new Map();
  return {
    /** @param {string} key */
    get: (key) => values[key],
    /** @param {string} key @param {any} value */
    set(key, value) {
      values[key] = value;
      for (const listener of listeners.get(key) ?? []) listener(value);
    },
    /** Hears the value of now at once, and every later one. @param {string} key @param {(value: any) => void} listener */
    subscribe(key, listener) {
      if (!listeners.has(key)) listeners.set(key, new Set());
      listeners.get(key)?.add(listener);
      listener(values[key]);
      return () => listeners.get(key)?.delete(listener);
    },
  };
}

/** @typedef {ReturnType<typeof createStore>} Store */
