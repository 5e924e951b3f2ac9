// Where the panel of a high figure is scrolled to.

import assert from "node:assert/strict";
import { test } from "node:test";

import { scrollTarget } from "../../actwidget/widgets/frontend/plot/sticky.js";

const panel = { sticky: 80, height: 480 };

test("a row in sight stays where it is", () => {
  assert.equal(scrollTarget({ ...panel, reveal: 300, top: 0 }), undefined);
  assert.equal(scrollTarget({ ...panel, reveal: 1102, top: 1000 }), undefined);
  assert.equal(scrollTarget({ ...panel, reveal: 1458, top: 1000 }), undefined);
});

test("a row below, above, or under the sticky top comes into the middle of what is free", () => {
  for (const top of [0, 3000, 1990]) {
    const target = scrollTarget({ ...panel, reveal: 2050, top });
    assert.equal(2050 - target, (80 + 480) / 2);
  }
});

test("the first row needs no more than the top of the figure", () => {
  assert.equal(scrollTarget({ ...panel, reveal: 90, top: 500 }), 0);
});
