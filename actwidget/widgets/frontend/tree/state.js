// @ts-check
// What a view of the tree shows at one moment, and how folding, filtering and selecting change it. No function here
// changes a state or touches the DOM: each returns the next state.

import { ancestors, arrange, matches, visibleRows } from "./rows.js";

/** @import { Row } from "./rows.js" */

/**
 * What a state follows from. Indices are into `allRows`.
 * @typedef {{
 *   allRows: Row[], selected: number, active: number, grouped: boolean, query: string, folds: Set<number>,
 *   filterFolds: Set<number>,
 * }} Choices `selected` is the row of the selected layer, `active` the one that has the focus or would get it; -1 for none.
 *   `query` is the text of the filter. `folds` are made while there is no filter, `filterFolds` while there is one, which
 *   starts with everything open.
 */

/**
 * @typedef {Choices & {
 *   rows: Row[], visible: number[], folded: Set<number>, parents: Set<number>, sizes: Map<number, number>,
 *   positions: Map<number, number>,
 * }} TreeState `rows` are arranged (see `arrange`), `visible` those that are shown, `folded` the folds in use, `parents` the
 *   rows that can be folded. `sizes` says how many children a row has, folded away or not, and `positions` which of its
 *   parent's children a row is, from 1.
 */

/**
 * Everything that folds, filter and grouping decide. If the active row is no longer visible, the ancestor that hides it
 * becomes active, or else the selected row.
 * @param {Choices} choices
 * @returns {TreeState}
 */
export function layOut(choices) {
  const { allRows, grouped, query, selected } = choices;
  const rows = /** @type {Row[]} */ (arrange(allRows, grouped));
  const folded = query.trim() ? choices.filterFolds : choices.folds;
  const visible = visibleRows(rows, folded, query);
  const all = folded.size ? visibleRows(rows, new Set(), query) : visible;
  /** @type {Map<number, number>} */
  const sizes = new Map();
  /** @type {Map<number, number>} */
  const positions = new Map();
  for (const index of all) {
    const size = (sizes.get(rows[index].parent) ?? 0) + 1;
    sizes.set(rows[index].parent, size);
    positions.set(index, size);
  }
  const parents = new Set([...sizes.keys()].filter((index) => index >= 0));
  let { active } = choices;
  if (!visible.includes(active)) {
    const candidates = [...(rows[active] ? ancestors(rows, active) : []), selected, visible[0] ?? -1];
    active = candidates.find((index) => visible.includes(index)) ?? -1;
  }
  return { ...choices, active, rows, visible, folded, parents, sizes, positions };
}

/**
 * New rows: every group is folded but those around the selected row.
 * @param {Row[]} allRows
 * @param {number} selected
 * @param {boolean} grouped
 * @param {string} query
 * @returns {TreeState}
 */
export function firstState(allRows, selected, grouped, query) {
  const folds = new Set(allRows.flatMap((row, index) => (row.group === undefined ? [] : [index])));
  for (const above of ancestors(allRows, selected)) folds.delete(above);
  return layOut({ allRows, selected, active: selected, grouped, query, folds, filterFolds: new Set() });
}

/**
 * After a key or a click: another active row, and maybe other folds.
 * @param {TreeState} state
 * @param {number} active
 * @param {Set<number>} folded
 * @returns {TreeState}
 */
export function withStep(state, active, folded) {
  if (folded === state.folded) return { ...state, active };
  return layOut({ ...state, active, [state.query.trim() ? "filterFolds" : "folds"]: folded });
}

/**
 * With another text in the filter, and all that matches it open.
 * @param {TreeState} state
 * @param {string} query
 * @returns {TreeState}
 */
export function withQuery(state, query) {
  return layOut({ ...state, query, filterFolds: new Set() });
}

/**
 * Makes a row selected, active and visible: unfolds to it, and gives up a filter that hides it.
 * @param {TreeState} state
 * @param {number} selected
 * @returns {TreeState}
 */
export function withSelected(state, selected) {
  if (selected < 0) return { ...state, selected };
  const above = ancestors(state.rows, selected);
  const unfolded = (/** @type {Set<number>} */ folds) =>
    above.some((index) => folds.has(index)) ? new Set([...folds].filter((index) => !above.includes(index))) : folds;
  const folds = unfolded(state.folds);
  const filterFolds = unfolded(state.filterFolds);
  const { rows, query } = state;
  const isFilteredOut = query.trim() && !visibleRows(rows, new Set(), query).includes(selected);
  const next = { ...state, selected, active: selected, folds, filterFolds, query: isFilteredOut ? "" : query };
  const isSame = !isFilteredOut && folds === state.folds && filterFolds === state.filterFolds;
  return isSame ? next : layOut(next);
}

/**
 * The note of the tree: why the focused layer is grey, or how many layers match the filter.
 * @param {TreeState} state
 * @param {boolean} hasFocus whether the active row has the focus
 * @returns {string}
 */
export function noteText({ allRows, active, query }, hasFocus) {
  const reason = hasFocus ? allRows[active]?.reason : undefined;
  if (reason !== undefined) return reason;
  if (!query.trim()) return "";
  const layers = allRows.filter((row) => row.path !== undefined);
  const hits = layers.filter((row) => matches(row, query)).length;
  return hits ? `${hits} of ${layers.length} layers match` : "No layer matches";
}
