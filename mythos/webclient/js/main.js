import { Announcer } from "./announcer.js";
import { createApi } from "./api.js";
import { el } from "./el.js";
import { enterScreen } from "./enter.js";
import { Link } from "./link.js";
import { createMemory, recall, recallLast, recallTyped } from "./memory.js";
import { keepPage, lastSeen } from "./offline.js";
import { playScreen } from "./play.js";
import { openSocket, openStream } from "./roads.js";
import { dress, keptSettings, languageOf } from "./settings.js";
import { chime, heardBy, notify } from "./sounds.js";
import { gauges } from "./status.js";
import { createStore } from "./store.js";
import { say, speakIn } from "./strings.js";

/** The one place where the parts meet. */

/** States that are drawn as they come, and their keys in the store. @type {Record<string, string>} */
const DRAWN = {
  "Char.Vitals": "vitals",
  "Room.Info": "info",
  "Mythos.Here": "here",
  "Mythos.Bag": "bag",
  "Mythos.Tasks": "tasks",
  "Mythos.Commands": "commands",
  "Mythos.Settings": "speech",
};

/** A link that heals within this many milliseconds is not spoken of. */
const HEALS = 1000;

const settings = keptSettings();
dress(settings);
if (languageOf(settings.language) === "de") speakIn((await import("./german.js")).GERMAN);

const find = (id) => document.getElementById(id);
const app = find("app");
const announcer = new Announcer(find("polite"), find("alert"));
const base = new URL(".", document.baseURI);
const api = createApi(base);
const page = keepPage(base);
const skip = el("a", { class: "skip", href: "#" });
document.body.prepend(skip);

/** @type {ReturnType<typeof playing>|null} */
let game = null;
const memory = createMemory(() => game?.saved() ?? null);

function entering(claim, notice) {
  const again = game !== null;
  game?.leave();
  game = null;
  memory.now();
  document.title = say("title");
  const screen = enterScreen({ api, announcer, claim, notice, enter });
  skip.textContent = say("skipEnter");
  skip.href = "#enter";
  app.replaceChildren(screen);
  if (again) screen.focus();
  return screen;
}

/** The way in, and behind it what was seen last if the server does not answer. */
async function arriving() {
  const screen = entering(null);
  if (await api.alive()) return;
  page.missed();
  announcer.alert(say("unreachable"), say("language"));
  screen.querySelector(".lead").textContent = `${say("ended")}. ${say("unreachable")}`;
  const lines = recallLast();
  if (lines.length) screen.append(lastSeen(lines));
}

/** @param {{token: string, refresh: string, name: string}} grant */
function enter(grant) {
  // the code of a claim is spent, and must not stand in the address
  window.history.replaceState(null, "", new URL("play", base));
  game = playing({ name: grant.name, history: recallTyped()[grant.name] });
  game.link.start(grant);
}

/** @param {any} saved what `saved()` gave, or only a name */
function playing(saved) {
  const states = saved.states ?? {};
  const store = createStore({
    link: { state: "connecting", road: "websocket" },
    name: saved.name,
    info: {},
    here: {},
    vitals: {},
    bag: {},
    tasks: {},
    commands: {},
    speech: {},
    tone: "",
    ask: { text: states["Mythos.Ask"]?.text ?? "", secret: Boolean(states["Mythos.Ask"]?.secret) },
  });
  const link = new Link(
    {
      open: (kind, attach, hooks) =>
        kind === "websocket" ? openSocket(base, attach, hooks) : openStream(base, attach, hooks, api),
      alive: api.alive,
      renew: (refresh) => api.post("refresh", { refresh }),
      clock: {
        now: () => performance.now(),
        after(ms, work) {
          const timer = setTimeout(work, ms);
          return () => clearTimeout(timer);
        },
      },
      random: Math.random,
      keep: memory.now,
      on: hear,
    },
    saved.link,
  );
  /** A tone and its sign. @param {string} what @returns {boolean} whether it sounds */
  function sound(what) {
    const sounds = chime(settings, what);
    if (sounds) store.set("tone", what);
    return sounds;
  }
  const screen = playScreen({
    store,
    announcer,
    settings,
    saved,
    call(text) {
      sound("callTone");
      notify(settings, text);
    },
    submit(line, secret) {
      if (link.state === "ended") return say("notIn");
      return link.submit(line, secret) ?? say("tooMany");
    },
  });
  const { log } = screen;

  function drawState(name, data) {
    states[name] = data;
    const key = DRAWN[name];
    if (key) store.set(key, data);
    else if (name === "Char.Name") store.set("name", data.name ?? "");
    else if (name === "Mythos.Ask") store.set("ask", { text: data.text ?? "", secret: Boolean(data.secret) });
  }

  function lowHealth(vitals) {
    const [was, is] = [states["Char.Vitals"], vitals].map((one) => gauges(one ?? {}).find(({ key }) => key === "hp"));
    if (!is?.low || was?.low) return;
    announcer.alert(say("lowHealth", { n: is.value, max: is.max }), say("language"));
    sound("healthTone");
  }

  function hearRecord(record) {
    if (record.t === "line") {
      const shown = screen.hear(record);
      // what is told to us begins with who tells it; what we tell is an answer like any other
      if (!shown) return memory.soon();
      if (record.kind === "tell" && record.spans[0]?.[1] === "player") {
        announcer.alert(record.text);
        sound("tellTone");
        notify(settings, record.text);
      } else if (record.kind !== "map") {
        // a picture says nothing when it is read out
        const by = heardBy(record);
        const how = by ? settings[by] : "speak";
        if (how === "speak" || (how === "sound" && !sound(by))) announcer.speak(record.text);
      }
    } else if (record.t === "state") {
      if (record.name === "Char.Vitals") lowHealth(record.data);
      if (record.name === "Mythos.Channels") screen.begin(record.data);
      else drawState(record.name, record.data);
    } else if (record.t === "gap") screen.own("rule", say("gap", { n: record.missed }));
    memory.soon();
  }

  let lostTimer = 0;
  let lostSaid = false;
  function speakOfLink(state) {
    if (state === "lost" && !lostTimer && !lostSaid) {
      lostTimer = setTimeout(() => {
        lostTimer = 0;
        lostSaid = true;
        announcer.alert(say("lostAlert"), say("language"));
      }, HEALS);
    }
    if (state === "lost") page.missed();
    if (state !== "live" && state !== "ended") return;
    if (state === "live") void page.reached();
    clearTimeout(lostTimer);
    lostTimer = 0;
    if (lostSaid && state === "live") announcer.alert(say("backAlert"), say("language"));
    lostSaid = false;
  }

  function hear(event) {
    switch (event.type) {
      case "state":
        store.set("link", { state: event.state, road: event.road });
        speakOfLink(event.state);
        break;
      case "hello":
        if (event.resumed && event.missed) screen.own("rule", say("missed", { n: event.missed }));
        else if (!event.resumed && event.missed) screen.own("rule", say("gap", { n: event.missed }));
        else if (event.reason === "epoch" || event.reason === "ahead") screen.own("rule", say("gapUnknown"));
        break;
      case "record":
        hearRecord(event.record);
        break;
      case "waiting":
        for (const { id } of event.entries) log.note(id, say("waiting"), false);
        break;
      case "sent":
        for (const { id } of event.entries) log.note(id, "", false);
        break;
      case "answered":
        log.note(event.entry.id, event.error === "unsure" ? say("unsure") : "", true);
        if (event.error && event.error !== "unsure") screen.own("error", say("notDone", { reason: event.error }));
        break;
      case "error":
        screen.own("error", event.message);
        break;
      case "ended":
        ended(event);
    }
  }

  function ended({ why, reason, unsent, unsure }) {
    for (const { id } of unsent) log.note(id, say("unsent"), why !== "taken");
    for (const { id } of unsure) log.note(id, say("unsure"), why !== "taken");
    if (why === "denied" && !log.saved().length) return entering(null, say("sessionOver"));
    const text =
      why === "taken" ? say("endTaken")
      : why === "denied" ? say("sessionOver")
      : reason === "quit" ? say("endQuit")
      : say("endOther", { reason });
    log.append({ kind: "rule", spans: [[text, null]], own: true });
    announcer.alert(text, say("language"));
    drawState("Mythos.Ask", {});
    const again = { text: say("again"), onclick: () => entering(null) };
    const back = {
      text: say("back"),
      onclick() {
        screen.offer([]);
        link.start();
        screen.input.focus();
      },
    };
    screen.offer(why === "taken" ? [back, again] : [again]);
    memory.rest();
    over = why !== "taken";
    if (reason === "quit") memory.forget();
    memory.now();
  }

  let over = false;
  const onVisible = () => document.hidden || link.nudge();
  const onOnline = () => link.nudge();
  document.addEventListener("keydown", screen.onKey);
  document.addEventListener("visibilitychange", onVisible);
  window.addEventListener("online", onOnline);
  for (const [name, data] of Object.entries(states)) drawState(name, data);
  skip.textContent = say("skip");
  skip.href = "#command";
  app.replaceChildren(screen.root);
  screen.shown();
  screen.input.focus();

  return {
    link,
    saved: () => (over ? null : { name: store.get("name"), states, link: link.saved(), ...screen.saved() }),
    leave() {
      screen.leave();
      document.removeEventListener("keydown", screen.onKey);
      document.removeEventListener("visibilitychange", onVisible);
      window.removeEventListener("online", onOnline);
    },
  };
}

document.documentElement.lang = say("language");
window.addEventListener("pagehide", memory.rest);
document.addEventListener("visibilitychange", () => document.hidden && memory.rest());
const saved = recall();
if (/\/claim$/.test(location.pathname)) entering(decodeURIComponent(location.hash.slice(1)));
else if (saved) {
  game = playing(saved);
  game.link.start();
} else void arriving();
