import { Channels, channelsPanel } from "./channels.js";
import { el } from "./el.js";
import { History, withoutSecret } from "./history.js";
import { Log } from "./log.js";
import { bagPanel, roomPanel, selfPanel, shelf, tasksPanel } from "./panels.js";
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
 *   tasks: data of the states as they came
 * @param {import("./announcer.js").Announcer} parts.announcer
 * @param {(line: string, secret: boolean) => import("./resume.js").Entry|string} parts.submit the entry, or why not
 * @param {any} [parts.saved] what `saved()` gave
 */
export function playScreen({ store, announcer, submit, saved = {} }) {
  const history = new History(saved.history);
  const output = el("div", { class: "log", role: "log", "aria-live": "off", "aria-label": say("output"), tabindex: 0 });
  const newer = el("button", { type: "button", class: "newer", hidden: true });
  const log = new Log(output, newer);
  const label = el("label", { for: "command" }, say("command"));
  const input = el("input", {
    id: "command", type: "text", autocomplete: "off", autocapitalize: "none", autocorrect: "off",
    spellcheck: "false", enterkeyhint: "send", maxlength: LONGEST,
  });
  const form = el("form", { class: "command", method: "post" }, label, input, el("button", { type: "submit" }, say("send")));
  const after = el("div", { class: "after", hidden: true });
  const keys = el(
    "details", { class: "keys" }, el("summary", {}, say("keys")),
    el("ul", {}, ...["keyHistory", "keyReview", "keyScroll"].map((key) => el("li", {}, say(key)))),
  );
  const channels = new Channels(saved.channels);
  /** @param {string} words */
  const compose = (words) => {
    if (input.type === "password") return;
    input.value = words;
    input.focus();
    input.setSelectionRange(words.length, words.length);
  };
  const talk = channelsPanel(channels, compose, (unread) => {
    panels.button("channels").textContent = unread ? say("count", { name: say("channels"), n: unread }) : say("channels");
  });
  /** What a button of a panel does. @param {string} line */
  const act = (line) => {
    const asks = store.get("ask");
    if (asks.text || asks.secret) announcer.speak(say("answerFirst"));
    else send(line, false, null);
  };
  const panels = shelf(
    [
      { key: "room", root: roomPanel(store, act) },
      { key: "self", root: selfPanel(store) },
      { key: "bag", root: bagPanel(store, act) },
      { key: "channels", root: talk.root },
      { key: "tasks", root: tasksPanel(store) },
    ],
    () => talk.draw(),
  );
  const root = el(
    "div", { class: "play" },
    el("header", {}, el("h1", {}, say("title")), keys),
    el("main", {}, output, newer, after, form),
    panels.tabs, panels.aside,
    statusLine(store),
  );

  /** @param {string} kind @param {string} text */
  const own = (kind, text) => {
    log.append({ kind, spans: [[text, null]] });
    announcer.speak(text);
  };

  form.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    const line = input.value;
    const secret = input.type === "password";
    if (bytes.encode(line).length > LONGEST) return announcer.alert(say("tooLong", { n: LONGEST }));
    const hidden = secret ? "•••" : withoutSecret(line);
    if (!send(line, hidden !== null, hidden)) return;
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

  input.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.key === "PageUp" || event.key === "PageDown") log.turn(event.key === "PageUp" ? -1 : 1);
    else if ((event.key === "ArrowUp" || event.key === "ArrowDown") && input.type !== "password") {
      const line = event.key === "ArrowUp" ? history.older(input.value) : history.newer();
      if (line !== null) {
        input.value = line;
        input.setSelectionRange(line.length, line.length);
      }
    } else return;
    event.preventDefault();
  });

  /** Keys for the whole page while it is played on. @param {KeyboardEvent} event */
  const onKey = (event) => {
    if (event.isComposing || event.altKey || event.metaKey) return;
    if (event.ctrlKey && /^[1-9]$/.test(event.key)) {
      event.preventDefault();
      announcer.speak(log.last(Number(event.key)) || say("noSuchLine"));
      return;
    }
    // words typed beside the command line are meant for it
    const beside = event.target === output || event.target === document.body;
    if (beside && !event.ctrlKey && event.key.length === 1 && event.key !== " ") input.focus();
  };

  let asked = store.get("ask").text;
  store.subscribe("ask", ({ text, secret }) => {
    if (text && text !== asked) own("system", text);
    asked = text;
    label.textContent = text || say(secret ? "secretField" : "command");
    label.className = text || secret ? "" : "unseen";
    const type = secret ? "password" : "text";
    if (input.type === type) return;
    input.type = type;
    input.value = "";
  });

  for (const line of saved.lines ?? []) log.append(line, line.id);

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
    /** A line of the game, for the panels. @param {{kind: string, text: string}} line */
    hear(line) {
      if (channels.hear(line)) talk.soon();
    },
    /** Data of Mythos.Channels. @param {any} data */
    begin(data) {
      channels.begin(data);
      talk.soon();
    },
    /** It stands in the page now. */
    shown: talk.draw,
    leave: talk.leave,
    saved: () => ({ lines: log.saved(), history: history.lines, channels: channels.saved() }),
  };
}
