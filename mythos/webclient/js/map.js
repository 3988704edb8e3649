import { el } from "./el.js";
import { exits, panel } from "./panels.js";
import { say, word } from "./strings.js";

/** Rooms remembered; how far the map shows around one; pixels from room to room. */
const ROOMS = 500;
const FAR = 3;
const STEP = 32;

/** @typedef {{num: number, name: string, area: string, x: number, y: number, z: number, exits: Record<string, number>}} Room */

/** The rooms somebody has seen, by number. */
export class Atlas {
  /** @type {Map<number, Room>} */
  #rooms;

  /** @param {Room[]} [saved] */
  constructor(saved = []) {
    this.#rooms = new Map(saved.map((room) => [room.num, room]));
  }

  /** @param {any} info data of Room.Info */
  see({ num, name, area, coord, exits: ways = {} }) {
    if (typeof num !== "number" || !coord) return;
    this.#rooms.delete(num);
    this.#rooms.set(num, { num, name, area, x: coord.x, y: coord.y, z: coord.z, exits: ways });
    if (this.#rooms.size > ROOMS) this.#rooms.delete(this.#rooms.keys().next().value ?? 0);
  }

  get(num) {
    return this.#rooms.get(num);
  }

  /** Rooms of the same area and level that are near. @param {Room} here @returns {Room[]} */
  near(here) {
    const close = (room) => Math.abs(room.x - here.x) <= FAR && Math.abs(room.y - here.y) <= FAR;
    return [...this.#rooms.values()].filter((room) => room.area === here.area && room.z === here.z && close(room));
  }

  saved() {
    return [...this.#rooms.values()];
  }
}

/** The map in words, a sentence for each way out. @param {any} info @param {Atlas} atlas @returns {string[]} */
export function inWords(info, atlas) {
  return exits(info).map(({ way, key, door }) => {
    const room = atlas.get(info.exits[key]);
    const where = room ? say("wayTo", { way: word(way), room: room.name }) : say("wayNew", { way: word(way) });
    return door ? say("wayDoor", { where, door: say(door === "open" ? "doorOpen" : door) }) : where;
  });
}

/** @param {string} tag @param {Record<string, string|number>} props @param {...(Node|string)} children */
function svg(tag, props, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(props)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

/** @param {import("./store.js").Store} store @param {Atlas} atlas @param {(line: string) => void} act */
export function mapPanel(store, atlas, act) {
  const { root } = panel("map", say("map"));
  const picture = el("div", { class: "map" });
  const words = el("ul", { class: "twin" });
  root.append(picture, words);
  store.subscribe("info", (info) => {
    atlas.see(info);
    words.replaceChildren(...inWords(info, atlas).map((text) => el("li", {}, text)));
    const here = atlas.get(info.num);
    picture.hidden = !here;
    if (!here) return;
    const rooms = atlas.near(here);
    const centre = FAR * STEP + STEP / 2;
    const place = (room) => [centre + (room.x - here.x) * STEP, centre - (room.y - here.y) * STEP];
    const shown = new Set(rooms.map(({ num }) => num));
    const ways = rooms.flatMap((room) =>
      Object.values(room.exits).filter((to) => shown.has(to)).map((to) => {
        const [[x1, y1], [x2, y2]] = [place(room), place(atlas.get(to))];
        return svg("line", { x1, y1, x2, y2 });
      }),
    );
    const boxes = rooms.map((room) => {
      const [x, y] = place(room);
      const box = svg("rect", { x: x - 9, y: y - 9, width: 18, height: 18, rx: 3, class: room === here ? "here" : "" }, svg("title", {}, room.name));
      const way = exits(info).find(({ key }) => info.exits[key] === room.num);
      if (way && room !== here) {
        box.classList.add("next");
        box.addEventListener("click", () => act(way.way));
      }
      return box;
    });
    const side = 2 * centre;
    const label = say("mapOf", { area: here.area, n: rooms.length });
    picture.replaceChildren(svg("svg", { viewBox: `0 0 ${side} ${side}`, role: "img", "aria-label": label }, ...ways, ...boxes));
  });
  return root;
}
