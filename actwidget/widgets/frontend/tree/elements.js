// @ts-check
// The elements of the tree, before anything in them changes. Names come from the user's model, so text goes in as text.

/** @import { Row } from "./rows.js" */

/**
 * @param {string} tag
 * @param {string} className
 * @param {string} [text]
 */
export function make(tag, className, text = "") {
  const element = document.createElement(tag);
  element.className = `actw-tree-${className}`;
  if (text) element.append(text);
  return element;
}

/** The tree without rows. */
export function treeElements() {
  const filter = /** @type {HTMLInputElement} */ (make("input", "filter"));
  filter.type = "search";
  filter.placeholder = "Filter by name or class";
  filter.spellcheck = false;
  filter.autocomplete = "off";
  filter.setAttribute("aria-label", "Filter layers by name or class");
  const grouping = /** @type {HTMLButtonElement} */ (make("button", "grouping", "group"));
  grouping.type = "button";
  grouping.title = "Group neighbours whose names begin alike";
  const head = make("div", "head");
  head.append(filter, grouping);
  const box = make("div", "rows");
  box.setAttribute("role", "tree");
  const note = make("div", "note");
  note.setAttribute("aria-live", "polite");
  // ipywidgets lays out the view's own element by classes of its own, so the tree has another one inside.
  const root = document.createElement("div");
  root.className = "actw-tree";
  root.append(head, box, note);
  return { root, filter, grouping, box, note };
}

/**
 * @param {Row} row
 * @param {Row | undefined} parent
 * @param {number} index
 */
export function rowElement(row, parent, index) {
  const isGroup = row.group !== undefined;
  const element = make("div", isGroup ? "row actw-tree-group" : "row");
  element.setAttribute("role", "treeitem");
  element.dataset.index = String(index);
  if (isGroup) element.dataset.group = row.group;
  else element.dataset.path = row.path;
  const details = isGroup ? `${row.count} layers` : (row.class ?? "");
  const name = make("span", "name");
  const text = make("bdi", "text");
  text.dir = "ltr";
  const shared = parent?.group !== undefined && row.name.length > parent.name.length ? parent.name.length + 1 : 0;
  if (shared) text.append(make("span", "prefix", row.name.slice(0, shared)));
  text.append(row.name.slice(shared));
  name.append(text);
  // The spaces are for screen readers and for copied text; the layout doesn't show them.
  const columns = [make("span", "class", details), " ", make("span", "shape", row.shape)];
  element.append(make("span", "twisty"), name, " ", ...columns);
  const path = row.path !== undefined && row.path !== row.name ? row.path : "";
  element.title = [row.name, details, row.shape, path, row.reason].filter(Boolean).join("\n");
  if (row.reason !== undefined) element.setAttribute("aria-disabled", "true");
  return element;
}

/**
 * Groups of `size` rows, in elements that screen readers do not see.
 * @param {HTMLElement[]} rows
 * @param {number} size
 */
export function partElements(rows, size) {
  const parts = [];
  for (let at = 0; at < rows.length; at += size) {
    const part = make("div", "part");
    part.setAttribute("role", "none");
    part.append(...rows.slice(at, at + size));
    parts.push(part);
  }
  return parts;
}
