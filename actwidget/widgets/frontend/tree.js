// @ts-check
/**
 * The layer tree in the browser. What is shown, and what a key does, are pure functions of the rows; `render` puts them
 * into the page. The selection lives in the model, so two views of one tree agree; folds and the filter are each view's own.
 *
 * @typedef {{name: string, shape: string, level: number, parent: number, path?: string, class?: string, reason?: string,
 *   group?: string, count?: number}} Row A layer (with `path`) or a prefix group (with `group`); `parent` is an index.
 * @typedef {{get(name: string): any, set(name: string, value: any): void, save_changes(): void, send(content: object): void,
 *   on(event: string, callback: () => void): void, off(event: string, callback: () => void): void}} Model
 * @typedef {{rows: Row[], visible: number[], folded: Set<number>, active: number}} State Indices are into `rows`.
 * @typedef {{active: number, folded: Set<number>, select: string | null}} Step
 */

const SUPPRESS = "data-lm-suppress-shortcuts";
const TYPE_AHEAD_MS = 500;
const LARGE = 256;
const PART = 32;

/**
 * The rows, from the short form in which they travel; `packed_rows` in `tree.py` describes it.
 * @param {{words: string[], cells: any[]}} packed
 * @returns {Row[]}
 */
export function unpackRows({ words, cells }) {
  /** @type {Row[]} */
  const rows = [];
  /** @type {string[]} */
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
 * Indices of the rows that are shown: those that match the query and their ancestors, less what is folded away.
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
 * Why rows want attention: a layer by its own numbers, what holds such layers by how many they are.
 * @param {Row[]} rows
 * @param {Record<string, string>} marks For each path that wants attention why.
 * @returns {Map<number, {why: string, own: boolean}>} By index.
 */
export function attention(rows, marks) {
  /** @type {Map<number, {why: string, own: boolean}>} */
  const found = new Map();
  /** @type {Map<number, number>} */
  const inside = new Map();
  rows.forEach(({ path }, index) => {
    if (path === undefined || !Object.hasOwn(marks, path)) return;
    found.set(index, { why: marks[path], own: true });
    for (const above of ancestors(rows, index)) inside.set(above, (inside.get(above) ?? 0) + 1);
  });
  for (const [index, count] of inside) {
    if (!found.has(index)) found.set(index, { why: `${count} layer${count === 1 ? "" : "s"} inside to look at`, own: false });
  }
  return found;
}

/**
 * What a key does to the tree, or null if the tree has no use for the key.
 * @param {State & {parents: Set<number>}} state `parents` are the rows that can be folded.
 * @param {string} key As in `KeyboardEvent.key`.
 * @returns {Step | null}
 */
export function nextState({ rows, visible, folded, active, parents }, key) {
  const row = rows[active];
  if (!row) return null;
  /** @param {number} index @param {Set<number>} [folds] @returns {Step} */
  const goTo = (index, folds = folded) => ({
    active: index,
    folded: folds,
    select: index === active ? null : selectable(rows[index]),
  });
  /** @param {(folds: Set<number>) => void} change */
  const fold = (change) => {
    const folds = new Set(folded);
    change(folds);
    return goTo(active, folds);
  };
  const at = visible.indexOf(active);
  const open = parents.has(active) && !folded.has(active);
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
      return open ? goTo(visible[at + 1]) : fold((folds) => folds.delete(active));
    case "ArrowLeft":
      if (open) return fold((folds) => folds.add(active));
      return goTo(row.parent >= 0 ? row.parent : active);
    case "*":
      return fold((folds) => parents.forEach((index) => rows[index].parent === row.parent && folds.delete(index)));
    case "Enter":
    case " ":
      if (row.group === undefined) return { active, folded, select: selectable(row) };
      return fold((folds) => (open ? folds.add(active) : folds.delete(active)));
    default:
      return null;
  }
}

/**
 * The path that focus on a row selects; groups and layers whose value can't be had take the focus only.
 * @param {Row} row
 * @returns {string | null}
 */
function selectable(row) {
  return row.path !== undefined && row.reason === undefined ? row.path : null;
}

/**
 * The row that typing goes to: the next one whose name starts with the text. One letter, also typed repeatedly, goes on
 * from row to row; more letters may stay where they are.
 * @param {Row[]} rows
 * @param {number[]} visible
 * @param {number} active
 * @param {string} typed
 * @returns {number} An index into `rows`, -1 if there is none.
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
  const repeated = text.length > 1 && [...text].every((letter) => letter === text[0]);
  return found < 0 && repeated ? find(text[0], 1) : found;
}

/**
 * An element with text in it (never HTML: names come from the user's model).
 * @param {string} tag
 * @param {string} className
 * @param {string} [text]
 */
function make(tag, className, text = "") {
  const element = document.createElement(tag);
  element.className = `actw-tree-${className}`;
  if (text) element.append(text);
  return element;
}

/**
 * @param {Row} row
 * @param {Row | undefined} parent
 * @param {number} index
 */
function rowElement(row, parent, index) {
  const element = make("div", row.group === undefined ? "row" : "row actw-tree-group");
  element.setAttribute("role", "treeitem");
  element.dataset.index = String(index);
  if (row.group === undefined) element.dataset.path = row.path;
  else element.dataset.group = row.group;
  const details = row.group === undefined ? (row.class ?? "") : `${row.count} layers`;
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
  const address = row.path !== undefined && row.path !== row.name ? row.path : "";
  element.title = [row.name, details, row.shape, address, row.reason].filter(Boolean).join("\n");
  if (row.reason !== undefined) {
    element.setAttribute("aria-disabled", "true");
    element.setAttribute("aria-description", row.reason);
  }
  return element;
}

/**
 * The rows of a large tree by the `PART`, in elements that are nothing to a screen reader.
 * @param {HTMLElement[]} elements
 */
function partsOf(elements) {
  const parts = [];
  for (let at = 0; at < elements.length; at += PART) {
    const part = make("div", "part");
    part.setAttribute("role", "none");
    part.append(...elements.slice(at, at + PART));
    parts.push(part);
  }
  return parts;
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {string | number | boolean} value
 */
function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, String(value));
}

/**
 * Whether a key pressed in an explorer is for the page around it: combinations, Shift+Enter, and what leads out.
 * @param {{key: string, ctrlKey: boolean, metaKey: boolean, altKey: boolean, shiftKey: boolean}} event
 */
export function isForPage({ key, ctrlKey, metaKey, altKey, shiftKey }) {
  return ctrlKey || metaKey || altKey || key === "Tab" || key === "Escape" || (shiftKey && key === "Enter");
}

/** @param {{model: Model, el: HTMLElement}} view */
function render({ model, el }) {
  const listeners = new AbortController();
  const { signal } = listeners;
  /** @type {Row[]} */
  let rows = [];
  /** @type {HTMLElement[]} */
  let elements = [];
  /** @type {HTMLElement[]} Of a large tree: each holds `PART` rows, and out of sight is a height and no more to the page. */
  let parts = [];
  /** @type {State & {parents: Set<number>}} As now shown: `rows` are arranged. */
  let state = { rows: [], visible: [], folded: new Set(), active: -1, parents: new Set() };
  /** @type {Set<number>} Folds made while there is no filter; a filter starts with everything open. */
  let folds = new Set();
  /** @type {Set<number>} */
  let filterFolds = new Set();
  let query = "";
  let typed = "";
  let typedAt = -Infinity;

  const filter = /** @type {HTMLInputElement} */ (make("input", "filter"));
  filter.type = "search";
  filter.placeholder = "Filter by name or class";
  filter.spellcheck = false;
  filter.autocomplete = "off";
  filter.setAttribute("aria-label", "Filter layers by name or class");
  const grouping = /** @type {HTMLButtonElement} */ (make("button", "grouping", "group"));
  grouping.type = "button";
  grouping.title = "Group neighbours whose names begin alike";
  const note = make("div", "note");
  note.setAttribute("aria-live", "polite");
  const box = make("div", "rows");
  box.setAttribute("role", "tree");
  const head = make("div", "head");
  head.append(filter, grouping);
  // A root of its own, since `el` belongs to ipywidgets, which lays it out by classes of its own.
  const root = document.createElement("div");
  root.className = "actw-tree";
  root.append(head, box, note);
  el.replaceChildren(root);

  const selectedIndex = () => {
    const path = model.get("selected");
    return path ? rows.findIndex((row) => row.path === path) : -1;
  };

  /** Says why the focused layer is grey, or how many layers the filter lets through. */
  function report() {
    const layers = rows.filter((row) => row.path !== undefined);
    const hits = layers.filter((row) => matches(row, query)).length;
    const reason = box.contains(document.activeElement) ? rows[state.active]?.reason : undefined;
    let text = "";
    if (reason !== undefined) text = reason;
    else if (query.trim()) text = hits ? `${hits} of ${layers.length} layers` : "no layer matches";
    if (note.textContent !== text) note.textContent = text;
  }

  /** Selection and focus: few attributes, so that a held key costs little. */
  function mark() {
    const selected = selectedIndex();
    elements.forEach((element, index) => {
      setAttribute(element, "aria-selected", index === selected);
      setAttribute(element, "tabindex", index === state.active ? 0 : -1);
    });
  }

  /** A dot on the rows that want attention, with the reason in words; an open one does not repeat what is seen below it. */
  function attend() {
    const found = attention(rows, model.get("marks") ?? {});
    elements.forEach((element, index) => {
      const { why, own } = found.get(index) ?? {};
      let dot = /** @type {HTMLElement | null} */ (element.querySelector(".actw-tree-mark"));
      if (why === undefined) {
        if (!dot) return;
        dot.remove();
        const { reason } = rows[index];
        if (reason === undefined) element.removeAttribute("aria-description");
        else element.setAttribute("aria-description", reason);
        return;
      }
      if (!dot) {
        dot = make("span", "mark");
        dot.setAttribute("aria-hidden", "true");
        element.children[1].after(dot);
      }
      dot.textContent = own ? "\u25cf" : "\u25cb";
      dot.classList.toggle("actw-tree-inside", !own);
      dot.title = why;
      setAttribute(element, "aria-description", why);
    });
  }

  /** Everything that folds, filter and grouping change. */
  function refresh() {
    const grouped = Boolean(model.get("grouped"));
    const arranged = arrange(rows, grouped);
    const folded = query.trim() ? filterFolds : folds;
    const visible = visibleRows(arranged, folded, query);
    const all = folded.size ? visibleRows(arranged, new Set(), query) : visible;
    /** @type {Map<number, number>} How many children each row has, whether or not they are folded away. */
    const sizes = new Map();
    /** @type {Map<number, number>} */
    const positions = new Map();
    const shown = /** @type {Row[]} */ (arranged);
    for (const index of all) {
      const parent = shown[index].parent;
      sizes.set(parent, (sizes.get(parent) ?? 0) + 1);
      positions.set(index, /** @type {number} */ (sizes.get(parent)));
    }
    const parents = new Set([...sizes.keys()].filter((index) => index >= 0));
    const inSight = new Set(visible);
    const hadFocus = box.contains(document.activeElement);
    elements.forEach((element, index) => {
      element.hidden = !inSight.has(index);
      const row = arranged[index];
      if (!row || !positions.has(index)) return;
      if (element.ariaLevel !== String(row.level)) element.style.setProperty("--actw-level", String(row.level));
      setAttribute(element, "aria-level", row.level);
      setAttribute(element, "aria-setsize", sizes.get(row.parent) ?? 1);
      setAttribute(element, "aria-posinset", positions.get(index) ?? 1);
      if (parents.has(index)) setAttribute(element, "aria-expanded", !folded.has(index));
      else element.removeAttribute("aria-expanded");
    });
    for (const part of parts) {
      const count = part.querySelectorAll("[role=treeitem]:not([hidden])").length;
      part.style.setProperty("--actw-rows", String(count));
    }
    let { active } = state;
    // A row that went out of sight hands the focus to the ancestor that hides it, or else to the selection.
    if (!inSight.has(active)) {
      const candidates = [...(arranged[active] ? ancestors(arranged, active) : []), selectedIndex(), visible[0] ?? -1];
      active = candidates.find((index) => inSight.has(index)) ?? -1;
    }
    state = { rows: shown, visible, folded, active, parents };
    root.dataset.grouped = String(grouped);
    grouping.hidden = !rows.some((row) => row.group !== undefined);
    setAttribute(grouping, "aria-pressed", grouped);
    mark();
    if (hadFocus && active >= 0) elements[active].focus({ preventScroll: true });
    report();
  }

  /**
   * Scrolls the tree's own box, never the page.
   * @param {number} index
   * @param {boolean} [centre] Where it was out of sight, put it into the middle.
   */
  function reveal(index, centre = false) {
    const element = elements[index];
    if (!element || element.hidden || !box.clientHeight) return;
    const part = /** @type {HTMLElement} */ (element.parentElement);
    const above = element.offsetTop + (part === box ? 0 : part.offsetTop);
    const below = above + element.offsetHeight - box.clientHeight;
    if (box.scrollTop <= above && box.scrollTop >= below) return;
    if (centre) box.scrollTop = (above + below) / 2;
    else box.scrollTop = box.scrollTop > above ? above : below;
  }

  /** @param {Set<number>} folded */
  function keepFolds(folded) {
    if (query.trim()) filterFolds = folded;
    else folds = folded;
  }

  /** @param {string} text */
  function setQuery(text) {
    query = text;
    filterFolds = new Set();
    if (filter.value !== text) filter.value = text;
    refresh();
    box.scrollTop = 0;
    if (!text.trim()) reveal(selectedIndex(), true);
  }

  /** Unfolds to the selected layer and shows it, whoever has set it. */
  function followSelection() {
    const index = selectedIndex();
    if (index < 0) return mark();
    const arranged = arrange(rows, Boolean(model.get("grouped")));
    let changed = Boolean(query.trim()) && !visibleRows(arranged, new Set(), query).includes(index);
    if (changed) query = filter.value = "";
    for (const at of ancestors(arranged, index)) {
      for (const folded of [folds, filterFolds]) changed = folded.delete(at) || changed;
    }
    state.active = index;
    if (changed) refresh();
    else mark();
    if (box.contains(document.activeElement)) elements[index].focus({ preventScroll: true });
    reveal(index, true);
  }

  /** @param {string} path */
  function select(path) {
    if (model.get("selected") === path) {
      // It changes nothing, so nobody would hear of it.
      model.send({ kind: "again" });
      return;
    }
    // It tells all views at once. While the kernel is busy, ipywidgets keeps the last value only.
    model.set("selected", path);
    model.save_changes();
  }

  /** @param {Step} step */
  function apply(step) {
    const folding = step.folded !== state.folded;
    if (folding) keepFolds(step.folded);
    state.active = step.active;
    if (folding) refresh();
    else mark();
    const active = elements[state.active];
    active.focus({ preventScroll: true });
    report();
    reveal(state.active);
    if (step.select !== null) select(step.select);
  }

  function rebuild() {
    rows = unpackRows(model.get("rows"));
    elements = rows.map((row, index) => rowElement(row, rows[row.parent], index));
    folds = new Set(rows.flatMap((row, index) => (row.group === undefined ? [] : [index])));
    filterFolds = new Set();
    const selected = selectedIndex();
    for (const at of selected < 0 ? [] : ancestors(rows, selected)) folds.delete(at);
    state.active = selected;
    parts = rows.length > LARGE ? partsOf(elements) : [];
    box.replaceChildren(...(parts.length ? parts : elements));
    attend();
    refresh();
    reveal(selected, true);
  }

  const relabel = () => box.setAttribute("aria-label", model.get("label"));

  /**
   * Notebooks take single keys for commands: x cuts the cell. None leaves the explorer, whatever in it has the focus; the
   * tree is the one part that always is there to hold them. Holding costs a native control nothing.
   * @param {KeyboardEvent} event
   */
  function hold(event) {
    if (!isForPage(event)) return event.stopPropagation();
    // For JupyterLab the attribute means "no shortcuts at all", but Ctrl+S has to save the notebook from here too.
    const explorer = /** @type {HTMLElement} */ (event.currentTarget);
    explorer.removeAttribute(SUPPRESS);
    setTimeout(() => explorer.setAttribute(SUPPRESS, "true"));
  }

  function holdKeys() {
    const explorer = root.closest(".actw-explorer") ?? root;
    explorer.setAttribute(SUPPRESS, "true");
    // However often: the same one is there once.
    explorer.addEventListener("keydown", /** @type {EventListener} */ (hold), { signal });
  }

  /** @param {KeyboardEvent} event */
  function onTreeKey(event) {
    if (isForPage(event)) return;
    let step = nextState(state, event.key);
    if (!step && event.key.length === 1) {
      typed = event.timeStamp - typedAt > TYPE_AHEAD_MS ? event.key : typed + event.key;
      typedAt = event.timeStamp;
      const found = typeAhead(state.rows, state.visible, state.active, typed);
      if (found >= 0) step = { active: found, folded: state.folded, select: selectable(state.rows[found]) };
    }
    if (!step) return;
    event.preventDefault();
    apply(step);
  }

  /** @param {KeyboardEvent} event */
  function onFilterKey(event) {
    if (event.key === "Escape") setQuery("");
    else if (event.key === "ArrowDown" && !isForPage(event) && state.active >= 0) {
      elements[state.active].focus({ preventScroll: true });
      reveal(state.active);
    } else return;
    event.preventDefault();
  }

  /** @param {MouseEvent} event */
  function onClick(event) {
    const target = /** @type {Element} */ (event.target);
    const element = /** @type {HTMLElement | null} */ (target.closest("[role=treeitem]"));
    if (!element) return;
    const index = Number(element.dataset.index);
    const twisty = state.parents.has(index) && target.closest(".actw-tree-twisty");
    if (twisty || rows[index].group !== undefined) {
      const folded = new Set(state.folded);
      if (!folded.delete(index)) folded.add(index);
      apply({ active: index, folded, select: null });
    } else apply({ active: index, folded: state.folded, select: selectable(rows[index]) });
  }

  function onGrouping() {
    model.set("grouped", !model.get("grouped"));
    model.save_changes();
  }

  function onGrouped() {
    refresh();
    reveal(state.active, true);
  }

  box.addEventListener("keydown", onTreeKey, { signal });
  box.addEventListener("click", onClick, { signal });
  filter.addEventListener("keydown", onFilterKey, { signal });
  filter.addEventListener("input", () => setQuery(filter.value), { signal });
  grouping.addEventListener("click", onGrouping, { signal });
  /** @type {[string, () => void][]} */
  const changes = [
    ["change:rows", rebuild],
    ["change:selected", followSelection],
    ["change:grouped", onGrouped],
    ["change:label", relabel],
    ["change:marks", attend],
  ];
  for (const [event, callback] of changes) model.on(event, callback);
  // The box has no height while it isn't in the page, or folded away: scroll when it gets one, or a smaller one.
  let height = 0;
  const resizes = new ResizeObserver(() => {
    holdKeys();
    if (!height || box.clientHeight < height) reveal(selectedIndex(), true);
    height = box.clientHeight;
  });
  resizes.observe(box);
  relabel();
  rebuild();

  return () => {
    listeners.abort();
    resizes.disconnect();
    for (const [event, callback] of changes) model.off(event, callback);
    root.remove();
  };
}

export default { render };
