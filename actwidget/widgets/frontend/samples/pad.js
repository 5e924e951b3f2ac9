// @ts-check
// The drawing pad: one pixel of the model's input for each pixel drawn, by mouse, finger, pen or keyboard.

import { uniqueId } from "../shared/unique_id.js";
import { addLine, oneAtATime, penRadius } from "./ink.js";

/**
 * @typedef {{height: number, width: number, isDark: boolean}} PadLook
 * @typedef {{el: HTMLElement, restart(): void, answered(pad: string): void}} Pad
 */

/** @type {Record<string, [number, number]>} How far a key moves the pen. */
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const SIDE = 196;

/**
 * @param {PadLook} look
 * @param {(ink: Uint8ClampedArray<ArrayBuffer>, pad: string) => void} send gives the kernel what is drawn
 * @param {AbortSignal} signal
 * @returns {Pad}
 */
export function drawingPad({ height, width, isDark }, send, signal) {
  const el = document.createElement("div");
  el.className = "actw-samples-pad";
  const frame = document.createElement("div");
  frame.className = "actw-samples-canvas";
  const canvas = document.createElement("canvas");
  const scale = Math.max(1, Math.floor(SIDE / Math.max(height, width)));
  Object.assign(canvas, { width, height, tabIndex: 0 });
  frame.style.width = `${width * scale}px`;
  frame.style.height = `${height * scale}px`;
  canvas.setAttribute("role", "application");
  const colors = isDark ? "white on black" : "black on white";
  canvas.setAttribute("aria-label", `Drawing pad, ${width} × ${height} pixels, ${colors}`);
  const pen = document.createElement("div");
  pen.className = "actw-samples-pen";
  pen.style.width = pen.style.height = `${scale}px`;
  const help = document.createElement("p");
  help.textContent = `Draw here, ${colors} as the data. By keyboard: arrow keys move the pen, Space puts it down or lifts it.`;
  const state = document.createElement("p");
  state.className = "actw-samples-unseen";
  state.setAttribute("aria-live", "polite");
  const clear = document.createElement("button");
  clear.type = "button";
  clear.textContent = "Clear";
  frame.append(canvas, pen);
  el.append(frame, help, clear, state);

  const ink = new Uint8ClampedArray(width * height);
  const radius = penRadius(width, height);
  let name = uniqueId("pad");
  /** @type {[number, number] | null} where the mouse was last, while it is down */
  let last = null;
  let isPenDown = false;
  /** @type {[number, number]} the pixel at which the pen of the keyboard is */
  let at = [Math.floor(width / 2), Math.floor(height / 2)];
  const drawing = oneAtATime(
    () => send(ink.slice(), name),
    (isBusy) => canvas.setAttribute("aria-busy", String(isBusy)),
  );

  const paint = () => {
    const context = canvas.getContext("2d");
    if (!context) return;
    const image = context.createImageData(width, height);
    ink.forEach((value, place) => {
      image.data.fill(isDark ? value : 255 - value, 4 * place, 4 * place + 3);
      image.data[4 * place + 3] = 255;
    });
    context.putImageData(image, 0, 0);
  };
  const placePen = () => {
    pen.style.left = `${at[0] * scale}px`;
    pen.style.top = `${at[1] * scale}px`;
    pen.classList.toggle("actw-samples-down", isPenDown);
    state.textContent = `Pen ${isPenDown ? "down" : "up"} at row ${at[1]}, column ${at[0]}`;
  };
  const draw = (/** @type {[number, number]} */ from, /** @type {[number, number]} */ to) => {
    addLine(ink, width, from, to, radius);
    paint();
    drawing.change();
  };
  const middle = (/** @type {[number, number]} */ [x, y]) => /** @type {[number, number]} */ ([x + 0.5, y + 0.5]);
  const point = (/** @type {PointerEvent} */ { clientX, clientY }) => {
    const box = canvas.getBoundingClientRect();
    return /** @type {[number, number]} */ ([
      ((clientX - box.left) / box.width) * width,
      ((clientY - box.top) / box.height) * height,
    ]);
  };

  const start = (/** @type {PointerEvent} */ event) => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    last = point(event);
    draw(last, last);
  };
  const move = (/** @type {PointerEvent} */ event) => {
    if (!last) return;
    for (const each of [...(event.getCoalescedEvents?.() ?? []), event]) {
      const next = point(each);
      addLine(ink, width, last, next, radius);
      last = next;
    }
    paint();
    drawing.change();
  };
  const stop = () => {
    last = null;
  };
  const press = (/** @type {KeyboardEvent} */ event) => {
    const { key } = event;
    if (event.altKey || event.ctrlKey || event.metaKey || !(key === " " || Object.hasOwn(MOVES, key))) return;
    event.preventDefault();
    event.stopPropagation();
    const before = at;
    if (key === " ") {
      if (event.repeat) return;
      isPenDown = !isPenDown;
    } else {
      const [dx, dy] = MOVES[key];
      at = [Math.max(0, Math.min(at[0] + dx, width - 1)), Math.max(0, Math.min(at[1] + dy, height - 1))];
    }
    placePen();
    if (isPenDown) draw(middle(before), middle(at));
  };
  const wipe = () => {
    const hadInk = ink.some(Boolean);
    ink.fill(0);
    isPenDown = false;
    placePen();
    paint();
    if (hadInk) drawing.change();
  };

  canvas.addEventListener("pointerdown", start, { signal });
  canvas.addEventListener("pointermove", move, { signal });
  canvas.addEventListener("pointerup", stop, { signal });
  canvas.addEventListener("pointercancel", stop, { signal });
  canvas.addEventListener("keydown", press, { signal });
  clear.addEventListener("click", wipe, { signal });
  paint();
  placePen();
  state.textContent = "";
  return {
    el,
    restart() {
      // The next drawing is a sample of its own.
      name = uniqueId("pad");
      ink.fill(0);
      isPenDown = false;
      placePen();
      state.textContent = "";
      paint();
    },
    answered(/** @type {string} */ pad) {
      // An answer to a drawing that was closed also frees the way.
      if (pad) drawing.answer();
    },
  };
}
