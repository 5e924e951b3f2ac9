// @ts-check

import { onChange } from "../shared/widget_model.js";

/**
 * @import { WidgetModel } from "../shared/widget_model.js"
 * @typedef {{title?: string, facts?: [string, string, boolean][], actions?: [string, string][]}} Content
 */

/**
 * @param {string} tag
 * @param {string} text
 */
function textElement(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}

/**
 * @param {{model: WidgetModel, el: HTMLElement}} view
 * @returns {() => void} removes it
 */
export function renderInspection({ model, el }) {
  const controller = new AbortController();
  const { signal } = controller;
  const panel = document.createElement("section");
  panel.className = "actw-inspection";
  el.append(panel);
  const fact = (/** @type {[string, string, boolean]} */ [term, text, warns]) => {
    const pair = document.createElement("div");
    const value = textElement("dd", text);
    value.title = text;
    if (warns) value.className = "actw-warning";
    pair.append(textElement("dt", term), value);
    return pair;
  };
  const show = () => {
    const { title, facts = [], actions = [] } = /** @type {Content} */ (model.get("content") ?? {});
    const hadFocus = panel.contains(document.activeElement);
    panel.hidden = title === undefined;
    panel.setAttribute("aria-label", title ?? "");
    const list = document.createElement("dl");
    list.append(...facts.map(fact));
    const buttons = actions.map(([label, tip], index) => {
      const button = textElement("button", label);
      button.setAttribute("type", "button");
      button.title = tip;
      button.addEventListener("click", () => model.send({ action: index }), { signal });
      return button;
    });
    panel.replaceChildren(textElement("h3", title ?? ""), list, ...buttons);
    if (hadFocus) buttons[0]?.focus();
  };
  onChange(model, signal, { content: show });
  show();
  return () => {
    controller.abort();
    panel.remove();
  };
}
