// @ts-check
// Figures with `layout.meta.pan`: a drawing larger than its panel, which is moved by dragging and by the arrow keys, and made
// larger or smaller by the wheel and by + and -; 0 shows all of it; Enter opens and closes the selected box. One unit of the drawing is one pixel at scale 1.

import { fromBase64 } from "../shared/base64.js";

/**
 * What the kernel says of a drawing.
 * @typedef {{key: string, bounds: number[], selected: string, at: number[] | null, buttons: Record<string, number[]>}} Drawing
 *   `key` is the same while everything has the same place; `bounds`: its left, upper, right and lower end; `selected`: the
 *   path of the selected box; `at`: its center and its size; `buttons`: by path where the buttons are that open and close boxes.
 * @typedef {{x: number, y: number, scale: number}} View which point is in the middle of the panel, and how large all is
 * @typedef {{width: number, height: number}} Size of the panel in pixels
 */

/** Below this scale the first view shows a part of the drawing, since names can't be read. */
const READABLE = 0.62;
/** Below this scale no names are drawn. */
const NAMED = 0.5;
const LARGEST_SCALE = 3;
const NAME_SIZE = 11;
const PAN_HOVER_DISTANCE = 34;
const PAN_STEP = 80;
const ZOOM_FACTOR = 1.25;

/** @param {number[]} bounds @param {Size} size @returns {View} the view that shows all of a drawing */
export function wholeView([left, top, right, bottom], { width, height }) {
  const scale = Math.min(1, width / (right - left), height / (bottom - top));
  return { x: (left + right) / 2, y: (top + bottom) / 2, scale };
}

/** @param {View} view @param {number[]} bounds @param {Size} size @returns {View} moved so that no more of what is outside of the drawing is in sight than need be */
export function withinBounds(view, [left, top, right, bottom], { width, height }) {
  const within = (/** @type {number} */ middle, /** @type {number} */ start, /** @type {number} */ end, /** @type {number} */ length) =>
    end - start <= length ? (start + end) / 2 : Math.min(Math.max(middle, start + length / 2), end - length / 2);
  const [across, down] = [width / view.scale, height / view.scale];
  return { ...view, x: within(view.x, left, right, across), y: within(view.y, top, bottom, down) };
}

/** @param {number[]} at @param {number} scale @param {Size} size @returns {number[]} the middle of a view of a box; of one that is too high, its upper part */
export function centerOn([x, y, , boxHeight], scale, { height }) {
  return [x, Math.min(y, y - boxHeight / 2 - 16 + height / 2 / scale)];
}

/** @param {Drawing} drawing @param {Size} size @returns {View} all of it if that is readable, else what is around the selected box */
export function firstView({ bounds, at }, size) {
  const whole = wholeView(bounds, size);
  if (whole.scale >= READABLE) return whole;
  const [x, y] = at ? centerOn(at, 1, size) : [whole.x, bounds[1]];
  return withinBounds({ x, y, scale: 1 }, bounds, size);
}

/** @param {View} view @param {Size} size @returns {{x: number[], y: number[]}} as Plotly takes them; y grows downwards */
export function rangesOf({ x, y, scale }, { width, height }) {
  const [across, down] = [width / 2 / scale, height / 2 / scale];
  return { x: [x - across, x + across], y: [y + down, y - down] };
}

/** @param {number[]} x @param {number[]} y @param {Size} size @returns {View} the view whose ranges these are */
export function viewOf(x, y, { width }) {
  return { x: (x[0] + x[1]) / 2, y: (y[0] + y[1]) / 2, scale: width / (x[1] - x[0]) };
}

/** @param {View} view @param {Drawing} drawing @param {Size} size @returns {View} the same view if the selected box is in sight, else moved to it */
export function withInSight(view, { at, bounds }, { width, height }) {
  if (!at) return view;
  const [x, y, boxWidth, boxHeight] = at;
  const room = (/** @type {number} */ length, /** @type {number} */ own) => Math.max(length / view.scale - own, 0) / 2;
  const isInSight = Math.abs(x - view.x) <= room(width, boxWidth) && Math.abs(y - view.y) <= room(height, boxHeight);
  if (isInSight) return view;
  const middle = centerOn(at, view.scale, { width, height });
  return withinBounds({ ...view, x: middle[0], y: middle[1] }, bounds, { width, height });
}

/** @param {number[]} bounds @param {Size} size @returns {number[]} the least and the greatest scale */
export function limitsOf(bounds, size) {
  return [Math.min(wholeView(bounds, size).scale * 0.8, 1), LARGEST_SCALE];
}

/** @param {View} view @param {string} key @param {number[]} bounds @param {Size} size @returns {View | undefined} after a key; none for other keys */
export function viewAfter(view, key, bounds, size) {
  const [least, greatest] = limitsOf(bounds, size);
  const scaled = (/** @type {number} */ by) => ({ ...view, scale: Math.min(Math.max(view.scale * by, least), greatest) });
  const moved = (/** @type {number} */ across, /** @type {number} */ down) => ({
    ...view,
    x: Math.min(Math.max(view.x + (across * PAN_STEP) / view.scale, bounds[0]), bounds[2]),
    y: Math.min(Math.max(view.y + (down * PAN_STEP) / view.scale, bounds[1]), bounds[3]),
  });
  /** @type {Record<string, () => View>} */
  const keys = {
    "+": () => scaled(ZOOM_FACTOR),
    "=": () => scaled(ZOOM_FACTOR),
    "-": () => scaled(1 / ZOOM_FACTOR),
    0: () => wholeView(bounds, size),
    ArrowLeft: () => moved(-1, 0),
    ArrowRight: () => moved(1, 0),
    ArrowUp: () => moved(0, -1),
    ArrowDown: () => moved(0, 1),
  };
  return Object.hasOwn(keys, key) ? keys[key]() : undefined;
}

/**
 * The names that are in sight, and around it as far as one panel, so that they are there while the drawing is dragged.
 * @param {ArrayLike<number>} x
 * @param {ArrayLike<number>} y
 * @param {View} view
 * @param {Size} size
 * @returns {number[]} their indices; none where they would be too small
 */
export function namesInSight(x, y, view, { width, height }) {
  if (view.scale < NAMED) return [];
  const [across, down] = [width / view.scale, height / view.scale];
  return Array.from(x, (_, index) => index).filter(
    (index) => Math.abs(x[index] - view.x) < across && Math.abs(y[index] - view.y) < down,
  );
}

/**
 * Whether the page scrolls by a turn of the wheel: with a modifier, or where the drawing can't get smaller or larger.
 * @param {{deltaY: number, ctrlKey: boolean, metaKey: boolean, shiftKey: boolean, altKey: boolean}} event
 * @param {number} scale
 * @param {number[]} limits
 */
export function scrollsPage(event, scale, [least, greatest]) {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return true;
  return event.deltaY > 0 ? scale <= least * 1.001 : scale >= greatest * 0.999;
}

/** Buttons for the same as the keys do. @param {(key: string) => void} press @param {AbortSignal} signal */
function zoomButtons(press, signal) {
  const group = document.createElement("div");
  group.className = "actw-plot-zoom";
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", "Size of the drawing");
  for (const [key, text, label] of [["+", "+", "Larger"], ["-", "\u2212", "Smaller"], ["0", "fit", "Show all of it"]]) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.title = `${label} (${key === "-" ? "\u2212" : key})`;
    button.setAttribute("aria-label", label);
    button.addEventListener("click", () => press(key), { signal });
    group.append(button);
  }
  return group;
}

/** @param {any} values a list, or numbers as Plotly takes them packed @returns {number[]} */
function unpacked(values) {
  if (!values?.bdata) return Array.from(values ?? []);
  return Array.from(new Float32Array(typeof values.bdata === "string" ? fromBase64(values.bdata).buffer : values.bdata));
}

/**
 * @param {HTMLElement} box the figure with what stands around it
 * @param {HTMLElement} graph
 * @param {AbortSignal} signal ends it when the view is removed
 * @param {(customdata: any[]) => void} click is given what a click on a place in the figure means
 */
export function createPanning(box, graph, signal, click) {
  /** @type {any} */
  const drawn = graph;
  /** @type {any} */
  let plotly;
  /** @type {Drawing | undefined} */
  let drawing;
  /** @type {{index: number, x: number[], y: number[], text: string[]} | undefined} */
  let names;
  let namesShown = "";
  /** @type {string | undefined} the box whose button was clicked last */
  let toggled;

  const sizeOf = (/** @type {any} */ { width, height, margin = {} }) => ({
    width: width - (margin.l ?? 0) - (margin.r ?? 0),
    height: height - (margin.t ?? 0) - (margin.b ?? 0),
  });
  const currentView = () => viewOf(drawn.layout.xaxis.range, drawn.layout.yaxis.range, sizeOf(drawn.layout));
  /** What of the names is drawn in a view, as Plotly restyles their trace; nothing if it is drawn already. */
  const namesFor = (/** @type {View} */ view, /** @type {Size} */ size) => {
    if (!names) return undefined;
    const shown = namesInSight(names.x, names.y, view, size);
    const fontSize = Math.round(NAME_SIZE * view.scale * 10) / 10;
    const before = namesShown;
    namesShown = `${fontSize} ${shown.join()}`;
    if (namesShown === before) return undefined;
    const picked = (/** @type {any[]} */ values) => shown.map((index) => values[index]);
    return { x: picked(names.x), y: picked(names.y), text: picked(names.text), fontSize };
  };
  const show = (/** @type {View} */ view) => {
    const size = sizeOf(drawn.layout);
    const ranges = rangesOf(view, size);
    const layout = { "xaxis.range": ranges.x, "yaxis.range": ranges.y, hoverdistance: PAN_HOVER_DISTANCE * view.scale };
    const shown = namesFor(view, size);
    if (!shown || !names) return plotly.relayout(drawn, layout);
    const { x, y, text, fontSize } = shown;
    return plotly.update(drawn, { x: [x], y: [y], text: [text], "textfont.size": fontSize }, layout, [names.index]);
  };
  /** After a drag or a turn of the wheel, which Plotly does by itself, other names are in sight. */
  const follow = (/** @type {any} */ change) => {
    if (!drawing || !Object.keys(change ?? {}).some((name) => name.startsWith("xaxis.range["))) return;
    show(currentView());
  };
  const noteToggle = (/** @type {{points?: any[]}} */ { points = [] }) => {
    toggled = points.map(({ customdata }) => customdata).find((data) => data?.[1] === "toggle")?.[0];
  };
  const press = (/** @type {KeyboardEvent} */ event) => {
    if (!drawing || event.altKey || event.ctrlKey || event.metaKey) return;
    const isFold = event.key === "Enter" && event.target === box && Object.hasOwn(drawing.buttons, drawing.selected);
    const view = viewAfter(currentView(), event.key, drawing.bounds, sizeOf(drawn.layout));
    if (!isFold && !view) return;
    event.preventDefault();
    event.stopPropagation();
    if (view) show(view);
    else {
      toggled = drawing.selected;
      click([toggled, "toggle"]);
    }
  };
  const buttons = zoomButtons((key) => {
    const view = drawing && viewAfter(currentView(), key, drawing.bounds, sizeOf(drawn.layout));
    if (view) show(view);
  }, signal);
  const turn = (/** @type {WheelEvent} */ event) => {
    if (!drawing) return;
    const limits = limitsOf(drawing.bounds, sizeOf(drawn.layout));
    if (scrollsPage(event, currentView().scale, limits)) event.stopPropagation(); // so that Plotly does not take it
  };
  box.addEventListener("keydown", press, { signal });
  box.addEventListener("wheel", turn, { signal, capture: true, passive: true });

  /** Which view a new figure has: the last one if it is of the same drawing, with the selected box in sight. */
  const nextView = (/** @type {Drawing} */ next, /** @type {Size} */ size) => {
    if (!drawing || !drawn.layout?.xaxis?.range) return firstView(next, size);
    const view = currentView();
    if (next.key === drawing.key) {
      return JSON.stringify(next.at) === JSON.stringify(drawing.at) ? view : withInSight(view, next, size);
    }
    const [before, after] = [drawing.buttons[toggled ?? ""], next.buttons[toggled ?? ""]];
    if (!before || !after) return firstView(next, size);
    // The button that was clicked stays under the pointer.
    return { ...view, x: view.x + after[0] - before[0], y: view.y + after[1] - before[1] };
  };
  return {
    /** Whether the figure is one of these. */
    isOn: () => Boolean(drawing),
    /**
     * Sets which part of a figure is shown, if it is one of these.
     * @param {any} library Plotly
     * @param {any[]} data
     * @param {any} layout with its width and height
     * @returns {Record<string, any>} more options for Plotly
     */
    prepare(library, data, layout) {
      plotly = library;
      /** @type {Drawing | undefined} */
      const next = layout.meta?.pan;
      box.classList.toggle("actw-plot-pans", Boolean(next));
      if (!next) {
        drawing = names = undefined;
        buttons.remove();
        return {};
      }
      if (!buttons.isConnected) box.append(buttons);
      layout.height = Math.max(layout.height, box.closest(".actw-stage")?.clientHeight ?? 0);
      const size = sizeOf(layout);
      const view = nextView(next, size);
      [drawing, toggled] = [next, undefined];
      const ranges = rangesOf(view, size);
      layout.xaxis.range = ranges.x;
      layout.yaxis.range = ranges.y;
      layout.hoverdistance = PAN_HOVER_DISTANCE * view.scale;
      const index = data.findIndex((trace) => trace.meta === "labels");
      names = undefined;
      if (index >= 0) {
        const trace = data[index];
        names = { index, x: unpacked(trace.x), y: unpacked(trace.y), text: trace.text };
        namesShown = "";
        const shown = namesFor(view, size);
        if (shown) {
          const { x, y, text, fontSize } = shown;
          data[index] = { ...trace, x, y, text, textfont: { ...trace.textfont, size: fontSize } };
        }
      }
      return { scrollZoom: true };
    },
    /** Follows what Plotly does by itself, once the graph has its `on`. */
    listen() {
      drawn.on("plotly_relayout", follow);
      drawn.on("plotly_click", noteToggle);
    },
  };
}
