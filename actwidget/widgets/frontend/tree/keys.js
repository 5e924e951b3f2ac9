// @ts-check
// What a key does to the layer tree, after the tree pattern of the WAI-ARIA Authoring Practices. No DOM here.

import { selectablePath } from "./rows.js";

/** @import { Row } from "./rows.js" */

/**
 * What a key or a click does.
 * @typedef {{active: number, folded: Set<number>, select: string | null}} Step `active` is the row that gets the focus,
 *   `folded` the rows that are folded after it, `select` the path of the layer to select, if any.
 */

const TYPE_AHEAD_MS = 500;

/**
 * What a key does to the tree, or null if the tree has no use for the key.
 * @param {{rows: Row[], visible: number[], folded: Set<number>, active: number, parents: Set<number>}} state
 *   as in `TreeState`
 * @param {string} key as in `KeyboardEvent.key`
 * @returns {Step | null}
 */
export function nextStep({ rows, visible, folded, active, parents }, key) {
  const row = rows[active];
  if (!row) return null;
  /** @param {number} index @param {Set<number>} [folds] @returns {Step} */
  const goTo = (index, folds = folded) => ({
    active: index,
    folded: folds,
    select: index === active ? null : selectablePath(rows[index]),
  });
  /** @param {(folds: Set<number>) => void} change */
  const fold = (change) => {
    const folds = new Set(folded);
    change(folds);
    return goTo(active, folds);
  };
  const at = visible.indexOf(active);
  const isOpen = parents.has(active) && !folded.has(active);
  switch (key) {
    case "ArrowDown":
      return goTo(visible[Math.min(at + 1, visible.length - 1)]);
    case "ArrowUp":
      return goTo(visible[Math.max(at - 1, 0)]);
    case "Home":
      return goTo(visible[0]);
    case "End":
      return goTo(visible[visible.length - 1]);
    case "ArrowRight":
      if (!parents.has(active)) return goTo(active);
      return isOpen ? goTo(visible[at + 1]) : fold((folds) => folds.delete(active));
    case "ArrowLeft":
      if (isOpen) return fold((folds) => folds.add(active));
      return goTo(row.parent >= 0 ? row.parent : active);
    case "*":
      return fold((folds) => parents.forEach((index) => rows[index].parent === row.parent && folds.delete(index)));
    case "Enter":
    case " ":
      if (row.group === undefined) return { active, folded, select: selectablePath(row) };
      return fold((folds) => (isOpen ? folds.add(active) : folds.delete(active)));
    default:
      return null;
  }
}

/**
 * The row that typing goes to: the next one whose name starts with the text. One letter, also typed repeatedly, goes on
 * from row to row; more letters may stay where they are.
 * @param {Row[]} rows
 * @param {number[]} visible
 * @param {number} active
 * @param {string} typed
 * @returns {number} an index into `rows`, -1 if there is none
 */
export function typeAhead(rows, visible, active, typed) {
  const text = typed.toLowerCase();
  const start = visible.indexOf(active);
  /** @param {string} wanted @param {number} offset */
  const find = (wanted, offset) => {
    const order = [...visible.slice(start + offset), ...visible.slice(0, start + offset)];
    return order.find((index) => rows[index].name.toLowerCase().startsWith(wanted)) ?? -1;
  };
  const found = find(text, text.length > 1 ? 0 : 1);
  const isRepeated = text.length > 1 && [...text].every((letter) => letter === text[0]);
  return found < 0 && isRepeated ? find(text[0], 1) : found;
}

/**
 * Collects letters that are typed one soon after the other.
 * @returns {(event: {key: string, timeStamp: number}) => string} gives all that was typed, with this letter
 */
export function typedText() {
  let text = "";
  let lastTime = -Infinity;
  return ({ key, timeStamp }) => {
    text = timeStamp - lastTime > TYPE_AHEAD_MS ? key : text + key;
    lastTime = timeStamp;
    return text;
  };
}
