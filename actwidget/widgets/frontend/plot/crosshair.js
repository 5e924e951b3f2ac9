// @ts-check
// The crosshair: a place of the close-up and the same place in the input, which follow the pointer and the keys. The kernel
// is told of it only when it is pinned.

import { fromBase64 } from "../shared/base64.js";

/**
 * What the kernel says of the close-up and of the input, as `layout.meta.crosshair`.
 * @typedef {{
 *   trace: number, shape: [number, number], closeup: [string, string], line: [number, number, number],
 *   pinned?: [number, number], words?: [string, string], source?: [string, string], pixels?: [number, number],
 *   first?: [number, number], step?: [number, number], size?: [number, number],
 * }} Places `trace`: the number of the close-up's trace; `shape`: its rows and columns; `closeup`, `source`: the axes of both
 *   panels; `line`: the left and right end and the bottom of the text, in parts of the plot; `pixels`: rows and columns of the
 *   input; `first`, `step`, `size`: the pixel at the centre of the first cell, from one cell to the next, and how many pixels
 *   a cell depends on.
 * @typedef {{_offset: number, _length: number, range: [number, number]}} Axis as Plotly has drawn it
 * @typedef {[number, number]} Cell a row and a column
 */

const STEPS = new Map([["ArrowLeft", [0, -1]], ["ArrowRight", [0, 1]], ["ArrowUp", [-1, 0]], ["ArrowDown", [1, 0]]]);
/** Marks are at least so many pixels wide and high. */
const LEAST = 7;

/**
 * @param {Axis} axis
 * @param {number} value
 * @param {boolean} vertical
 * @returns {number} where it is on the graph, in pixels from its left or upper edge
 */
export function pixelOf({ _offset, _length, range: [first, last] }, value, vertical) {
  const share = vertical ? (last - value) / (last - first) : (value - first) / (last - first);
  return _offset + share * _length;
}

/**
 * @param {Axis} axis
 * @param {number} pixel
 * @param {boolean} vertical
 * @returns {number | undefined} the value there; nothing beyond the ends of the axis
 */
export function valueOf({ _offset, _length, range: [first, last] }, pixel, vertical) {
  const share = (pixel - _offset) / _length;
  if (!(share >= 0 && share <= 1)) return undefined;
  return vertical ? last - share * (last - first) : first + share * (last - first);
}

/**
 * The cell of the close-up that looks at a pixel of the input.
 * @param {Places} places
 * @param {Cell} pixel
 * @returns {Cell}
 */
export function cellAt({ shape, pixels = [1, 1], first, step = [1, 1] }, pixel) {
  const along = (/** @type {0 | 1} */ axis) => {
    const cell = first ? Math.round((pixel[axis] - first[axis]) / step[axis]) : Math.floor(((pixel[axis] + 0.5) / pixels[axis]) * shape[axis]);
    return Math.min(Math.max(cell, 0), shape[axis] - 1);
  };
  return [along(0), along(1)];
}

/**
 * What of the input a cell depends on, from its first pixel to the one past its last; nothing where that is not known.
 * @param {Places} places
 * @param {Cell} cell
 * @returns {{from: Cell, to: Cell} | undefined}
 */
export function seenBy({ pixels = [0, 0], first, step = [1, 1], size = [1, 1] }, cell) {
  if (!first) return undefined;
  const start = (/** @type {0 | 1} */ axis) => Math.ceil(first[axis] + cell[axis] * step[axis] - size[axis] / 2);
  const within = (/** @type {number} */ at, /** @type {0 | 1} */ axis) => Math.min(Math.max(at, 0), pixels[axis]);
  const from = /** @type {Cell} */ ([within(start(0), 0), within(start(1), 1)]);
  return { from, to: [within(start(0) + size[0], 0), within(start(1) + size[1], 1)] };
}

/**
 * A value of a heatmap as the figure holds it: its numbers are packed, and a reduced one has a cell for several.
 * @param {any} trace
 * @param {Cell} cell
 * @returns {number}
 */
export function valueAt({ z, x0 = 0, y0 = 0, dx = 1, dy = 1 }, [row, column]) {
  const at = [Math.round((row - y0) / dy), Math.round((column - x0) / dx)];
  if (!z?.bdata) return z?.[at[0]]?.[at[1]];
  const width = Number(z.shape.split(",")[1]);
  const buffer = typeof z.bdata === "string" ? fromBase64(z.bdata).buffer : z.bdata;
  const Numbers = { f4: Float32Array, f8: Float64Array, i1: Int8Array, u1: Uint8Array, i2: Int16Array, u2: Uint16Array, i4: Int32Array, u4: Uint32Array }[/** @type {"f4"} */ (z.dtype)];
  return new Numbers(buffer)[at[0] * width + at[1]];
}

/**
 * @param {Places} places
 * @param {Cell} cell
 * @param {number} value
 */
export function sentence(places, cell, value) {
  const [down, across] = places.words ?? ["row", "column"];
  const number = Number.isFinite(value) ? String(Number(value.toPrecision(3))) : String(value);
  const text = `${down} ${cell[0]}, ${across} ${cell[1]} is ${number}`;
  const seen = places.source && seenBy(places, cell);
  if (!seen) return text;
  const [height, width] = [seen.to[0] - seen.from[0], seen.to[1] - seen.from[1]];
  return height > 0 && width > 0 ? `${text}; it depends on ${height} × ${width} pixels` : `${text}; it depends on padding alone`;
}

/**
 * @param {HTMLElement} box what has the focus
 * @param {HTMLElement} graph where Plotly draws
 * @param {(cell: Cell) => void} pin is called with the cell that is pinned by the keyboard
 * @param {AbortSignal} signal ends it
 * @returns {(data: any[], layout: any) => void} to be called with each figure that has been drawn
 */
export function followPointer(box, graph, pin, signal) {
  const marks = ["actw-crosshair", "actw-crosshair actw-crosshair-seen"].map((name) => {
    const mark = document.createElement("div");
    mark.className = name;
    mark.hidden = true;
    return mark;
  });
  const line = document.createElement("div");
  line.className = "actw-crosshair-line";
  line.setAttribute("aria-live", "polite");
  box.append(...marks, line);
  /** @type {Places | undefined} */
  let places;
  /** @type {any} */
  let trace;
  /** @type {Cell | undefined} */
  let current;

  const axis = (/** @type {string} */ name) => /** @type {any} */ (graph)._fullLayout?.[name];
  const place = (/** @type {HTMLElement} */ mark, /** @type {[string, string]} */ [x, y], /** @type {Cell} */ from, /** @type {Cell} */ to) => {
    const ends = [[axis(x), 1, false], [axis(y), 0, true]].map(([on, index, vertical]) => {
      const [start, stop] = [from, to].map((end) => pixelOf(on, end[index] - 0.5, vertical));
      const length = Math.max(stop - start, LEAST);
      return [(start + stop - length) / 2, length];
    });
    const [[left, width], [top, height]] = ends;
    Object.assign(mark.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
    mark.hidden = false;
  };
  const show = (/** @type {Cell | undefined} */ cell) => {
    current = cell;
    for (const mark of marks) mark.hidden = true;
    line.textContent = line.title = "";
    if (!places || !cell || !axis(places.closeup[0])) return;
    place(marks[0], places.closeup, cell, [cell[0] + 1, cell[1] + 1]);
    const seen = places.source && seenBy(places, cell);
    if (places.source && seen && seen.to[0] > seen.from[0] && seen.to[1] > seen.from[1]) place(marks[1], places.source, seen.from, seen.to);
    line.textContent = line.title = sentence(places, cell, valueAt(trace, cell));
    const { l, t, w, h } = /** @type {any} */ (graph)._fullLayout._size;
    const [left, right, top] = places.line;
    Object.assign(line.style, { left: `${l + left * w}px`, width: `${(right - left) * w}px`, top: `${t + (1 - top) * h}px` });
  };
  const under = (/** @type {PointerEvent | MouseEvent} */ { clientX, clientY }) => {
    if (!places) return undefined;
    const { left, top } = graph.getBoundingClientRect();
    for (const panel of [places.closeup, places.source]) {
      const [x, y] = panel ? [axis(panel[0]), axis(panel[1])] : [];
      const [column, row] = x && y ? [valueOf(x, clientX - left, false), valueOf(y, clientY - top, true)] : [];
      if (row === undefined || column === undefined) continue;
      const at = /** @type {Cell} */ ([Math.floor(row + 0.5), Math.floor(column + 0.5)]);
      return panel === places.closeup ? cellAt({ ...places, first: [0, 0], step: [1, 1] }, at) : cellAt(places, at);
    }
    return undefined;
  };
  let isOver = false;
  const move = (/** @type {MouseEvent} */ event) => {
    const cell = under(event);
    if (!cell && !isOver) return;
    isOver = cell !== undefined;
    if (String(cell) !== String(current)) show(cell ?? places?.pinned);
  };
  const leave = () => {
    isOver = false;
    show(places?.pinned);
  };
  const press = (/** @type {KeyboardEvent} */ event) => {
    const step = STEPS.get(event.key);
    if (!places || !event.shiftKey || !(step || (event.key === "Enter" && current))) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!step) return pin(/** @type {Cell} */ (current));
    const [rows, columns] = places.shape;
    const [row, column] = current ?? [Math.floor(rows / 2), Math.floor(columns / 2)];
    const [down, across] = current ? step : [0, 0];
    show([Math.min(Math.max(row + down, 0), rows - 1), Math.min(Math.max(column + across, 0), columns - 1)]);
  };
  box.addEventListener("mousemove", move, { signal, capture: true });
  box.addEventListener("mouseleave", leave, { signal });
  box.addEventListener("keydown", press, { signal, capture: true });
  return (data, layout) => {
    places = layout.meta?.crosshair;
    trace = places && data.filter((each) => each.meta === "cells")[0];
    isOver = false;
    show(places?.pinned);
  };
}
