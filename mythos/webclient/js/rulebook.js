import { el } from "./el.js";
import { read, write } from "./memory.js";
import { KEYS, LIMITS, none, readRules, Wrong } from "./rules.js";
import { say } from "./strings.js";

/** The rules in the browser's storage, and a dialog for each kind of them. */
const KEY = "mythos.rules";
/** Bytes of a file that is read in. */
const LARGEST = 500_000;

/** @type {Record<string, {field: string, type: "text"|"lines"|"key"|"seconds"|"switch"}[]>} */
const FORMS = {
  aliases: [{ field: "name", type: "text" }, { field: "does", type: "lines" }],
  triggers: [{ field: "match", type: "text" }, { field: "does", type: "lines" }, { field: "mark", type: "switch" }, { field: "hide", type: "switch" }, { field: "call", type: "switch" }],
  macros: [{ field: "label", type: "text" }, { field: "key", type: "key" }, { field: "does", type: "lines" }],
  timers: [{ field: "every", type: "seconds" }, { field: "does", type: "lines" }, { field: "on", type: "switch" }],
};
export const KINDS = Object.keys(FORMS);

/** What was kept; nothing, if that cannot be read any more. */
export function keptRules() {
  try {
    return readRules(read(localStorage, KEY) ?? {});
  } catch {
    return none();
  }
}

function explain(problem) {
  if (!(problem instanceof Wrong)) return say("wrongFile");
  const { kind, place, field } = problem.at;
  const reason = say(problem.code, LIMITS);
  if (kind === undefined || place === undefined || field === undefined) return reason;
  return say("wrongAt", { kind: say(kind), n: place + 1, field: say(`field_${field}`), reason });
}

/**
 * @param {(rules: import("./rules.js").RuleSet) => void} use called with what was saved
 * @param {() => import("./rules.js").RuleSet} current
 */
export function rulebook(use, current) {
  /** @param {import("./rules.js").RuleSet} rules @returns {string} why it could not be kept, or nothing */
  const keep = (rules) => {
    use(rules);
    return write(localStorage, KEY, rules) ? "" : say("notKept");
  };

  const open = (kind) => {
    let count = 0;
    const rows = el("div", { class: "rules" });
    const error = el("p", { class: "error", role: "alert" });

    const row = (rule) => {
      count += 1;
      const inputs = FORMS[kind].map(({ field, type }) => {
        const id = `rule-${count}-${field}`;
        const value = rule[field];
        const input =
          type === "lines" ? el("textarea", { id, rows: 2, maxlength: LIMITS.does, spellcheck: "false" }, value ?? "")
          : type === "key" ? el("select", { id }, el("option", { value: "" }, say("noKey")), ...KEYS.map((key) => el("option", { selected: key === value }, key)))
          : type === "switch" ? el("input", { id, type: "checkbox", checked: Boolean(value) })
          : type === "seconds" ? el("input", { id, type: "number", min: LIMITS.fastest, max: LIMITS.slowest, value: value ?? 60 })
          : el("input", { id, type: "text", maxlength: LIMITS.name, value: value ?? "", spellcheck: "false", autocapitalize: "none" });
        input.dataset.field = field;
        const label = el("label", { for: id }, say(`field_${field}`));
        return el("p", { class: type === "switch" ? "check" : "field" }, ...(type === "switch" ? [input, label] : [label, input]));
      });
      const remove = el("button", { type: "button", onclick: () => {
        one.remove();
        add.focus();
      } }, say("removeRule"));
      const one = el("fieldset", { class: "rule" }, el("legend", { class: "unseen" }, say("rule", { n: count })), ...inputs, remove);
      rows.append(one);
      return one;
    };

    const typed = () =>
      [...rows.children].map((one) =>
        Object.fromEntries(
          [...one.querySelectorAll("[data-field]")].map((input) => [
            input.dataset.field,
            input.type === "checkbox" ? input.checked : input.type === "number" ? Number(input.value) : input.value,
          ]),
        ),
      );
    const add = el("button", { type: "button", onclick: () => row({ on: true }).querySelector("[data-field]").focus() }, say("addRule"));
    const file = el("input", { type: "file", id: "rules-file", accept: "application/json,.json", class: "unseen", tabindex: -1, "aria-hidden": "true" });
    file.addEventListener("change", async () => {
      const [chosen] = file.files;
      file.value = "";
      if (!chosen) return;
      try {
        if (chosen.size > LARGEST) throw new Wrong("wrongFile");
        const problem = keep(readRules(JSON.parse(await chosen.text())));
        error.textContent = problem;
        if (!problem) dialog.close();
      } catch (problem) {
        error.textContent = explain(problem);
      }
    });
    const form = el(
      "form",
      {
        method: "dialog",
        onsubmit: (event) => {
          event.preventDefault();
          try {
            error.textContent = keep(readRules({ ...current(), [kind]: typed() }));
            if (!error.textContent) dialog.close();
          } catch (problem) {
            error.textContent = explain(problem);
            const { place, field } = problem instanceof Wrong ? problem.at : {};
            const at = rows.children[place ?? -1]?.querySelector(`[data-field="${field}"]`);
            at?.setAttribute("aria-invalid", "true");
            at?.focus();
          }
        },
      },
      el("h2", { id: "dialog-title" }, say(kind)),
      el("p", { class: "hint" }, say(`${kind}Hint`)),
      rows, error,
      el("p", { class: "actions" }, add, el("button", { type: "submit" }, say("save")),
        el("button", { type: "button", onclick: () => dialog.close() }, say("cancel"))),
      el("p", { class: "actions" },
        el("button", { type: "button", onclick: () => download("mythos-rules.json", "application/json", JSON.stringify(current(), null, 2)) }, say("export")),
        el("button", { type: "button", onclick: () => file.click() }, say("import")), file),
    );
    const dialog = showDialog(form);
    for (const rule of current()[kind]) row(rule);
  };
  return { open };
}

/** A modal dialog named by its heading `#dialog-title`; it is gone when it is closed. @param {HTMLElement} content */
export function showDialog(content) {
  const dialog = el("dialog", { "aria-labelledby": "dialog-title" }, content);
  // what lies behind a modal dialog is not spoken: the regions that are come along, without what was spoken already
  const regions = document.querySelectorAll("#polite, #alert");
  const bring = (to) => {
    for (const region of regions) region.replaceChildren();
    to.prepend(...regions);
  };
  bring(dialog);
  dialog.addEventListener("close", () => {
    bring(document.body);
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Save a text as a file. @param {string} name @param {string} type @param {string} text */
export function download(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
