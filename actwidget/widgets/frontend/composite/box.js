// @ts-check
// Boxes of ipywidgets, and what is in them.

import { onChange } from "../shared/widget_model.js";
import { CONTROLS } from "./controls.js";

/** @import { WidgetModel } from "../shared/widget_model.js" */

/**
 * The part of the page that knows all widgets. anywidget gives one to `render`.
 * @typedef {{
 *   getModel(reference: string): Promise<WidgetModel>,
 *   getWidget(reference: string): Promise<{render(view: {el: HTMLElement, signal: AbortSignal}): Promise<void>}>,
 * }} Host
 * @typedef {{el: HTMLElement, controller: AbortController}} Child
 */

/** @type {Record<string, string>} Of each kind of box its classes, by the name of its view. */
const BOXES = { HBoxView: "widget-hbox", VBoxView: "widget-vbox" };

/**
 * A widget is named in the state of its parent in one way by ipywidgets, and in another by anywidget.
 * @param {string} name
 */
function reference(name) {
  return name.replace("IPY_MODEL_", "anywidget:");
}

/**
 * Keeps the classes of an element those of its widget.
 * @param {WidgetModel} model
 * @param {HTMLElement} el
 * @param {string} classes of its kind
 * @param {AbortSignal} signal
 */
function dress(model, el, classes, signal) {
  const update = () => {
    el.className = ["jupyter-widgets", classes, ...model.get("_dom_classes")].join(" ");
  };
  onChange(model, signal, { _dom_classes: update });
  update();
}

/**
 * Keeps the children of an element those of its widget. A child that stays is not drawn anew.
 * @param {WidgetModel} model
 * @param {HTMLElement} el
 * @param {Host} host
 * @param {AbortSignal} signal aborted when the box is removed
 */
export function renderBox(model, el, host, signal) {
  /** @type {Map<string, Child>} */
  const shown = new Map();
  const update = async () => {
    /** @type {string[]} */
    const names = model.get("children");
    const models = await Promise.all(names.map((name) => host.getModel(reference(name))));
    if (signal.aborted || names !== model.get("children")) return;
    for (const [name, child] of shown) {
      if (names.includes(name)) continue;
      child.controller.abort();
      child.el.remove();
      shown.delete(name);
    }
    names.forEach((name, index) => {
      const child = shown.get(name) ?? renderChild(name, models[index], host);
      shown.set(name, child);
      // What is where it belongs is not moved, because it would lose the focus.
      if (el.children[index] !== child.el) el.insertBefore(child.el, el.children[index] ?? null);
    });
  };
  dress(model, el, `widget-box ${BOXES[model.get("_view_name")]}`, signal);
  onChange(model, signal, { children: update });
  signal.addEventListener("abort", () => shown.forEach(({ controller }) => controller.abort()));
  update();
}

/**
 * @param {string} name
 * @param {WidgetModel} model
 * @param {Host} host
 * @returns {Child}
 */
function renderChild(name, model, host) {
  const controller = new AbortController();
  const { signal } = controller;
  const kind = model.get("_view_name");
  const control = CONTROLS[kind];
  const el = document.createElement(control?.tag ?? "div");
  if (kind in BOXES) {
    renderBox(model, el, host, signal);
  } else if (control) {
    dress(model, el, control.classes, signal);
    control.render(model, el, signal);
  } else {
    dress(model, el, "", signal);
    host.getWidget(reference(name)).then((widget) => widget.render({ el, signal }));
  }
  return { el, controller };
}
