import { el } from "./el.js";
import { panel } from "./panels.js";
import { say } from "./strings.js";

/** Lines kept of each channel. */
const KEPT = 100;
/** Tells stand beside the channels, under a name that no channel can have. */
const TELLS = " tells";

/**
 * What was said on each channel, and how much of it nobody has seen.
 */
export class Channels {
  /** @type {Map<string, {lines: string[], unread: number}>} */
  #channels;

  /** @param {Record<string, {lines: string[], unread: number}>} [saved] what `saved()` gave */
  constructor(saved = {}) {
    this.#channels = new Map(Object.entries(saved));
    this.#of(TELLS);
  }

  #of(name) {
    let channel = this.#channels.get(name);
    if (!channel) this.#channels.set(name, (channel = { lines: [], unread: 0 }));
    return channel;
  }

  /** Channels that are on, with what was said before: data of Mythos.Channels. @param {any} data */
  begin({ channels = [] }) {
    for (const { name, on, said } of channels) {
      if (!on) {
        this.#channels.delete(name);
        continue;
      }
      const channel = this.#of(name);
      if (said.length && channel.lines.at(-1) !== said.at(-1)) channel.lines = [...said];
    }
  }

  /** @param {{kind: string, text: string}} line @returns {boolean} whether it belongs here */
  hear({ kind, text }) {
    const found = kind === "channel" ? /^\[([^\]]+)\] (.*)$/s.exec(text) : null;
    if (!found && kind !== "tell") return false;
    const channel = this.#of(found ? found[1] : TELLS);
    channel.lines.push(found ? found[2] : text);
    if (channel.lines.length > KEPT) channel.lines.shift();
    channel.unread += 1;
    return true;
  }

  read(name) {
    this.#of(name).unread = 0;
  }

  /** @returns {{name: string, lines: string[], unread: number}[]} tells last */
  list() {
    const all = [...this.#channels].map(([name, channel]) => ({ name, ...channel }));
    return [...all.filter(({ name }) => name !== TELLS), ...all.filter(({ name }) => name === TELLS)];
  }

  /** Without the tells. */
  names() {
    return [...this.#channels.keys()].filter((name) => name !== TELLS);
  }

  get unread() {
    return this.list().reduce((sum, { unread }) => sum + unread, 0);
  }

  saved() {
    return Object.fromEntries(this.#channels);
  }
}

/**
 * The panel: a button for each channel with what is unread, and the lines of the one chosen.
 *
 * @param {Channels} channels
 * @param {(words: string) => void} compose begin a line in the command field
 * @param {(unread: number) => void} counted
 */
export function channelsPanel(channels, compose, counted) {
  const { root, heading } = panel("channels", say("channels"));
  const row = el("div", { class: "names", role: "group", "aria-label": say("whichChannel") });
  const lines = el("ol", { class: "said", tabindex: 0, role: "list" });
  const write = el("button", { type: "button", onclick: () => compose(chosen === TELLS ? "reply " : `${chosen} `) }, say("write"));
  root.append(row, lines, write);
  /** Until one is chosen, the first. */
  let choice = "";
  let chosen = "";
  let due = 0;

  const draw = () => {
    clearTimeout(due);
    due = 0;
    const names = channels.list().map(({ name }) => name);
    chosen = names.includes(choice) ? choice : names[0];
    if (root.checkVisibility() && !document.hidden) channels.read(chosen);
    const list = channels.list();
    const held = row.contains(document.activeElement);
    const focused = held ? document.activeElement.dataset.name : undefined;
    row.replaceChildren(
      ...list.map(({ name, unread }) => {
        const pressed = String(name === chosen);
        const props = { type: "button", "data-name": name, "aria-pressed": pressed, onclick: () => choose(name) };
        return el("button", props, unread ? say("unread", { name: title(name), n: unread }) : title(name));
      }),
    );
    if (focused !== undefined) (find(focused) ?? heading).focus();
    const atEnd = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 8;
    const said = list.find(({ name }) => name === chosen)?.lines ?? [];
    lines.replaceChildren(...said.map((text) => el("li", { dir: "auto" }, text)));
    lines.setAttribute("aria-label", say("saidOn", { name: title(chosen) }));
    if (atEnd) lines.scrollTop = lines.scrollHeight;
    counted(channels.unread);
  };
  const title = (name) => (name === TELLS ? say("tells") : name);
  const find = (name) => [...row.querySelectorAll("button")].find((one) => one.dataset.name === name);
  const choose = (name) => {
    choice = name;
    draw();
    lines.scrollTop = lines.scrollHeight;
  };
  document.addEventListener("visibilitychange", draw);
  window.addEventListener("resize", draw);
  return {
    root,
    draw,
    /** Draw in a moment, once for all that came. */
    soon() {
      if (!due) due = setTimeout(draw, 100);
    },
    leave() {
      clearTimeout(due);
      document.removeEventListener("visibilitychange", draw);
      window.removeEventListener("resize", draw);
    },
  };
}
