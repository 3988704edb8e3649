import { el } from "./el.js";
import { meters } from "./status.js";
import { say, word } from "./strings.js";

/**
 * The panels beside the log: a landmark with a heading each. They are silent, as the game has said it all in words.
 * On narrow screens one is shown at a time, behind a row of buttons.
 */

/** Short keys of Room.Info -> what is typed. Others are typed as they are. @type {Record<string, string>} */
const WAYS = {
  n: "north", ne: "northeast", e: "east", se: "southeast", s: "south", sw: "southwest", w: "west", nw: "northwest",
  u: "up", d: "down",
};

/** @typedef {{text: string, act?: string, quiet?: boolean, npc?: boolean, label?: string}} Part words, or a button that sends `act` */

/**
 * The ways out of Room.Info, in the order they came.
 *
 * @param {any} info
 * @returns {{key: string, way: string, door: string}[]} key: in Room.Info; door: open, closed, locked, or empty
 */
export function exits(info) {
  return Object.keys(info.exits ?? {}).map((key) => ({ key, way: WAYS[key] ?? key, door: info.doors?.[key] ?? "" }));
}

/**
 * A list that keeps the focus when it is drawn anew: on the button that does the same, else on the heading.
 *
 * @param {HTMLElement} heading @param {(line: string) => void} act @param {string} [style] its class
 */
function list(heading, act, style = "") {
  const root = el("ul", { class: style });
  let drawn = "";
  const draw = (rows) => {
    const now = JSON.stringify(rows);
    if (now === drawn) return;
    drawn = now;
    const held = root.contains(document.activeElement) ? document.activeElement : null;
    root.replaceChildren(...rows.map((parts) => el("li", {}, ...parts.map(drawPart))));
    root.hidden = rows.length === 0;
    if (!held) return;
    const same = [...root.querySelectorAll("button")].find(
      (one) => one.dataset.act === held.dataset.act,
    );
    (same ?? heading).focus();
  };
  const drawPart = ({ text, act: line, quiet, npc, label }) =>
    line === undefined
      ? el("span", { class: quiet ? "quiet" : null }, text)
      : el("button", { type: "button", class: npc ? "npc" : null, "data-act": line, "aria-label": label, onclick: () => act(line) }, text);
  return { root, draw };
}

/** @param {string} key @param {string} title @returns {{root: HTMLElement, heading: HTMLElement}} */
export function panel(key, title) {
  const heading = el("h2", { id: `${key}-title`, tabindex: -1 }, title);
  return { root: el("section", { class: "panel", id: `${key}-panel`, "aria-labelledby": heading.id }, heading), heading };
}

/** @param {import("./store.js").Store} store @param {(line: string) => void} act */
export function roomPanel(store, act) {
  const { root, heading } = panel("room", say("room"));
  const name = el("p", { class: "role-title" });
  const ways = list(heading, act, "ways");
  const folk = list(heading, act, "folk");
  const things = list(heading, act, "things");
  const note = el("p", { class: "quiet" });
  root.append(name, ways.root, note, folk.root, things.root);
  store.subscribe("info", (info) => {
    name.textContent = info.name ?? "";
    ways.draw(
      exits(info).map(({ way, door }) => {
        const shut = door === "closed" || door === "locked";
        const go = { text: word(way), act: way };
        if (!shut) return [go];
        const verb = door === "locked" ? "unlock" : "open";
        return [go, { text: say(door), quiet: true }, { text: say(verb), act: `${verb} ${way}`, label: say(`${verb}Way`, { way: go.text }) }];
      }),
    );
  });
  const here = () => {
    const { dark, people = [], more = 0, things: lie = [], gold = 0 } = store.get("here");
    const me = store.get("name");
    const others = people.filter((one) => one.npc || one.name !== me);
    note.textContent = dark ? say("dark") : others.length || lie.length || gold ? "" : say("alone");
    note.hidden = !note.textContent;
    const rows = others.map((one) => {
      const look = { text: one.name, npc: one.npc, act: `look ${one.word}`, label: say("lookAt", { what: one.name }) };
      return one.npc ? [look, { text: say("talk"), act: `talk ${one.word}`, label: say("talkTo", { who: one.name }) }] : [look];
    });
    if (more) rows.push([{ text: say("others", { n: more }), quiet: true }]);
    folk.draw(rows);
    const found = lie.map((one) => {
      const look = { text: one.name, act: `look ${one.word}`, label: say("lookAt", { what: one.name }) };
      return one.take ? [look, { text: say("get"), act: `get ${one.word}`, label: say("getIt", { what: one.name }) }] : [look];
    });
    const coins = say("gold", { n: gold });
    if (gold) found.push([{ text: coins }, { text: say("get"), act: "get gold", label: say("getIt", { what: coins }) }]);
    things.draw(found);
  };
  store.subscribe("here", here);
  store.subscribe("name", here);
  return root;
}

/** @param {import("./store.js").Store} store */
export function selfPanel(store) {
  const { root } = panel("self", say("self"));
  const facts = el("dl", {});
  root.append(facts);
  const draw = () => {
    const vitals = store.get("vitals");
    const rows = meters(vitals).map(({ label, text, style, meter }) =>
      el("div", { class: style }, el("dt", {}, label), el("dd", {}, text, " ", meter)),
    );
    for (const key of ["level", "xp", "gold"]) {
      if (typeof vitals[key] !== "number") continue;
      rows.push(el("div", {}, el("dt", {}, say(`${key}Label`)), el("dd", {}, String(vitals[key]))));
    }
    facts.replaceChildren(...rows);
  };
  store.subscribe("vitals", draw);
  return root;
}

/** @param {import("./store.js").Store} store @param {(line: string) => void} act */
export function bagPanel(store, act) {
  const { root, heading } = panel("bag", say("bag"));
  const none = el("p", { class: "quiet" }, say("nothing"));
  const carried = list(heading, act, "things");
  root.append(none, carried.root);
  store.subscribe("bag", ({ things = [] }) => {
    none.hidden = things.length > 0;
    carried.draw(
      things.map((one) => {
        const note = [one.worn && (word(one.worn)), one.lit && say("lit")].filter(Boolean).join(", ");
        const row = [{ text: one.name, act: `look ${one.word}`, label: say("lookAt", { what: one.name }) }];
        if (note) row.push({ text: note, quiet: true });
        row.push(
          one.worn
            ? { text: say("remove"), act: `remove ${one.word}`, label: say("removeIt", { what: one.name }) }
            : { text: say("drop"), act: `drop ${one.word}`, label: say("dropIt", { what: one.name }) },
        );
        return row;
      }),
    );
  });
  return root;
}

/** @param {import("./store.js").Store} store */
export function tasksPanel(store) {
  const { root } = panel("tasks", say("tasks"));
  const body = el("div", {});
  root.append(body);
  store.subscribe("tasks", ({ open = [], offered = [], done = [] }) => {
    const rows = (entries) =>
      el("ul", {}, ...entries.map(({ title, text }) => el("li", {}, el("strong", {}, title), ` ${text}`)));
    const parts = [];
    if (open.length) parts.push(rows(open));
    else if (offered.length) parts.push(el("p", { class: "quiet" }, say("offered")), rows(offered));
    if (done.length) parts.push(el("p", { class: "quiet" }, say("tasksDone", { list: done.join(", ") })));
    body.replaceChildren(...(parts.length ? parts : [el("p", { class: "quiet" }, say("noTasks"))]));
  });
  return root;
}

/**
 * All panels, and the buttons that show one of them on a narrow screen.
 *
 * @param {{key: string, root: HTMLElement}[]} panels @param {() => void} changed called when another one is shown
 */
export function shelf(panels, changed) {
  const aside = el("div", { class: "panels", role: "region", "aria-label": say("panels"), tabindex: 0 }, ...panels.map(({ root }) => root));
  const buttons = panels.map(({ key, root }) => {
    const button = el("button", { type: "button", "aria-expanded": "false", "aria-controls": root.id, onclick: () => show(key) });
    button.textContent = say(key);
    return button;
  });
  const tabs = el("nav", { class: "tabs", "aria-label": say("panels") }, ...buttons);
  /** Show one, or none if it is the one that is shown. @param {string} key */
  const show = (key) => {
    panels.forEach(({ key: one, root }, place) => {
      const open = one === key && !root.classList.contains("open");
      root.classList.toggle("open", open);
      buttons[place].setAttribute("aria-expanded", String(open));
    });
    aside.classList.toggle("open", panels.some(({ root }) => root.classList.contains("open")));
    changed();
  };
  return { aside, tabs, /** @param {string} key */ button: (key) => buttons[panels.findIndex((one) => one.key === key)] };
}
