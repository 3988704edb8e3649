import { GAME } from "./announcer.js";
import { el } from "./el.js";
import { Log } from "./log.js";
import { say } from "./strings.js";

/**
 * Let the browser keep the page for when the server does not answer. Over plain HTTP it does so for this machine only.
 *
 * @param {URL} base where the page stands
 */
export function keepPage(base) {
  const workers = navigator.serviceWorker;
  const held = Boolean(workers?.controller);
  const registered = workers
    ?.register(new URL("worker.js", base), { scope: new URL("play", base).pathname, updateViaCache: "none" })
    .catch(() => null);
  let first = true;
  let missed = false;
  return {
    /** The server does not answer. */
    missed: () => (missed = true),
    /** It does. If the page was opened without it, a newer one is loaded now. */
    async reached() {
      const late = first && missed && held;
      first = false;
      if (!late) return;
      workers.addEventListener("controllerchange", () => location.reload(), { once: true });
      await (await registered)?.update();
    },
  };
}

/** What was shown last, to be read only. @param {import("./log.js").Line[]} lines */
export function lastSeen(lines) {
  const output = el("div", { class: "log", role: "log", "aria-live": "off", "aria-label": say("output"), tabindex: 0, lang: GAME });
  const log = new Log(output, el("button", {}));
  for (const line of lines) log.append(line);
  return el("section", { class: "last", "aria-labelledby": "last" }, el("h2", { id: "last" }, say("lastSeen")), output);
}
