// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { offlineModel } from "../../actwidget/widgets/frontend/page/offline_model.js";
import { fromBase64, toBase64 } from "../../actwidget/widgets/frontend/shared/base64.js";
import { copiedBuffer, viewedBytes } from "../../actwidget/widgets/frontend/shared/bytes.js";
import { throttled } from "../../actwidget/widgets/frontend/shared/throttled.js";
import { onChange } from "../../actwidget/widgets/frontend/shared/widget_model.js";

test("a model with no kernel keeps what is set, and tells who listens to that trait", () => {
  const model = offlineModel({ selected: "a", label: "Layers" });
  const seen = [];
  const listen = () => seen.push(model.get("selected"));
  model.on("change:selected", listen);
  model.set("selected", "b");
  model.set("label", "Parts");
  model.off("change:selected", listen);
  model.set("selected", "c");
  assert.deepEqual([seen, model.get("selected"), model.get("label")], [["b"], "c", "Parts"]);
});

test("changes are heard until the view is removed", () => {
  const model = offlineModel({ rows: 0, label: "" });
  const view = new AbortController();
  const seen = [];
  onChange(model, view.signal, { rows: () => seen.push("rows"), label: () => seen.push("label") });
  model.set("rows", 1);
  model.set("label", "one");
  view.abort();
  model.set("rows", 2);
  model.set("label", "two");
  assert.deepEqual(seen, ["rows", "label"]);
});

test("bytes of a view are read in place, or copied to where numbers can be read", () => {
  const message = Uint8Array.from([9, 9, 9, 0, 0, 128, 63, 9]);
  const view = new DataView(message.buffer, 3, 4);
  assert.deepEqual([...viewedBytes(view)], [0, 0, 128, 63]);
  assert.equal(viewedBytes(view).buffer, message.buffer);
  assert.deepEqual([...new Float32Array(copiedBuffer(view))], [1]);
  assert.deepEqual([...message], [9, 9, 9, 0, 0, 128, 63, 9]);
});

test("base64 is written and read as others do", () => {
  const bytes = Uint8Array.from({ length: 70_001 }, (_, index) => (index * 7) % 256);
  const text = Buffer.from(bytes).toString("base64");
  assert.equal(toBase64(bytes), text);
  assert.deepEqual(fromBase64(text), bytes);
});

test("what is throttled acts at once, and then once in each pause with the last value", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const seen = [];
  const act = throttled((value) => seen.push(value), 100);
  for (const value of [0, 1, 2]) act(value);
  assert.deepEqual(seen, [0]);
  context.mock.timers.tick(99);
  act(3);
  assert.deepEqual(seen, [0]);
  context.mock.timers.tick(1);
  assert.deepEqual(seen, [0, 3]);
  context.mock.timers.tick(100); // nothing waits
  act(4);
  assert.deepEqual(seen, [0, 3, 4]);
});
