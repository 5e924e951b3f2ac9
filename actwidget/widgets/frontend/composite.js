// @ts-check
// A box of ipywidgets as one anywidget with children, for marimo: of all ipywidgets it shows anywidgets alone.

import { renderBox } from "./composite/box.js";

/**
 * @import { WidgetModel } from "./shared/widget_model.js"
 * @import { Host } from "./composite/box.js"
 */

/** What a person does in the page to change a widget. */
const ACTS = ["pointerdown", "keydown", "input", "change"];

/**
 * Tells the kernel that a person has changed the box, for which marimo runs the cells that read it again.
 *
 * marimo does so when a message about the box itself comes from the page. But what a person does in a child goes to that
 * child, and the kernel then changes the box. So that change is acknowledged, unless it comes from code alone: a cell that
 * reads and changes the box would run for ever.
 * @param {WidgetModel} model
 * @param {HTMLElement} el
 * @param {AbortSignal} signal
 */
function acknowledge(model, el, signal) {
  let hasActed = false;
  let count = 0;
  const note = () => {
    hasActed = true;
  };
  const tell = () => {
    if (!hasActed) return;
    hasActed = false;
    count += 1;
    // The kernel has no trait of that name: what counts is that a message comes.
    model.set("acknowledged", count);
    model.save_changes();
  };
  for (const act of ACTS) el.addEventListener(act, note, { capture: true, signal });
  model.on("change", tell);
  signal.addEventListener("abort", () => model.off("change", tell));
}

/**
 * @param {{model: WidgetModel, el: HTMLElement, host?: Host}} view
 * @returns {() => void} removes it
 */
function render({ model, el, host }) {
  if (!host) throw new Error("This needs a marimo that shows widgets within widgets: 0.23.14 or newer.");
  const frame = document.createElement("div");
  frame.className = "actw-composite";
  el.append(frame);
  // What `marimo export` writes. The kernel alone has what draws the figure.
  if ("__MARIMO_STATIC__" in globalThis) {
    frame.textContent = "⚠ No kernel: this page can't show the explorer. Its method to_html writes one that can.";
    return () => frame.remove();
  }
  const box = document.createElement("div");
  frame.append(box);
  const controller = new AbortController();
  acknowledge(model, frame, controller.signal);
  renderBox(model, box, host, controller.signal);
  return () => {
    controller.abort();
    frame.remove();
  };
}

export default { render };
