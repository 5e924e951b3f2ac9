// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { ancestors, arrange, attention, isForPage, matches, nextState, typeAhead, visibleRows } from "../../actwidget/widgets/frontend/tree.js";

/** @typedef {import("../../actwidget/widgets/frontend/tree.js").Row} Row */

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
  const step = nextState(state, key);
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
  nextState(state, "ArrowLeft");
  assert.equal(state.folded.size, 0);
});

test("other keys, and a tree without rows, do nothing", () => {
  assert.equal(nextState(at(0), "x"), null);
  assert.equal(nextState(at(0), "F5"), null);
  assert.equal(nextState({ rows: [], visible: [], folded: new Set(), active: -1, parents: new Set() }, "End"), null);
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

test("a layer says why it wants attention, what holds it how many there are", () => {
  assert.deepEqual(
    [...attention(rows, { "block1_net/gate": "all zero", softmax: "NaN", gone: "?" })].sort(([a], [b]) => a - b),
    [
      [1, { why: "1 layer inside to look at", own: false }],
      [3, { why: "1 layer inside to look at", own: false }],
      [4, { why: "all zero", own: true }],
      [6, { why: "NaN", own: true }],
    ],
  );
  const two = attention(rows, { block1_net: "dead", "block1_net/gate": "all zero" });
  assert.deepEqual([two.get(3)?.why, two.get(1)?.why], ["dead", "2 layers inside to look at"]);
  assert.equal(attention(rows, {}).size, 0);
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
