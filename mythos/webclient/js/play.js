import { GAME } from "./announcer.js";
import { Channels, channelsPanel } from "./channels.js";
import { completion } from "./completion.js";
import { el } from "./el.js";
import { History, withoutSecret } from "./history.js";
import { FORMATS } from "./export.js";
import { Log } from "./log.js";
import { bagPanel, exits, roomPanel, selfPanel, shelf, tasksPanel } from "./panels.js";
import { Atlas, inWords, mapPanel } from "./map.js";
import { Review } from "./review.js";
import { download, KINDS, keptRules, rulebook } from "./rulebook.js";
import { commands, Rules } from "./rules.js";
import { keepSettings, settingsDialog } from "./settings.js";
import { statusLine } from "./status.js";
import { say } from "./strings.js";

/** Longest line the server takes, in bytes of UTF-8. */
const LONGEST = 4096;
const bytes = new TextEncoder();

/**
 * The page one plays on: log, command line, panels, status.
 *
 * @param {object} parts
 * @param {import("./store.js").Store} parts.store keys: link {state, road}, name, ask {text, secret}; info, here, vitals, bag,
 *   tasks, commands, speech: data of the states as they came; tone: the one that sounds
 * @param {import("./announcer.js").Announcer} parts.announcer
 * @param {Record<string, any>} parts.settings
 * @param {(text: string) => void} parts.call a trigger calls for its player
 * @param {(line: string, secret: boolean) => import("./resume.js").Entry|string} parts.submit the entry, or why not
 * @param {any} [parts.saved] what `saved()` gave
 */
export function playScreen({ store, announcer, settings, call, submit, saved = {} }) {
  const history = new History(saved.history);
  const output = el("div", { class: "log", role: "log", "aria-live": "off", "aria-label": say("output"), tabindex: 0, lang: GAME });
  const newer = el("button", { type: "button", class: "newer", hidden: true });
  const log = new Log(output, newer);
  const label = el("label", { for: "command" }, say("command"));
  const input = el("input", {
    id: "command", type: "text", dir: "auto", autocomplete: "off", autocapitalize: "none", autocorrect: "off",
    spellcheck: "false", enterkeyhint: "send", maxlength: LONGEST,
  });
  const after = el("div", { class: "after", hidden: true });
  const keys = el(
    "details", { class: "keys" }, el("summary", {}, say("keys")),
    el("ul", {}, ...["keyHistory", "keyAlike", "keyTab", "keyReview", "keyStep", "keyBuffer", "keyPause", "keyMap", "keyScroll"].map((key) => el("li", {}, say(key)))),
  );
  const rules = new Rules(keptRules(), performance.now());
  const quick = el("div", { class: "quick", role: "group", "aria-label": say("macros") });
  const drawQuick = () => {
    const buttons = rules.set.macros.map(({ label, key, does }) =>
      el("button", { type: "button", "aria-keyshortcuts": key || null, onclick: () => commands(does).forEach(act) }, label),
    );
    quick.replaceChildren(...buttons);
    quick.hidden = buttons.length === 0;
  };
  const book = rulebook(
    (set) => {
      rules.use(set, performance.now());
      drawQuick();
    },
    () => rules.set,
  );
  const form = el("form", { class: "command", method: "post" });
  const tools = el(
    "details", { class: "keys" }, el("summary", {}, say("tools")),
    el("p", { class: "actions" }, ...KINDS.map((kind) => el("button", { type: "button", onclick: () => book.open(kind) }, say(kind))),
      el("button", { type: "button", onclick: () => settingsDialog(settings, read) }, say("settings")),
      ...Object.entries(FORMATS).map(([name, [type, write]]) =>
        el("button", { type: "button", onclick: () => download(`mythos-log.${name}`, type, write(log.lines())) }, say(`saveLog_${name}`)))),
  );
  const channels = new Channels(saved.channels);
  const atlas = new Atlas(saved.atlas);
  const review = new Review();
  const offered = completion(input, () => {
    const ways = exits(store.get("info")).map(({ way }) => way);
    const names = channels.names();
    const { people = [], things = [] } = store.get("here");
    const words = [...people, ...things, ...(store.get("bag").things ?? [])].map((one) => one.word);
    const aliases = rules.set.aliases.map(({ name }) => name);
    return { first: [...ways, ...aliases, ...(store.get("commands").names ?? []), ...names], other: [...words, ...ways, ...names] };
  });
  form.append(label, input, offered.box, el("button", { type: "submit" }, say("send")));
  const compose = (words) => {
    if (input.type === "password") return;
    input.value = words;
    input.focus();
    input.setSelectionRange(words.length, words.length);
  };
  const talk = channelsPanel(channels, compose, (unread) => {
    panels.button("channels").textContent = unread ? say("count", { name: say("channels"), n: unread }) : say("channels");
  });
  const asked = () => Boolean(store.get("ask").text || store.get("ask").secret);
  /** What a button or a rule does. @param {string} line */
  const act = (line) => {
    if (asked()) announcer.speak(say("answerFirst"), say("language"));
    else send(line, false, null);
  };
  /** It is the character's: it counts on telnet too. @param {boolean} on */
  const read = (on) => act(`settings screenreader ${on ? "on" : "off"}`);
  store.subscribe("speech", ({ screenreader }) => {
    if (screenreader === "" && settings.reader && !asked()) read(true);
    if (!screenreader) return;
    settings.reader = screenreader === "on";
    keepSettings(settings);
  });
  const panels = shelf(
    [
      { key: "room", root: roomPanel(store, act) },
      { key: "self", root: selfPanel(store) },
      { key: "bag", root: bagPanel(store, act) },
      { key: "channels", root: talk.root },
      { key: "tasks", root: tasksPanel(store) },
      { key: "map", root: mapPanel(store, atlas, act) },
    ],
    () => talk.draw(),
  );
  const root = el(
    "div", { class: "play" },
    el("header", {}, el("h1", {}, say("title")), tools, keys),
    el("main", {}, output, newer, after, quick, form),
    panels.tabs, panels.aside,
    statusLine(store),
  );

  const own = (kind, text) => {
    log.append({ kind, spans: [[text, null]], own: true });
    announcer.speak(text, say("language"));
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const line = input.value;
    const secret = input.type === "password";
    if (bytes.encode(line).length > LONGEST) return announcer.alert(say("tooLong", { n: LONGEST }), say("language"));
    const hidden = secret ? "•••" : withoutSecret(line);
    const lines = asked() || hidden !== null ? [line] : rules.expand(line);
    if (!lines.every((one) => send(one, hidden !== null, hidden))) return;
    input.value = "";
    if (hidden === null) history.add(line);
  });

  /**
   * @param {string} line @param {boolean} secret @param {string|null} shown what stands for it in the log, if not itself
   * @returns {boolean} whether it was taken
   */
  const send = (line, secret, shown) => {
    const taken = submit(line, secret);
    if (typeof taken === "string") {
      own("rule", taken);
      return false;
    }
    log.follow();
    log.append({ kind: "echo", spans: [[`> ${shown ?? line}`, null]] }, taken.id);
    if (store.get("link").state !== "live") log.note(taken.id, say("waiting"), false);
    return true;
  };

  input.addEventListener("keydown", (event) => {
    const upOrDown = event.key === "ArrowUp" || event.key === "ArrowDown";
    if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey || (event.shiftKey && !upOrDown)) return;
    if (!event.shiftKey && offered.key(event)) {
      event.preventDefault();
      return;
    }
    if (event.key === "PageUp" || event.key === "PageDown") log.turn(event.key === "PageUp" ? -1 : 1);
    else if (upOrDown && input.type !== "password") {
      const line = event.key === "ArrowUp" ? history.older(input.value, event.shiftKey) : history.newer(event.shiftKey);
      if (line !== null) {
        input.value = line;
        input.setSelectionRange(line.length, line.length);
      }
    } else return;
    event.preventDefault();
  });

  /** Keys for who listens: they read, and never move the focus. @param {KeyboardEvent} event @returns {boolean} */
  const altKey = ({ key, code }) => {
    const own = say("language");
    if (key === "ArrowUp" || key === "ArrowDown") {
      const line = review.step(key === "ArrowUp" ? -1 : 1);
      if (line === null) announcer.read(say("noSuchLine"), own);
      else announcer.read(line);
    } else if (key === "ArrowLeft" || key === "ArrowRight") {
      const { name, count } = review.turn(key === "ArrowLeft" ? -1 : 1);
      announcer.read(say("buffer", { name: say(`buffer_${name}`), n: count }), own);
    } else if (code === "KeyP") {
      announcer.paused = !announcer.paused;
      announcer.read(say(announcer.paused ? "speechOff" : "speechOn"), own);
    } else if (code === "KeyM") {
      announcer.read([store.get("info").name, ...inWords(store.get("info"), atlas)].join(". "), own);
    } else return false;
    return true;
  };

  /** Keys for the whole page while it is played on. @param {KeyboardEvent} event */
  const onKey = (event) => {
    if (event.altKey && !event.ctrlKey && !event.metaKey && altKey(event)) {
      event.preventDefault();
      return;
    }
    if (event.isComposing || event.altKey || event.metaKey || root.ownerDocument.querySelector("dialog[open]")) return;
    const macro = event.ctrlKey || event.shiftKey ? [] : rules.key(event);
    if (macro.length) {
      event.preventDefault();
      macro.forEach(act);
      return;
    }
    if (event.ctrlKey && /^[1-9]$/.test(event.key)) {
      event.preventDefault();
      announcer.read(log.last(Number(event.key)) || say("noSuchLine"));
      return;
    }
    // words typed beside the command line are meant for it, but to a screen reader letters are commands
    const beside = event.target === output || event.target === document.body;
    if (beside && !settings.reader && !event.ctrlKey && event.key.length === 1 && event.key !== " ") input.focus();
  };

  let question = store.get("ask").text;
  store.subscribe("ask", ({ text, secret }) => {
    if (text && text !== question) own("system", text);
    question = text;
    label.textContent = text || say(secret ? "secretField" : "command");
    label.className = text || secret ? "" : "unseen";
    const type = secret ? "password" : "text";
    if (input.type === type) return;
    input.type = type;
    input.value = "";
    offered.close();
  });

  for (const line of saved.lines ?? []) {
    log.append(line, line.id);
    if (line.kind !== "echo" && line.kind !== "map" && !line.own) review.add({ kind: line.kind, text: line.spans.map(([text]) => text).join("") });
  }
  drawQuick();
  input.value = saved.draft ?? "";

  /** What rules send; nothing while the game asks something. @param {{send: string[], over: boolean}} found */
  const obey = ({ send: lines, over }) => {
    if (over) own("rule", say("tooFast"));
    if (!asked()) lines.forEach((line) => send(line, false, null));
  };
  const timer = setInterval(() => {
    if (store.get("link").state === "live" && !asked()) obey(rules.tick(performance.now()));
  }, 1000);

  return {
    root,
    log,
    input,
    onKey,
    own,
    /** Show what can be done when the game is over. @param {{text: string, onclick: () => void}[]} choices */
    offer(choices) {
      after.hidden = choices.length === 0;
      after.replaceChildren(...choices.map(({ text, onclick }) => el("button", { type: "button", onclick }, text)));
    },
    /** A line of the game. @param {any} line a record @returns {boolean} whether it is shown, and may be spoken */
    hear(line) {
      const found = rules.hear(line.text, performance.now());
      if (channels.hear(line)) talk.soon();
      if (!found.hide && line.kind !== "map") review.add(line);
      if (!found.hide) log.append({ kind: line.kind, spans: line.spans, ...(found.mark && { mark: true }) });
      if (found.call) call(line.text);
      obey(found);
      return !found.hide;
    },
    /** Data of Mythos.Channels. @param {any} data */
    begin(data) {
      channels.begin(data);
      talk.soon();
    },
    /** It stands in the page now. */
    shown: talk.draw,
    leave() {
      talk.leave();
      clearInterval(timer);
    },
    saved: () => ({ lines: log.saved(), history: history.lines, draft: input.type === "password" ? "" : input.value, channels: channels.saved(), atlas: atlas.saved() }),
  };
}
