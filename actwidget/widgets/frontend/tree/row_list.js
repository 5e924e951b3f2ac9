// @ts-check
// The rows in the page: made once for each model, then changed by as few attributes as possible.

import { make, partElements, rowElement } from "./elements.js";
import { warnings } from "./rows.js";

/**
 * @import { Row, Warning } from "./rows.js"
 * @import { TreeState } from "./state.js"
 */

/** A tree of more rows than this holds them in parts, which cost the page nothing but their height while out of sight. */
const LARGE = 256;
const ROWS_OF_A_PART = 32;

/**
 * @param {Element} element
 * @param {string} name
 * @param {string | number | boolean} value
 */
export function updateAttribute(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, String(value));
}

/**
 * Says in words why a row is grey, or what is wrong with its layer; for that it gets a dot too.
 * @param {HTMLElement} element
 * @param {Row} row
 * @param {Warning | undefined} warning
 */
function describe(element, row, warning) {
  const description = warning?.text ?? row.reason;
  if (description === undefined) element.removeAttribute("aria-description");
  else updateAttribute(element, "aria-description", description);
  let dot = /** @type {HTMLElement | null} */ (element.querySelector(".actw-tree-mark"));
  if (!warning) return dot?.remove();
  if (!dot) {
    dot = make("span", "mark");
    dot.setAttribute("aria-hidden", "true");
    element.children[1].after(dot);
  }
  dot.textContent = warning.isOwn ? "\u25cf" : "\u25cb";
  dot.classList.toggle("actw-tree-inside", !warning.isOwn); // not shown while the row is open
  dot.title = warning.text;
}

/** The rows, which scroll in a box. */
export class RowList {
  /** @type {HTMLElement[]} one for each row, by its index */
  #elements = [];
  /** @type {HTMLElement[]} */
  #parts = [];

  /** @param {HTMLElement} box the element that the rows are in, and that scrolls */
  constructor(box) {
    this.box = box;
  }

  /** @param {Row[]} rows */
  build(rows) {
    this.#elements = rows.map((row, index) => rowElement(row, rows[row.parent], index));
    this.#parts = rows.length > LARGE ? partElements(this.#elements, ROWS_OF_A_PART) : [];
    this.box.replaceChildren(...(this.#parts.length ? this.#parts : this.#elements));
  }

  /**
   * Which rows are shown, and where in the tree each is.
   * @param {TreeState} state
   */
  layOut({ rows, visible, positions, sizes, parents, folded }) {
    const shown = new Set(visible);
    this.#elements.forEach((element, index) => {
      element.hidden = !shown.has(index);
      const position = positions.get(index);
      if (position === undefined) return;
      const { level, parent } = rows[index];
      if (element.ariaLevel !== String(level)) element.style.setProperty("--actw-level", String(level));
      updateAttribute(element, "aria-level", level);
      updateAttribute(element, "aria-setsize", sizes.get(parent) ?? 1);
      updateAttribute(element, "aria-posinset", position);
      if (parents.has(index)) updateAttribute(element, "aria-expanded", !folded.has(index));
      else element.removeAttribute("aria-expanded");
    });
    for (const part of this.#parts) {
      const count = part.querySelectorAll("[role=treeitem]:not([hidden])").length;
      part.style.setProperty("--actw-rows", String(count));
    }
  }

  /**
   * Which row is selected, and which is reached by Tab. Only these change while a key is held.
   * @param {TreeState} state
   */
  mark({ selected, active }) {
    this.#elements.forEach((element, index) => {
      updateAttribute(element, "aria-selected", index === selected);
      updateAttribute(element, "tabindex", index === active ? 0 : -1);
    });
  }

  /**
   * @param {Row[]} rows
   * @param {Record<string, string>} marks what is wrong with a layer, by its path
   */
  describe(rows, marks) {
    const found = warnings(rows, marks);
    this.#elements.forEach((element, index) => describe(element, rows[index], found.get(index)));
  }

  hasFocus() {
    return this.box.contains(document.activeElement);
  }

  /** @param {number} index */
  focus(index) {
    this.#elements[index]?.focus({ preventScroll: true });
  }

  /**
   * Scrolls the tree's own box, never the page.
   * @param {number} index
   * @param {boolean} [centre] if it is out of sight, put it into the middle
   */
  reveal(index, centre = false) {
    const { box } = this;
    const element = this.#elements[index];
    if (!element || element.hidden || !box.clientHeight) return;
    const part = /** @type {HTMLElement} */ (element.parentElement);
    const above = element.offsetTop + (part === box ? 0 : part.offsetTop);
    const below = above + element.offsetHeight - box.clientHeight;
    if (box.scrollTop <= above && box.scrollTop >= below) return;
    if (centre) box.scrollTop = (above + below) / 2;
    else box.scrollTop = box.scrollTop > above ? above : below;
  }
}
