// Which sample is under the pointer, and where its picture stands.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hoveredSample, thumbnailPlace } from "../../actwidget/widgets/frontend/plot/thumbnail.js";

test("only points of traces with thumbnails have one", () => {
  const point = { customdata: ["scanned", 17], data: { meta: "thumbnails" } };
  assert.equal(hoveredSample([{ data: {} }, point]), 17);
  assert.equal(hoveredSample([{ ...point, data: {} }]), undefined);
  assert.equal(hoveredSample([{ ...point, customdata: ["sample", 2] }]), undefined);
  assert.equal(hoveredSample([]), undefined);
});

test("the picture stands beside the pointer, within the figure", () => {
  assert.deepEqual(thumbnailPlace(200, 200, 800), { left: 110, top: 110 });
  assert.deepEqual(thumbnailPlace(10, 20, 800), { left: 0, top: 38 });
});
