// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { addLine, oneAtATime, penRadius } from "../../actwidget/widgets/frontend/samples/ink.js";
import {
  clampedFirst,
  firstWith,
  sampleByKey,
  sizeOfWindow,
  typedNumber,
  unknownRange,
} from "../../actwidget/widgets/frontend/samples/window.js";

test("as many samples are in sight as fit, twelve at most, and with pages there is room to turn them", () => {
  assert.equal(sizeOfWindow(1000, 40, 3), 3);
  assert.equal(sizeOfWindow(1000, 40, 12), 12);
  assert.equal(sizeOfWindow(1000, 40, 5000), 12);
  assert.equal(sizeOfWindow(200, 40, 4), 4);
  assert.equal(sizeOfWindow(200, 40, 5), 3);
  assert.equal(sizeOfWindow(10, 40, 5), 1);
});

test("the window stays within the samples, and moves no further than it must", () => {
  assert.equal(clampedFirst(95, 12, 100), 88);
  assert.equal(clampedFirst(-12, 12, 100), 0);
  assert.equal(clampedFirst(3, 12, 5), 0);
  assert.equal(firstWith(10, 12, 15), 10);
  assert.equal(firstWith(10, 12, 22), 11);
  assert.equal(firstWith(10, 12, 4), 4);
});

test("keys go to the next sample, the next page and the ends", () => {
  const keys = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End", "x", "toString"];
  const targets = keys.map((key) => sampleByKey(key, 5, 100, 12));
  assert.deepEqual(targets, [4, 6, 4, 6, 0, 17, 0, 99, undefined, undefined]);
  assert.equal(sampleByKey("ArrowRight", 99, 100, 12), 99);
});

test("digits make one number as long as there is such a sample", () => {
  assert.equal(typedNumber("", "1", 200), "1");
  assert.equal(typedNumber("1", "2", 200), "12");
  assert.equal(typedNumber("25", "7", 200), "7");
  assert.equal(typedNumber("", "7", 3), "");
});

test("the page asks for what it does not know and sees", () => {
  const known = new Set([0, 1, 4]);
  assert.deepEqual(unknownRange(0, 5, (sample) => known.has(sample)), { start: 2, stop: 4 });
  assert.equal(unknownRange(0, 2, (sample) => known.has(sample)), null);
});

test("a line inks the pixels that it covers, and its edges partly", () => {
  const ink = new Uint8ClampedArray(25);
  addLine(ink, 5, [0.5, 2.5], [4.5, 2.5], 0.75);
  const rows = Array.from({ length: 5 }, (_, row) => [...ink.slice(5 * row, 5 * row + 5)]);
  assert.deepEqual(rows[2], [255, 255, 255, 255, 255]);
  assert.deepEqual(rows[1], rows[3]);
  assert.ok(rows[1].every((value) => value > 0 && value < 255));
  assert.ok([...rows[0], ...rows[4]].every((value) => value === 0));
  const before = [...ink];
  addLine(ink, 5, [0.5, 0.5], [0.5, 0.5], 0.1);
  assert.ok(ink.every((value, place) => value >= before[place]));
});

test("the pen is as wide as the digits of the data", () => {
  assert.equal(penRadius(8, 8), 0.7);
  assert.ok(Math.abs(2 * penRadius(28, 28) - 2.33) < 0.01);
});

test("one drawing is on its way at a time, and the last one is always sent", () => {
  let sent = 0;
  let isBusy = false;
  const drawing = oneAtATime(
    () => (sent += 1),
    (now) => (isBusy = now),
  );
  drawing.change();
  drawing.change();
  drawing.change();
  assert.equal(sent, 1);
  drawing.answer();
  assert.equal(sent, 2);
  assert.equal(isBusy, true);
  drawing.answer();
  assert.equal(sent, 2);
  assert.equal(isBusy, false);
  drawing.change();
  assert.equal(sent, 3);
});
