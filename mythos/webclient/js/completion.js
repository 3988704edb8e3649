import { el } from "./el.js";
import { say } from "./strings.js";

/** Most words offered. */
const OFFERED = 12;

/**
 * Words that may stand where the last word of a line stands: commands and exits for the first word, else who and what
 * is here, what is carried, exits and channels.
 *
 * @param {string} line @param {{first: string[], other: string[]}} known
 * @returns {{from: number, words: string[]}} where the word begins, and what it may become; empty if it is finished
 */
export function offers(line, known) {
  const from = line.lastIndexOf(" ") + 1;
  const begun = line.slice(from).toLowerCase();
  if (!begun) return { from, words: [] };
  const among = line.slice(0, from).trim() ? known.other : known.first;
  const words = [...new Set(among)].filter((word) => word.toLowerCase().startsWith(begun) && word.length > begun.length);
  return { from, words: words.slice(0, OFFERED) };
}

/** The longest beginning of all. @param {string[]} words */
export function common(words) {
  const [first = "", ...others] = words.map((word) => word.toLowerCase());
  let length = first.length;
  for (const other of others) while (!other.startsWith(first.slice(0, length))) length -= 1;
  return first.slice(0, length);
}

/**
 * Tab completes in a field; of several words it shows a list to choose from. With nothing to complete Tab goes on to
 * the next element as ever.
 *
 * @param {HTMLInputElement} input @param {() => {first: string[], other: string[]}} known
 */
export function completion(input, known) {
  const box = el("ul", { id: "offers", class: "offers", role: "listbox", "aria-label": say("offers"), hidden: true });
  const combobox = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "offers" };
  let at = -1;
  let from = 0;
  const close = () => {
    at = -1;
    box.hidden = true;
    box.replaceChildren();
    input.removeAttribute("aria-activedescendant");
    // a field for a password is no combobox
    for (const [name, value] of Object.entries(combobox)) {
      if (input.type === "password") input.removeAttribute(name);
      else input.setAttribute(name, value);
    }
  };
  const put = (word) => {
    input.value = input.value.slice(0, from) + word;
    input.setSelectionRange(input.value.length, input.value.length);
  };
  const choose = (place) => {
    const options = [...box.children];
    at = (place + options.length) % options.length;
    options.forEach((option, n) => option.setAttribute("aria-selected", String(n === at)));
    input.setAttribute("aria-activedescendant", options[at].id);
  };
  const accept = () => {
    put(`${box.children[at].textContent} `);
    close();
  };
  const open = (words) => {
    box.replaceChildren(
      ...words.map((word, n) =>
        el("li", { id: `offer-${n}`, role: "option", "aria-selected": "false", onmousedown: (event) => {
          event.preventDefault();
          at = n;
          accept();
        } }, word),
      ),
    );
    box.hidden = false;
    input.setAttribute("aria-expanded", "true");
    choose(0);
  };
  close();
  input.addEventListener("input", close);
  input.addEventListener("blur", close);
  return {
    box,
    close,
    /** @param {KeyboardEvent} event @returns {boolean} whether the key was for the list */
    key(event) {
      if (!box.hidden) {
        if (event.key === "Tab" || event.key === "ArrowDown") choose(at + 1);
        else if (event.key === "ArrowUp") choose(at - 1);
        else if (event.key === "Enter") accept();
        else if (event.key === "Escape") close();
        else return false;
        return true;
      }
      if (event.key !== "Tab" || input.type === "password" || input.selectionStart !== input.value.length) return false;
      const found = offers(input.value, known());
      if (!found.words.length) return false;
      from = found.from;
      const start = common(found.words);
      if (found.words.length === 1) put(`${found.words[0]} `);
      else if (start.length > input.value.length - from) put(start);
      else open(found.words);
      return true;
    },
  };
}
