/**
 * What is known just now, by key, and who wants to hear of a change.
 *
 * @param {Record<string, any>} initial
 */
export function createStore(initial) {
  const values = { ...initial };
  const listeners = new Map();
  return {
    get: (key) => values[key],
    set(key, value) {
      values[key] = value;
      for (const listener of listeners.get(key) ?? []) listener(value);
    },
    /** Hears the value of now at once, and every later one. @param {string} key @param {(value: any) => void} listener */
    subscribe(key, listener) {
      listeners.set(key, [...(listeners.get(key) ?? []), listener]);
      listener(values[key]);
    },
  };
}

/** @typedef {ReturnType<typeof createStore>} Store */
