/**
 * Make an element. Text is data: children that are strings become text nodes, never markup.
 *
 * @param {string} tag
 * @param {Record<string, string|number|boolean|null|undefined|((event: any) => void)>} [props]
 *   attributes; `onclick` and the like are listeners; false, null and undefined leave the attribute out
 * @param {...(Node|string)} children
 * @returns {any}
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) {
      node.setAttribute(name, value === true ? "" : String(value));
    }
  }
  node.append(...children);
  return node;
}
