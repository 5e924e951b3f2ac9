// @ts-check
// The layer tree in the page: events become the next state, and the next state is shown. The selection is the widget's, so
// two views of one tree agree; folds and the filter are each view's own.

import { onChange } from "../shared/widget_model.js";
import { treeElements } from "./elements.js";
import { nextStep, typeAhead, typedText } from "./keys.js";
import { isForPage, keyHolder } from "./notebook_keys.js";
import { RowList, updateAttribute } from "./row_list.js";
import { selectablePath, unpackRows } from "./rows.js";
import { firstState, layOut, noteText, withQuery, withSelected, withStep } from "./state.js";

/**
 * @import { WidgetModel } from "../shared/widget_model.js"
 * @import { Step } from "./keys.js"
 * @import { TreeState } from "./state.js"
 */

/** One view of the tree: its elements, and what they show now. */
class TreeView {
  #typed = typedText();

  /** @param {WidgetModel} model */
  constructor(model) {
    this.model = model;
    this.elements = treeElements();
    this.list = new RowList(this.elements.box);
    this.state = firstState([], -1, true, "");
  }

  /** Shows the rows that the kernel has sent. */
  build() {
    const rows = unpackRows(this.model.get("rows"));
    const selected = this.#indexOfSelected(rows);
    this.list.build(rows);
    this.describe(rows);
    this.#show(firstState(rows, selected, Boolean(this.model.get("grouped")), this.state.query));
    this.list.reveal(selected, true);
  }

  /** Shows why layers are grey or have a warning. */
  describe(rows = this.state.allRows) {
    this.list.describe(rows, this.model.get("marks") ?? {});
  }

  /** Shows the selected layer, whether a person or code has selected it. */
  showSelected() {
    this.#show(withSelected(this.#regrouped(), this.#indexOfSelected()));
    this.revealSelected();
  }

  revealSelected() {
    this.list.reveal(this.state.selected, true);
  }

  /** Shows or hides the groups, as the widget says. */
  showGroups() {
    this.#show(this.#regrouped());
    this.list.reveal(this.state.active, true);
  }

  toggleGroups() {
    this.model.set("grouped", !this.model.get("grouped"));
    this.model.save_changes();
  }

  /** @param {string} query */
  filter(query) {
    this.#show(withQuery(this.state, query));
    this.elements.box.scrollTop = 0;
    if (!query.trim()) this.revealSelected();
  }

  /** @param {KeyboardEvent} event in the filter */
  pressInFilter(event) {
    if (event.key === "Escape") this.filter("");
    else if (event.key === "ArrowDown" && !isForPage(event) && this.state.active >= 0) {
      this.list.focus(this.state.active);
      this.list.reveal(this.state.active);
    } else return;
    event.preventDefault();
  }

  /** @param {KeyboardEvent} event in the rows */
  press(event) {
    if (isForPage(event)) return;
    const step = nextStep(this.state, event.key) ?? this.#typeAhead(event);
    if (!step) return;
    event.preventDefault();
    this.#apply(step);
  }

  /** @param {MouseEvent} event in the rows */
  click(event) {
    const target = /** @type {Element} */ (event.target);
    const element = /** @type {HTMLElement | null} */ (target.closest("[role=treeitem]"));
    if (!element) return;
    const active = Number(element.dataset.index);
    const { allRows, folded, parents } = this.state;
    const isOnTwisty = parents.has(active) && target.closest(".actw-tree-twisty");
    if (isOnTwisty || allRows[active].group !== undefined) {
      const folds = new Set(folded);
      if (!folds.delete(active)) folds.add(active);
      this.#apply({ active, folded: folds, select: null });
    } else this.#apply({ active, folded, select: selectablePath(allRows[active]) });
  }

  #regrouped() {
    const grouped = Boolean(this.model.get("grouped"));
    return grouped === this.state.grouped ? this.state : layOut({ ...this.state, grouped });
  }

  #indexOfSelected(rows = this.state.allRows) {
    const path = this.model.get("selected");
    return path ? rows.findIndex((row) => row.path === path) : -1;
  }

  /**
   * @param {KeyboardEvent} event
   * @returns {Step | null}
   */
  #typeAhead(event) {
    if (event.key.length !== 1) return null;
    const { rows, visible, active, folded } = this.state;
    const found = typeAhead(rows, visible, active, this.#typed(event));
    return found < 0 ? null : { active: found, folded, select: selectablePath(rows[found]) };
  }

  /** @param {Step} step */
  #apply({ active, folded, select }) {
    this.#show(withStep(this.state, active, folded), true);
    this.list.reveal(this.state.active);
    if (select === null) return;
    if (select === this.model.get("selected")) {
      // The trait does not change, so only a message tells the kernel that it was chosen again.
      this.model.send({ kind: "again" });
    } else {
      // Setting it tells all views at once. While the kernel is busy, ipywidgets keeps only the last value.
      this.model.set("selected", select);
      this.model.save_changes();
    }
  }

  /**
   * @param {TreeState} next
   * @param {boolean} [focus] whether the active row gets the focus
   */
  #show(next, focus = this.list.hasFocus()) {
    const { root, filter, grouping, note } = this.elements;
    const isLaidOut = next.visible === this.state.visible; // folds, filter and grouping are the same
    this.state = next;
    if (!isLaidOut) {
      if (filter.value !== next.query) filter.value = next.query;
      root.dataset.grouped = String(next.grouped);
      root.dataset.filtered = String(Boolean(next.query.trim()));
      grouping.hidden = !next.allRows.some((row) => row.group !== undefined);
      updateAttribute(grouping, "aria-pressed", next.grouped);
      this.list.layOut(next);
    }
    this.list.mark(next);
    if (focus) this.list.focus(next.active);
    const text = noteText(next, this.list.hasFocus());
    if (note.textContent !== text) note.textContent = text;
  }
}

/**
 * @param {{model: WidgetModel, el: HTMLElement}} view
 * @returns {() => void} removes it
 */
export function renderTree({ model, el }) {
  const controller = new AbortController();
  const { signal } = controller;
  const tree = new TreeView(model);
  const { root, box, filter, grouping } = tree.elements;
  el.replaceChildren(root);
  box.addEventListener("keydown", (event) => tree.press(event), { signal });
  box.addEventListener("click", (event) => tree.click(event), { signal });
  filter.addEventListener("keydown", (event) => tree.pressInFilter(event), { signal });
  filter.addEventListener("input", () => tree.filter(filter.value), { signal });
  grouping.addEventListener("click", () => tree.toggleGroups(), { signal });
  const showLabel = () => box.setAttribute("aria-label", model.get("label"));
  onChange(model, signal, {
    rows: () => tree.build(),
    selected: () => tree.showSelected(),
    grouped: () => tree.showGroups(),
    label: showLabel,
    marks: () => tree.describe(),
  });
  // The box has no height while it isn't in the page, or folded away: scroll when it gets one, or a smaller one.
  const holdKeys = keyHolder(root, signal);
  let height = 0;
  const resizes = new ResizeObserver(() => {
    holdKeys();
    if (!height || box.clientHeight < height) tree.revealSelected();
    height = box.clientHeight;
  });
  resizes.observe(box);
  showLabel();
  tree.build();
  return () => {
    controller.abort();
    resizes.disconnect();
    root.remove();
  };
}
