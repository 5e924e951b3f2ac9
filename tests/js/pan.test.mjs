import assert from "node:assert/strict";
import { describe, test } from "node:test";

import {
  centerOn,
  firstView,
  limitsOf,
  namesInSight,
  rangesOf,
  scrollsPage,
  viewAfter,
  viewOf,
  wholeView,
  withInSight,
} from "../../actwidget/widgets/frontend/plot/pan.js";

const SIZE = { width: 800, height: 400 };
const BOUNDS = [-500, 0, 500, 5000];
const drawing = (at, bounds = BOUNDS) => ({ key: "", bounds, selected: "", at, buttons: {} });

describe("what is shown first", () => {
  test("a small drawing is shown whole, and never larger than it was made", () => {
    assert.deepEqual(firstView(drawing(null, [-100, 0, 100, 300]), SIZE), { x: 0, y: 150, scale: 1 });
    assert.equal(firstView(drawing(null, [-600, 0, 600, 300]), SIZE).scale, 800 / 1200);
  });

  test("of a large one the selected box is in the middle, or its own end where the drawing ends", () => {
    assert.deepEqual(firstView(drawing([20, 2500, 168, 38]), SIZE), { x: 20, y: 2500, scale: 1 });
    assert.deepEqual(firstView(drawing([20, 19, 168, 38]), SIZE), { x: 20, y: 200, scale: 1 });
    assert.deepEqual(firstView(drawing([490, 4990, 168, 38]), SIZE), { x: 100, y: 4800, scale: 1 });
  });

  test("of a box that is higher than the panel its upper part is shown", () => {
    const [, y] = centerOn([0, 2500, 168, 1000], 1, SIZE);
    assert.equal(y - SIZE.height / 2, 2500 - 500 - 16);
    assert.equal(centerOn([0, 2500, 168, 38], 1, SIZE)[1], 2500);
  });
});

test("ranges and views are the same thing", () => {
  const view = { x: 30, y: 700, scale: 0.8 };
  const { x, y } = rangesOf(view, SIZE);
  assert.deepEqual([x, y], [[-470, 530], [950, 450]]);
  const back = viewOf(x, y, SIZE);
  for (const name of Object.keys(view)) assert.ok(Math.abs(back[name] - view[name]) < 1e-9, name);
});

test("a view stays where the selected box is in sight, and goes to it where it is not", () => {
  const view = { x: 0, y: 1000, scale: 1 };
  assert.equal(withInSight(view, drawing([100, 1100, 168, 38]), SIZE), view);
  assert.deepEqual(withInSight(view, drawing([100, 3000, 168, 38]), SIZE), { x: 100, y: 3000, scale: 1 });
  assert.equal(withInSight(view, drawing(null), SIZE), view);
});

describe("keys", () => {
  const view = { x: 0, y: 1000, scale: 1 };
  test("arrows move by the same number of pixels at each size, and no further than the drawing", () => {
    assert.deepEqual(viewAfter(view, "ArrowDown", BOUNDS, SIZE), { ...view, y: 1080 });
    assert.deepEqual(viewAfter({ ...view, scale: 0.5 }, "ArrowLeft", BOUNDS, SIZE), { x: -160, y: 1000, scale: 0.5 });
    assert.equal(viewAfter({ ...view, y: 4990 }, "ArrowDown", BOUNDS, SIZE).y, 5000);
  });

  test("+ and - change the size between its limits, and 0 shows all", () => {
    const [least, greatest] = limitsOf(BOUNDS, SIZE);
    assert.equal(viewAfter(view, "+", BOUNDS, SIZE).scale, 1.25);
    assert.equal(viewAfter(view, "-", BOUNDS, SIZE).scale, 0.8);
    assert.equal(viewAfter({ ...view, scale: greatest }, "+", BOUNDS, SIZE).scale, greatest);
    assert.equal(viewAfter({ ...view, scale: least }, "-", BOUNDS, SIZE).scale, least);
    assert.deepEqual(viewAfter(view, "0", BOUNDS, SIZE), wholeView(BOUNDS, SIZE));
    assert.ok(least <= wholeView(BOUNDS, SIZE).scale);
  });

  test("other keys are not taken", () => {
    for (const key of ["a", "Enter", "Tab", "constructor", "toString"]) {
      assert.equal(viewAfter(view, key, BOUNDS, SIZE), undefined);
    }
  });
});

test("names are drawn where they are in sight or near it, and none where they can't be read", () => {
  const [x, y] = [[0, 0, 0, 900], [1000, 1390, 1500, 1000]];
  assert.deepEqual(namesInSight(x, y, { x: 0, y: 1000, scale: 1 }, SIZE), [0, 1]);
  assert.deepEqual(namesInSight(x, y, { x: 0, y: 1000, scale: 0.3 }, SIZE), []);
});

test("the wheel changes the size, and scrolls the page with a modifier or at a limit", () => {
  const turn = (deltaY, more = {}) => ({ deltaY, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...more });
  assert.equal(scrollsPage(turn(100), 1, [0.1, 3]), false);
  assert.equal(scrollsPage(turn(100), 0.1, [0.1, 3]), true);
  assert.equal(scrollsPage(turn(-100), 0.1, [0.1, 3]), false);
  assert.equal(scrollsPage(turn(-100), 3, [0.1, 3]), true);
  assert.equal(scrollsPage(turn(100, { shiftKey: true }), 1, [0.1, 3]), true);
});
