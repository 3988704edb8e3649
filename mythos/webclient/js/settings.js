import { el } from "./el.js";
import { read, write } from "./memory.js";
import { showDialog } from "./rulebook.js";
import { chime } from "./sounds.js";
import { LANGUAGES, say } from "./strings.js";

/** What a player chose about this page; kept in the browser. */
const KEY = "mythos.settings";

/** What each may be; the first until it is chosen. @type {Record<string, any[]>} */
const CHOICES = {
  theme: ["system", "dark", "light", "contrast"],
  size: ["normal", "small", "large", "huge"],
  language: ["system", ...LANGUAGES],
  hearMoves: ["sound", "speak", "silent"],
  hearTalk: ["speak", "sound", "silent"],
  hearChannels: ["speak", "sound", "silent"],
  hearCombat: ["speak", "sound", "silent"],
  reader: [false, true],
  notify: [false, true],
  sound: [false, true],
  volume: [50, 0, 10, 20, 30, 40, 60, 70, 80, 90, 100],
};

/** @param {any} data what was kept, or anything @returns {Record<string, any>} */
export function readSettings(data) {
  return Object.fromEntries(
    Object.entries(CHOICES).map(([name, values]) => [name, values.includes(data?.[name]) ? data[name] : values[0]]),
  );
}

export const keptSettings = () => readSettings(read(localStorage, KEY));

/** The language to speak: the one chosen, else the first of the browser's that there is. @param {string} chosen */
export function languageOf(chosen) {
  if (chosen !== "system") return chosen;
  const wanted = navigator.languages.map((one) => one.split("-")[0]);
  return wanted.find((one) => LANGUAGES.includes(one)) ?? LANGUAGES[0];
}

/** Show the page as it was chosen. @param {Record<string, any>} settings */
export function dress({ theme, size }) {
  document.documentElement.dataset.theme = theme;
  document.documentElement.dataset.size = size;
}

/** @param {Record<string, any>} settings @returns {boolean} whether the browser keeps them */
export const keepSettings = (settings) => write(localStorage, KEY, settings);

/**
 * @param {Record<string, any>} settings the same object, changed when something is chosen
 * @param {(on: boolean) => void} tell a screen reader is used, or no longer
 */
export function settingsDialog(settings, tell) {
  const error = el("p", { class: "error", role: "alert" });
  const keep = () => {
    dress(settings);
    if (!keepSettings(settings)) error.textContent = say("notKept");
  };
  /** @param {string} name @param {string} [words] begins the names of what may be chosen */
  const select = (name, words = name) => {
    const input = el(
      "select",
      { id: `set-${name}`, onchange: () => {
        settings[name] = input.value;
        keep();
      } },
      ...CHOICES[name].map((value) => el("option", { value, selected: settings[name] === value }, say(`${words}_${value}`))),
    );
    return el("p", { class: "field" }, el("label", { for: input.id }, say(name === "language" ? "languageLabel" : name)), input);
  };
  const check = (name, allowed) => {
    const input = el("input", { id: `set-${name}`, type: "checkbox", checked: settings[name], onchange: async () => {
      settings[name] = input.checked && (await allowed());
      if (input.checked && !settings[name]) error.textContent = say("notAllowed");
      input.checked = settings[name];
      keep();
      if (name === "reader") tell(input.checked);
    } });
    return el("p", { class: "check" }, input, el("label", { for: input.id }, say(name)));
  };
  const volume = el("input", { id: "set-volume", type: "range", min: 0, max: 100, step: 10, value: settings.volume, onchange: () => {
    settings.volume = Number(volume.value);
    keep();
    chime(settings, "callTone");
  } });
  const dialog = showDialog(
    el(
      "form", { method: "dialog" },
      el("h2", { id: "dialog-title" }, say("settings")),
      select("theme"), select("size"), select("language"), el("p", { class: "hint" }, say("languageHint")),
      check("reader", () => true),
      el("fieldset", {}, el("legend", {}, say("hear")), ...["hearMoves", "hearTalk", "hearChannels", "hearCombat"].map((name) => select(name, "hear"))),
      check("notify", async () => "Notification" in window && (await Notification.requestPermission()) === "granted"),
      check("sound", () => true),
      el("p", { class: "field" }, el("label", { for: "set-volume" }, say("volume")), volume),
      error,
      el("p", { class: "actions" }, el("button", { type: "submit" }, say("close"))),
    ),
  );
  return dialog;
}
