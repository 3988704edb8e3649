import { el } from "./el.js";

/** The log as a file. It is made of text, so nothing in it can become markup. */

const text = (lines) => lines.map((line) => `${line.textContent}\n`).join("");

/** A page of its own, as it is shown here. @param {HTMLElement[]} lines */
function html(lines) {
  const page = document.implementation.createHTMLDocument(document.title);
  page.documentElement.lang = document.documentElement.lang;
  page.documentElement.dataset.theme = document.documentElement.dataset.theme;
  const style = [...document.styleSheets[0].cssRules].map((rule) => rule.cssText).join("\n");
  page.head.prepend(el("meta", { charset: "utf-8" }));
  page.body.append(...lines.map((line) => page.importNode(line, true)));
  // our own policy would forbid the style in any document of ours
  return `<!doctype html>\n${page.documentElement.outerHTML.replace("</head>", () => `<style>${style}</style></head>`)}\n`;
}

/** An object for each line: its kind, and its runs of words with their roles. @param {HTMLElement[]} lines */
const jsonl = (lines) =>
  lines
    .map((line) => {
      const kind = /kind-(\w+)/.exec(line.className)?.[1] ?? "";
      const spans = [...line.childNodes]
        .filter((node) => node.textContent)
        .map((node) => [node.textContent, node.className?.replace("role-", "") ?? null]);
      return `${JSON.stringify({ kind, text: line.textContent, spans })}\n`;
    })
    .join("");

/** By the end of the file's name: its type, and how it is written. @type {Record<string, [string, (lines: HTMLElement[]) => string]>} */
export const FORMATS = { txt: ["text/plain", text], html: ["text/html", html], jsonl: ["application/jsonl", jsonl] };
