import assert from "node:assert/strict";
import test from "node:test";

import { movedTo, scrolledTo } from "../../actwidget/widgets/frontend/choices/view.js";

test("a row is scrolled until the item and a bit of its neighbours are in sight, and no further", () => {
  assert.equal(scrolledTo(0, 300, 100, 160), 0);
  assert.equal(scrolledTo(0, 300, 280, 340), 64);
  assert.equal(scrolledTo(200, 300, 100, 160), 76);
  assert.equal(scrolledTo(200, 300, 0, 60), 0);
  assert.equal(scrolledTo(100, 300, 150, 210), 100);
});

test("arrow keys go round, Home and End to the ends", () => {
  assert.equal(movedTo("ArrowRight", 2, 3), 0);
  assert.equal(movedTo("ArrowLeft", 0, 3), 2);
  assert.equal(movedTo("End", 0, 3), 2);
  assert.equal(movedTo("a", 0, 3), undefined);
});
