// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { format, sorted } from "../../actwidget/widgets/frontend/table/view.js";

test("rows sort by a column, NaN last either way, equal ones in their order", () => {
  const values = [0, 2, 1, NaN, 2, -1, 3, 2, 4, Infinity];
  assert.deepEqual(sorted(values, 2, 1, false), [2, 0, 3, 4, 1]);
  assert.deepEqual(sorted(values, 2, 1, true), [4, 0, 3, 2, 1]);
  assert.deepEqual(sorted([], 0, 0, true), []);
});

test("numbers are short and keep four digits", () => {
  assert.equal(format(0.000012345, "mean"), "1.23e−5".replace("e−", "e−"));
  assert.equal(format(-0.123456, "mean"), "−0.1235");
  assert.equal(format(12, "channel"), "12");
  assert.equal(format(1, "dead?"), "yes");
  assert.equal(format(0, "dead?"), "");
  assert.equal(format(12.34, "zeros %"), "12.3");
  assert.equal(format(NaN, "mean"), "NaN");
  assert.equal(format(-Infinity, "minimum"), "−∞");
});
