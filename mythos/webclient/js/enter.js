import { Problem } from "./api.js";
import { el } from "./el.js";
import { say } from "./strings.js";

/**
 * The way in: as a guest, by login, by registering; or the claim of the first keeper.
 *
 * @param {object} parts
 * @param {import("./api.js").Api} parts.api
 * @param {import("./announcer.js").Announcer} parts.announcer
 * @param {string|null} parts.claim the code in the address, perhaps empty; null: an ordinary visit
 * @param {string} [parts.notice] why we are here again
 * @param {(grant: {token: string, refresh: string, name: string}) => void} parts.enter
 */
export function enterScreen({ api, announcer, claim, notice = "", enter }) {
  let busy = false;

  const field = (id, label, props) => {
    const input = el("input", { id, name: id, required: true, "aria-describedby": "enter-error", ...props });
    return { input, row: el("p", { class: "field" }, el("label", { for: id }, label), input) };
  };
  const code = field("code", say("code"), {
    type: "text", value: claim ?? "", autocomplete: "off", autocapitalize: "characters", spellcheck: "false",
  });
  const name = field("name", say("name"), {
    type: "text", autocomplete: "username", autocapitalize: "words", spellcheck: "false", maxlength: 40,
  });
  const password = field("password", say("password"), {
    type: "password", autocomplete: "current-password", maxlength: 256,
    "aria-describedby": "password-hint enter-error",
  });
  const hint = el("p", { class: "hint", id: "password-hint" }, say("passwordHint"));
  const error = el("p", { class: "error", id: "enter-error" });
  const guestError = el("p", { class: "error", id: "guest-error" });
  const show = el("input", {
    type: "checkbox", id: "show",
    onchange: () => (password.input.type = show.checked ? "text" : "password"),
  });
  const showRow = el("p", { class: "check" }, show, el("label", { for: "show" }, say("showPassword")));
  const submit = el("button", { type: "submit" }, say(claim === null ? "login" : "claim"));

  let path = claim === null ? "login" : "claim";
  const choose = (way) => {
    path = way;
    submit.textContent = say(way);
    password.input.autocomplete = way === "login" ? "current-password" : "new-password";
    hint.hidden = way === "login";
    password.input.setAttribute("aria-describedby", way === "login" ? "enter-error" : "password-hint enter-error");
  };
  const choice = (way, text) => {
    const radio = el("input", { type: "radio", name: "way", id: way, checked: way === "login", onchange: () => choose(way) });
    return el("span", { class: "check" }, radio, el("label", { for: way }, text));
  };

  const complain = (place, message, at) => {
    for (const input of [code.input, name.input, password.input]) input.removeAttribute("aria-invalid");
    place.textContent = message;
    if (!message) return;
    announcer.alert(message, say("language"));
    at?.setAttribute("aria-invalid", "true");
    at?.focus();
  };

  const ask = async (to, body, place, button) => {
    if (busy) return;
    busy = true;
    complain(place, "");
    const label = button.textContent;
    button.textContent = say("working");
    try {
      enter(await api.post(to, body));
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      const at = { name_taken: name.input, unauthorized: password.input }[problem.code] ?? name.input;
      complain(place, problem.message || say("unreachable"), place === error ? at : undefined);
    } finally {
      busy = false;
      button.textContent = label;
    }
  };

  const form = el(
    "form",
    {
      method: "post",
      novalidate: true,
      onsubmit: (event) => {
        event.preventDefault();
        const typed = { name: name.input.value.trim(), password: password.input.value };
        if (claim !== null && !code.input.value.trim()) return complain(error, say("noCode"), code.input);
        if (!typed.name) return complain(error, say("noName"), name.input);
        if (!typed.password) return complain(error, say("noPassword"), password.input);
        const body = claim === null ? typed : { code: code.input.value.trim(), ...typed };
        void ask(path, body, error, submit);
      },
    },
    ...(claim === null
      ? [el("fieldset", {}, el("legend", {}, say("accountWhich")), choice("login", say("haveOne")), choice("register", say("makeOne")))]
      : [code.row]),
    name.row, password.row, hint, showRow, error, submit,
  );
  const guest = el(
    "button",
    { type: "button", class: "first", "aria-describedby": "guest-error", onclick: () => void ask("guest", {}, guestError, guest) },
    say("guest"),
  );
  if (claim === null) choose("login");
  const heading = say(claim === null ? "accountHeading" : "claimHeading");
  const account = el("section", { "aria-labelledby": "account" }, el("h2", { id: "account" }, heading));
  if (claim !== null) account.append(el("p", {}, say("claimText")));
  account.append(form);
  return el(
    "main",
    { class: "enter", id: "enter", tabindex: "-1" },
    el("h1", {}, say("title")),
    el("p", { class: "lead" }, notice || say("welcome")),
    ...(claim === null
      ? [el("section", { "aria-labelledby": "guest" }, el("h2", { id: "guest" }, say("guestHeading")), el("p", {}, say("guestText")), guest, guestError)]
      : []),
    account,
  );
}
