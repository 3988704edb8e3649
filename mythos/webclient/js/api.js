/** A request that did not succeed. */
export class Problem extends Error {
  /** @param {number} status 0: no answer @param {string} code @param {string} message @param {number} [wait] seconds */
  constructor(status, code, message, wait = 0) {
    super(message);
    this.status = status;
    this.code = code;
    this.wait = wait;
  }
}

/** Milliseconds a request may take. */
const PATIENCE = 15_000;

/**
 * @param {string|URL} base where the server's `api/` and `health/` are
 */
export function createApi(base) {
  return {
    /**
     * @param {string} path below `api/v1/` @param {object} body @param {string} [token]
     * @returns {Promise<any>} the answer @throws {Problem}
     */
    async post(path, body, token) {
      const headers = { "Content-Type": "application/json" };
      if (token) headers.Authorization = `Bearer ${token}`;
      let response, answer;
      try {
        response = await fetch(new URL(`api/v1/${path}`, base), {
          method: "POST",
          headers,
          body: JSON.stringify(body),
          cache: "no-store",
          signal: AbortSignal.timeout(PATIENCE),
        });
        answer = await response.json();
      } catch {
        throw new Problem(response?.status ?? 0, "network", "");
      }
      if (response.ok) return answer;
      const { code = "", message = "" } = answer.error ?? {};
      throw new Problem(response.status, code, message, Number(response.headers.get("Retry-After")) || 0);
    },

    /** Whether the server answers at all. @returns {Promise<boolean>} */
    alive: () =>
      fetch(new URL("health/live", base), { cache: "no-store", signal: AbortSignal.timeout(3000) }).then(
        (response) => response.ok,
        () => false,
      ),
  };
}

/** @typedef {ReturnType<typeof createApi>} Api */
