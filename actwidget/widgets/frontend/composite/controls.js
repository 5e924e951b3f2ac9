// @ts-check
// The controls of ipywidgets that are used here, as plain elements of HTML.

import { throttled } from "../shared/throttled.js";
import { onChange } from "../shared/widget_model.js";

/**
 * @import { WidgetModel } from "../shared/widget_model.js"
 * @typedef {(model: WidgetModel, el: HTMLElement, signal: AbortSignal) => void} Render
 */

/** In milliseconds: a slider on its way sends a value no more often, so that the kernel keeps up. ipywidgets' own do too. */
const PAUSE = 100;

let count = 0;

/**
 * @param {WidgetModel} model
 * @param {string} name
 * @param {any} value
 */
function assign(model, name, value) {
  model.set(name, value);
  model.save_changes();
}

/**
 * Calls a function now, and whenever one of the traits changes.
 * @param {WidgetModel} model
 * @param {AbortSignal} signal
 * @param {string[]} names
 * @param {() => void} update
 */
function keep(model, signal, names, update) {
  onChange(model, signal, Object.fromEntries(names.map((name) => [name, update])));
  update();
}

/**
 * Adds an input with the label of the control before it.
 * @template {HTMLElement} T
 * @param {WidgetModel} model
 * @param {HTMLElement} el
 * @param {T} input
 * @returns {T}
 */
function addLabelled(model, el, input) {
  const label = document.createElement("label");
  label.className = "widget-label";
  label.textContent = model.get("description");
  count += 1;
  input.id = label.htmlFor = `actw-control-${count}`;
  input.title = model.get("tooltip") ?? "";
  el.append(label, input);
  return input;
}

/** @type {Render} */
function renderHtml(model, el, signal) {
  const content = document.createElement("div");
  content.className = "widget-html-content";
  el.append(content);
  // It is HTML by the kernel, in which all text from a model is escaped.
  keep(model, signal, ["value"], () => (content.innerHTML = model.get("value")));
}

/** @type {Render} */
function renderText(model, el, signal) {
  const input = addLabelled(model, el, document.createElement("input"));
  input.type = "text";
  keep(model, signal, ["value", "placeholder"], () => {
    input.value = model.get("value");
    input.placeholder = model.get("placeholder");
  });
  input.addEventListener("change", () => assign(model, "value", input.value), { signal });
}

/** @type {Render} */
function renderSlider(model, el, signal) {
  const input = addLabelled(model, el, document.createElement("input"));
  input.type = "range";
  const readout = document.createElement("output");
  readout.className = "widget-readout";
  readout.htmlFor.add(input.id);
  el.append(readout);
  keep(model, signal, ["min", "max", "step", "value"], () => {
    for (const name of ["min", "max", "step"]) input.setAttribute(name, model.get(name));
    input.value = model.get("value");
    readout.textContent = input.value;
  });
  const send = throttled((/** @type {number} */ value) => assign(model, "value", value), PAUSE);
  input.addEventListener("input", () => send(input.valueAsNumber), { signal });
}

/** @type {Render} */
function renderButton(model, el, signal) {
  el.setAttribute("type", "button");
  el.title = model.get("tooltip") ?? "";
  keep(model, signal, ["description", "disabled"], () => {
    el.textContent = model.get("description");
    el.toggleAttribute("disabled", model.get("disabled") === true);
  });
  el.addEventListener("click", () => model.send({ event: "click" }), { signal });
}

/** @type {Record<string, {tag: string, classes: string, render: Render}>} By the name that ipywidgets give a view. */
export const CONTROLS = {
  HTMLView: { tag: "div", classes: "widget-html", render: renderHtml },
  TextView: { tag: "div", classes: "widget-inline-hbox widget-text", render: renderText },
  FloatSliderView: { tag: "div", classes: "widget-inline-hbox widget-slider", render: renderSlider },
  IntSliderView: { tag: "div", classes: "widget-inline-hbox widget-slider", render: renderSlider },
  ButtonView: { tag: "button", classes: "jupyter-button widget-button", render: renderButton },
};
