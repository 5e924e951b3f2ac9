// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { nextStep, typeAhead, typedText } from "../../actwidget/widgets/frontend/tree/keys.js";
import { isForPage } from "../../actwidget/widgets/frontend/tree/notebook_keys.js";
import { ancestors, arrange, matches, visibleRows, warnings } from "../../actwidget/widgets/frontend/tree/rows.js";
import { firstState, noteText, withQuery, withSelected, withStep } from "../../actwidget/widgets/frontend/tree/state.js";

/** @import { Row } from "../../actwidget/widgets/frontend/tree/rows.js" */

/** @param {string} path @param {number} parent @param {number} level @param {Partial<Row>} [rest] @returns {Row} */
const layer = (path, parent, level, rest = {}) => ({
  path,
  name: path.split("/").at(-1) ?? "",
  class: "Dense",
  shape: "8",
  level,
  parent,
  ...rest,
});

/** @type {Row[]} */
const rows = [
  layer("image", -1, 1, { class: "InputLayer" }), // 0
  { group: "block1", name: "block1", count: 2, shape: "8", level: 1, parent: -1 }, // 1
  layer("block1_dw", 1, 2, { class: "Conv2D" }), // 2
  layer("block1_net", 1, 2, { class: "Functional" }), // 3
  layer("block1_net/gate", 3, 3), // 4
  layer("cell", -1, 1, { reason: "called once a step" }), // 5
  layer("softmax", -1, 1, { class: "Softmax" }), // 6
];
const parents = new Set([1, 3]);

/** @param {number} active @param {number[]} [folds] */
function at(active, folds = []) {
  const folded = new Set(folds);
  return { rows, visible: visibleRows(rows, folded, ""), folded, active, parents };
}

/** @param {ReturnType<typeof at>} state @param {string} key */
function press(state, key) {
  const step = nextStep(state, key);
  assert.ok(step, `${key} does something`);
  return { active: step.active, folded: [...step.folded].sort(), select: step.select };
}

test("all rows are visible when nothing is folded", () => {
  assert.deepEqual(visibleRows(rows, new Set(), ""), [0, 1, 2, 3, 4, 5, 6]);
});

test("a fold hides everything below it, folded or not", () => {
  assert.deepEqual(visibleRows(rows, new Set([1]), ""), [0, 1, 5, 6]);
  assert.deepEqual(visibleRows(rows, new Set([3]), ""), [0, 1, 2, 3, 5, 6]);
});

test("a filter keeps hits and their ancestors, by name, path or class, in any case", () => {
  assert.deepEqual(visibleRows(rows, new Set(), "GATE"), [1, 3, 4]);
  assert.deepEqual(visibleRows(rows, new Set(), "conv2d"), [1, 2]);
  assert.deepEqual(visibleRows(rows, new Set(), "net/g"), [1, 3, 4]);
  assert.deepEqual(visibleRows(rows, new Set(), " block1 functional "), [1, 3]);
  assert.deepEqual(visibleRows(rows, new Set(), "nothing"), []);
  assert.deepEqual(visibleRows(rows, new Set(), "  "), [0, 1, 2, 3, 4, 5, 6]);
});

test("a group is no layer and matches nothing by itself", () => {
  assert.equal(matches(rows[1], "block1"), false);
  assert.equal(matches(rows[2], "block1"), true);
});

test("without grouping the layers move up a level and keep their places", () => {
  const flat = arrange(rows, false);
  assert.equal(flat[1], null);
  assert.deepEqual(flat.map((row) => row?.level), [1, undefined, 1, 1, 2, 1, 1]);
  assert.deepEqual(flat.map((row) => row?.parent), [-1, undefined, -1, -1, 3, -1, -1]);
  assert.deepEqual(visibleRows(flat, new Set([1]), ""), [0, 2, 3, 4, 5, 6]);
  assert.equal(arrange(rows, true), rows);
});

test("ancestors are named from the parent up", () => {
  assert.deepEqual(ancestors(rows, 4), [3, 1]);
  assert.deepEqual(ancestors(arrange(rows, false), 4), [3]);
  assert.deepEqual(ancestors(rows, 0), []);
});

test("Down and Up move over visible rows, select layers and stop at the ends", () => {
  assert.deepEqual(press(at(2), "ArrowDown"), { active: 3, folded: [], select: "block1_net" });
  assert.deepEqual(press(at(1, [1]), "ArrowDown"), { active: 5, folded: [1], select: null });
  assert.deepEqual(press(at(6), "ArrowDown"), { active: 6, folded: [], select: null });
  assert.deepEqual(press(at(0), "ArrowUp"), { active: 0, folded: [], select: null });
  assert.deepEqual(press(at(3), "ArrowUp"), { active: 2, folded: [], select: "block1_dw" });
});

test("a group and an opaque layer take the focus and leave the selection", () => {
  assert.deepEqual(press(at(0), "ArrowDown"), { active: 1, folded: [], select: null });
  assert.deepEqual(press(at(6), "ArrowUp"), { active: 5, folded: [], select: null });
  assert.deepEqual(press(at(5), "Enter"), { active: 5, folded: [], select: null });
});

test("Home and End go to the first and last visible row", () => {
  assert.deepEqual(press(at(4), "Home"), { active: 0, folded: [], select: "image" });
  assert.deepEqual(press(at(0), "End"), { active: 6, folded: [], select: "softmax" });
});

test("Right unfolds, then goes to the first child, and stays on a leaf", () => {
  assert.deepEqual(press(at(1, [1]), "ArrowRight"), { active: 1, folded: [], select: null });
  assert.deepEqual(press(at(1), "ArrowRight"), { active: 2, folded: [], select: "block1_dw" });
  assert.deepEqual(press(at(2), "ArrowRight"), { active: 2, folded: [], select: null });
});

test("Left folds, then goes to the parent, and stays at the top", () => {
  assert.deepEqual(press(at(3), "ArrowLeft"), { active: 3, folded: [3], select: null });
  assert.deepEqual(press(at(3, [3]), "ArrowLeft"), { active: 1, folded: [3], select: null });
  assert.deepEqual(press(at(4), "ArrowLeft"), { active: 3, folded: [], select: "block1_net" });
  assert.deepEqual(press(at(0), "ArrowLeft"), { active: 0, folded: [], select: null });
});

test("Enter and Space select a layer and fold a group", () => {
  assert.deepEqual(press(at(3), "Enter"), { active: 3, folded: [], select: "block1_net" });
  assert.deepEqual(press(at(0), " "), { active: 0, folded: [], select: "image" });
  assert.deepEqual(press(at(1), " "), { active: 1, folded: [1], select: null });
  assert.deepEqual(press(at(1, [1]), "Enter"), { active: 1, folded: [], select: null });
});

test("the star unfolds all siblings", () => {
  assert.deepEqual(press(at(0, [1, 3]), "*"), { active: 0, folded: [3], select: null });
});

test("a step leaves the folds that it came from unchanged", () => {
  const state = at(3);
  nextStep(state, "ArrowLeft");
  assert.equal(state.folded.size, 0);
});

test("other keys, and a tree without rows, do nothing", () => {
  assert.equal(nextStep(at(0), "x"), null);
  assert.equal(nextStep(at(0), "F5"), null);
  assert.equal(nextStep({ rows: [], visible: [], folded: new Set(), active: -1, parents: new Set() }, "End"), null);
});

test("type-ahead goes to the next name that starts so, round the end", () => {
  const { visible } = at(0);
  assert.equal(typeAhead(rows, visible, 0, "b"), 1);
  assert.equal(typeAhead(rows, visible, 1, "b"), 2);
  assert.equal(typeAhead(rows, visible, 3, "b"), 1);
  assert.equal(typeAhead(rows, visible, 6, "I"), 0);
  assert.equal(typeAhead(rows, visible, 0, "z"), -1);
});

test("type-ahead with more letters narrows, and may stay", () => {
  const { visible } = at(0);
  assert.equal(typeAhead(rows, visible, 1, "bl"), 1);
  assert.equal(typeAhead(rows, visible, 1, "block1_n"), 3);
  assert.equal(typeAhead(rows, visible, 2, "bbb"), 3);
});

test("type-ahead matches the layer's own name, not its path, and only what is visible", () => {
  assert.equal(typeAhead(rows, at(0).visible, 0, "ga"), 4);
  assert.equal(typeAhead(rows, at(0, [1]).visible, 0, "ga"), -1);
});

test("a layer has its own warning, what holds such layers says how many there are", () => {
  assert.deepEqual(
    [...warnings(rows, { "block1_net/gate": "all zero", softmax: "NaN", gone: "?" })].sort(([a], [b]) => a - b),
    [
      [1, { text: "1 layer inside with a warning", isOwn: false }],
      [3, { text: "1 layer inside with a warning", isOwn: false }],
      [4, { text: "all zero", isOwn: true }],
      [6, { text: "NaN", isOwn: true }],
    ],
  );
  const two = warnings(rows, { block1_net: "dead", "block1_net/gate": "all zero" });
  assert.deepEqual([two.get(3)?.text, two.get(1)?.text], ["dead", "2 layers inside with warnings"]);
  assert.equal(warnings(rows, {}).size, 0);
});

test("combinations, Shift+Enter, Tab and Escape are for the page, other keys for the explorer", () => {
  const none = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };
  const forPage = (key, held = {}) => isForPage({ key, ...none, ...held });
  for (const key of ["x", "0", " ", "ArrowDown", "Enter", "Delete"]) assert.equal(forPage(key), false, key);
  assert.equal(forPage("M", { shiftKey: true }), false);
  for (const key of ["Tab", "Escape"]) assert.equal(forPage(key), true, key);
  for (const name of ["ctrlKey", "metaKey", "altKey"]) assert.equal(forPage("s", { [name]: true }), true, name);
  assert.equal(forPage("Enter", { shiftKey: true }), true);
});

test("letters typed within half a second make one text", () => {
  const type = typedText();
  const typed = [["b", 1000], ["l", 1400], ["o", 1900], ["c", 2401]].map(([key, timeStamp]) => type({ key, timeStamp }));
  assert.deepEqual(typed, ["b", "bl", "blo", "c"]);
});

/** @param {import("../../actwidget/widgets/frontend/tree/state.js").TreeState} state */
const shown = ({ visible, active, folded, query }) => ({ visible, active, folded: [...folded].sort(), query });

test("at first every group is folded but those around the selected layer", () => {
  assert.deepEqual(shown(firstState(rows, -1, true, "")), { visible: [0, 1, 5, 6], active: 0, folded: [1], query: "" });
  assert.deepEqual(shown(firstState(rows, 4, true, "")), { visible: [0, 1, 2, 3, 4, 5, 6], active: 4, folded: [], query: "" });
  assert.deepEqual(shown(firstState([], -1, true, "")), { visible: [], active: -1, folded: [], query: "" });
});

test("each row has its place among its siblings, folded away or not", () => {
  const { positions, sizes, parents } = firstState(rows, -1, true, "");
  assert.deepEqual([...positions].sort(([a], [b]) => a - b), [[0, 1], [1, 2], [2, 1], [3, 2], [4, 1], [5, 3], [6, 4]]);
  assert.deepEqual([...sizes].sort(([a], [b]) => a - b), [[-1, 4], [1, 2], [3, 1]]);
  assert.deepEqual([...parents].sort(), [1, 3]);
  assert.deepEqual([...firstState(rows, -1, false, "").sizes].sort(([a], [b]) => a - b), [[-1, 5], [3, 1]]);
});

test("a step without another fold is laid out no more", () => {
  const state = firstState(rows, 4, true, "");
  const moved = withStep(state, 2, state.folded);
  assert.equal(moved.visible, state.visible);
  assert.equal(moved.active, 2);
  assert.deepEqual(shown(withStep(state, 1, new Set([1]))), { visible: [0, 1, 5, 6], active: 1, folded: [1], query: "" });
});

test("a row that is folded away hands the focus to the row that hides it", () => {
  const state = firstState(rows, 4, true, "");
  assert.equal(withStep(state, 4, new Set([3])).active, 3);
  assert.equal(withStep(state, 4, new Set([1, 3])).active, 1);
});

test("a row that a filter hides hands the focus to the selected row, or else to the first", () => {
  const state = withStep(firstState(rows, 6, true, ""), 0, new Set([1]));
  assert.equal(withQuery(state, "softmax").active, 6);
  assert.equal(withQuery(state, "gate").active, 1);
  assert.equal(withQuery(state, "nothing").active, -1);
});

test("a filter has folds of its own, and starts with everything open", () => {
  const folded = withStep(firstState(rows, -1, true, ""), 0, new Set([1, 3]));
  const filtered = withQuery(folded, "block1");
  assert.deepEqual(shown(filtered), { visible: [1, 2, 3, 4], active: 1, folded: [], query: "block1" });
  const closed = withStep(filtered, 1, new Set([1]));
  assert.deepEqual(closed.visible, [1]);
  assert.deepEqual(withQuery(closed, "block1_").visible, [1, 2, 3, 4]);
  assert.deepEqual(shown(withQuery(closed, "")), { visible: [0, 1, 5, 6], active: 1, folded: [1, 3], query: "" });
});

test("a layer selected from code is unfolded to, and a filter that hides it is given up", () => {
  const state = withStep(firstState(rows, -1, true, ""), 0, new Set([1, 3]));
  assert.deepEqual(shown(withSelected(state, 4)), { visible: [0, 1, 2, 3, 4, 5, 6], active: 4, folded: [], query: "" });
  assert.deepEqual([...state.folds], [1, 3]);
  const hidden = withSelected(withQuery(state, "softmax"), 2);
  assert.deepEqual(shown(hidden), { visible: [0, 1, 2, 3, 5, 6], active: 2, folded: [3], query: "" });
  const kept = withSelected(withQuery(state, "gate"), 4);
  assert.deepEqual([kept.query, kept.visible, kept.active], ["gate", [1, 3, 4], 4]);
});

test("a selected layer that is seen already changes nothing but the marks", () => {
  const state = firstState(rows, 2, true, "");
  const next = withSelected(state, 6);
  assert.equal(next.visible, state.visible);
  assert.deepEqual([next.selected, next.active], [6, 6]);
  assert.deepEqual(withSelected(state, -1), { ...state, selected: -1 });
});

test("the note says why the focused layer is grey, or how many layers match the filter", () => {
  const state = firstState(rows, -1, true, "");
  const lost = withStep(state, 5, state.folded);
  assert.equal(noteText(lost, true), "called once a step");
  assert.equal(noteText(lost, false), "");
  assert.equal(noteText(withQuery(state, "block1"), false), "3 of 6 layers match");
  assert.equal(noteText(withQuery(state, "nothing"), true), "No layer matches");
});
