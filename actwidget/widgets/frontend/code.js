// @ts-check
// `CodePanel`: a button that folds out source code, which another button copies.

import { onChange } from "./shared/widget_model.js";

/** @import { WidgetModel } from "./shared/widget_model.js" */

/**
 * Puts text on the clipboard, also where the page may not use the clipboard API.
 * @param {string} text
 * @param {HTMLElement} element the one that shows it
 */
async function copy(text, element) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const range = document.createRange();
    range.selectNodeContents(element);
    const selection = getSelection();
    selection?.removeAllRanges();
    selection?.addRange(range);
    if (!document.execCommand("copy")) throw new Error("the browser did not allow it");
  }
}

/**
 * @param {{model: WidgetModel, el: HTMLElement}} view
 * @returns {() => void} removes it
 */
function render({ model, el }) {
  const box = document.createElement("div");
  box.className = "actw-code";
  const toggle = document.createElement("button");
  toggle.type = "button";
  toggle.className = "actw-code-toggle";
  toggle.setAttribute("aria-expanded", "false");
  const panel = document.createElement("div");
  panel.className = "actw-code-panel";
  panel.hidden = true;
  const pre = document.createElement("pre");
  const code = document.createElement("code");
  pre.append(code);
  pre.tabIndex = 0;
  const copyButton = document.createElement("button");
  copyButton.type = "button";
  copyButton.className = "actw-code-copy";
  copyButton.textContent = "Copy";
  const status = document.createElement("span");
  status.className = "actw-code-said";
  status.setAttribute("aria-live", "polite");
  panel.append(copyButton, status, pre);
  box.append(toggle, panel);
  el.append(box);

  const update = () => {
    toggle.textContent = `</> ${model.get("label")}`;
    code.textContent = model.get("code");
    status.textContent = "";
  };
  const controller = new AbortController();
  const { signal } = controller;
  const show = (/** @type {boolean} */ open) => {
    panel.hidden = !open;
    toggle.setAttribute("aria-expanded", String(open));
  };
  toggle.addEventListener("click", () => show(panel.hidden === true), { signal });
  copyButton.addEventListener(
    "click",
    async () => {
      try {
        await copy(model.get("code"), code);
        status.textContent = "Copied";
      } catch (error) {
        status.textContent = `Not copied: ${/** @type {Error} */ (error).message}`;
      }
    },
    { signal },
  );
  box.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Escape" || panel.hidden) return;
      show(false);
      toggle.focus();
      event.preventDefault();
    },
    { signal },
  );
  onChange(model, signal, { code: update, label: update });
  update();
  return () => {
    controller.abort();
    box.remove();
  };
}

export default { render };
