import { el } from "./el.js";
import { say, word } from "./strings.js";

/** Gauges in the order they are drawn; others follow as they come. */
const ORDER = ["hp", "nerve", "breath", "mana"];
/** Health below this share is worth a word. */
const LOW = 0.25;

/**
 * The pairs `x` and `maxx` of Char.Vitals.
 *
 * @param {Record<string, any>} vitals
 * @returns {{key: string, value: number, max: number, low: boolean}[]}
 */
export function gauges(vitals) {
  const keys = Object.keys(vitals).filter((key) => typeof vitals[key] === "number" && vitals[`max${key}`] > 0);
  const place = (key) => (ORDER.includes(key) ? ORDER.indexOf(key) : ORDER.length);
  keys.sort((one, other) => place(one) - place(other));
  return keys.map((key) => {
    const [value, max] = [vitals[key], vitals[`max${key}`]];
    return { key, value, max, low: value < max * LOW };
  });
}

/** The gauges as they are drawn: a name, the value in words, and a meter. @param {Record<string, any>} vitals */
export const meters = (vitals) =>
  gauges(vitals).map(({ key, value, max, low }) => {
    const [label, text] = [word(key), say("gauge", { value, max })];
    const meter = el("meter", { min: 0, max, low: max * LOW, value, "aria-label": label }, text);
    return { label, text, style: low ? "gauge low" : "gauge", meter };
  });

/** Milliseconds that the sign of a tone is seen. */
const SIGN = 3000;

/** The status line. It is silent: what is worth a word is announced elsewhere. @param {import("./store.js").Store} store */
export function statusLine(store) {
  const link = el("span", { class: "link" });
  const name = el("strong", { class: "name" });
  const room = el("span", { class: "where" });
  const all = el("span", { class: "gauges" });
  const tone = el("span", { class: "tone" });
  let silence = 0;
  store.subscribe("link", ({ state, road }) => {
    link.textContent = say(state === "live" && road === "sse" ? "liveSecond" : state);
    link.dataset.state = state;
  });
  store.subscribe("tone", (what) => {
    clearTimeout(silence);
    tone.textContent = what && say("tone", { what: say(what) });
    if (what) silence = setTimeout(() => store.set("tone", ""), SIGN);
  });
  store.subscribe("name", (value) => (name.textContent = value));
  store.subscribe("info", ({ name: value = "" }) => {
    room.textContent = value;
    document.title = value ? say("titleIn", { room: value }) : say("title");
  });
  store.subscribe("vitals", (vitals) => {
    all.replaceChildren(...meters(vitals).map(({ label, text, style, meter }) => el("span", { class: style }, `${label} ${text} `, meter)));
  });
  return el("section", { class: "status", "aria-label": say("status") }, name, room, all, tone, link);
}
