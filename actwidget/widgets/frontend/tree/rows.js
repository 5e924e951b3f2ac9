// @ts-check
// The rows of the layer tree: a flat list in the order of the tree, and which of them are shown. No DOM here.

/**
 * A layer (with `path`) or a prefix group (with `group`).
 * @typedef {{
 *   name: string, shape: string, level: number, parent: number, path?: string, class?: string, reason?: string,
 *   group?: string, count?: number,
 * }} Row `parent` is the index of a row, -1 at the top. `reason` says why a layer's value is not available.
 */

/**
 * The rows, from the short form in which the kernel sends them; `packed_rows` in `tree.py` describes it.
 * @param {{words: string[], cells: any[]}} packed
 * @returns {Row[]}
 */
export function unpackRows({ words, cells }) {
  /** @type {Row[]} */
  const rows = [];
  /** @type {string[]} For each row what stands before the names of its children in their paths. */
  const folders = [];
  for (let at = 0; at < cells.length; at += 5) {
    const [name, kind, shape, up, rest] = cells.slice(at, at + 5);
    const parent = up ? rows.length - up : -1;
    const above = rows[parent];
    const folder = folders[parent] ?? "";
    const row = { name, shape: words[shape], level: (above?.level ?? 0) + 1, parent };
    const own = kind < 0 ? { group: folder + name, count: 0 } : { path: folder + name, class: words[kind] };
    rows.push({ ...row, ...own, ...(rest || {}) });
    folders.push(kind < 0 ? folder : `${rows[rows.length - 1].path}/`);
    if (above?.count !== undefined) above.count += 1;
  }
  return rows;
}

/**
 * The rows as they are shown with or without prefix groups, with the same indices; a group that isn't shown is null.
 * @param {Row[]} rows
 * @param {boolean} grouped
 * @returns {(Row | null)[]}
 */
export function arrange(rows, grouped) {
  if (grouped) return rows;
  /** @type {number[]} */
  const levels = [];
  return rows.map((row, index) => {
    let parent = row.parent;
    while (parent >= 0 && rows[parent].group !== undefined) parent = rows[parent].parent;
    levels[index] = parent < 0 ? 1 : levels[parent] + 1;
    return row.group === undefined ? { ...row, parent, level: levels[index] } : null;
  });
}

/**
 * Whether a row is a layer whose path or class contains each word of the query, in any case.
 * @param {Row} row
 * @param {string} query
 */
export function matches(row, query) {
  const text = `${row.path} ${row.class}`.toLowerCase();
  return row.path !== undefined && query.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/**
 * Indices of the rows that are shown: those that match the query and their ancestors, without what is folded away.
 * @param {(Row | null)[]} rows
 * @param {Set<number>} folded
 * @param {string} query
 * @returns {number[]}
 */
export function visibleRows(rows, folded, query) {
  const kept = new Set();
  rows.forEach((row, index) => {
    if (!row || (query.trim() && !matches(row, query))) return;
    for (let at = index; at >= 0 && !kept.has(at); at = /** @type {Row} */ (rows[at]).parent) kept.add(at);
  });
  const hidden = new Set();
  return rows.flatMap((row, index) => {
    if (!row || !kept.has(index)) return [];
    if (hidden.has(row.parent) || folded.has(row.parent)) hidden.add(index);
    return hidden.has(index) ? [] : [index];
  });
}

/**
 * The ancestors of a row, from its parent up.
 * @param {(Row | null)[]} rows
 * @param {number} index
 * @returns {number[]}
 */
export function ancestors(rows, index) {
  const found = [];
  for (let at = rows[index]?.parent ?? -1; at >= 0; at = rows[at]?.parent ?? -1) found.push(at);
  return found;
}

/**
 * The path that a row selects when it gets the focus; null for groups and for layers whose value is not available.
 * @param {Row} row
 * @returns {string | null}
 */
export function selectablePath(row) {
  return row.path !== undefined && row.reason === undefined ? row.path : null;
}

/**
 * The warning of each row that has one: a layer's own, and how many layers with warnings are inside.
 * @typedef {{text: string, isOwn: boolean}} Warning
 * @param {Row[]} rows
 * @param {Record<string, string>} marks what is wrong with a layer, by its path
 * @returns {Map<number, Warning>} by index
 */
export function warnings(rows, marks) {
  /** @type {Map<number, Warning>} */
  const found = new Map();
  /** @type {Map<number, number>} */
  const inside = new Map();
  rows.forEach(({ path }, index) => {
    if (path === undefined || !Object.hasOwn(marks, path)) return;
    found.set(index, { text: marks[path], isOwn: true });
    for (const above of ancestors(rows, index)) inside.set(above, (inside.get(above) ?? 0) + 1);
  });
  for (const [index, count] of inside) {
    if (!found.has(index)) found.set(index, { text: `${count} layer${count === 1 ? "" : "s"} inside with ${count === 1 ? "a warning" : "warnings"}`, isOwn: false });
  }
  return found;
}
