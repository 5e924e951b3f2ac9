// @ts-check
// `Menu`: a drop-down with a label.

import { uniqueId } from "./shared/unique_id.js";
import { onChange } from "./shared/widget_model.js";

/** @import { WidgetModel } from "./shared/widget_model.js" */

/**
 * @param {{model: WidgetModel, el: HTMLElement}} view
 * @returns {() => void} removes the view
 */
function render({ model, el }) {
  const box = document.createElement("div");
  box.className = "actw-menu-box";
  const label = document.createElement("label");
  label.className = "widget-label";
  const select = document.createElement("select");
  select.id = label.htmlFor = uniqueId("actw-menu");
  box.append(label, select);
  el.append(box);
  const update = () => {
    label.textContent = model.get("label");
    select.title = model.get("tip");
    const choices = /** @type {[string, string][]} */ (model.get("choices"));
    select.replaceChildren(...choices.map(([value, name]) => new Option(name, value)));
    select.value = model.get("value");
  };
  const controller = new AbortController();
  const { signal } = controller;
  select.addEventListener(
    "change",
    () => {
      model.set("value", select.value);
      model.save_changes();
    },
    { signal },
  );
  onChange(model, signal, { choices: update, label: update, tip: update, value: update });
  update();
  return () => {
    controller.abort();
    box.remove();
  };
}

export default { render };
