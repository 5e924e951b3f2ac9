// @ts-check
// `CodePanel`: a button that unfolds source code, and a button in it that copies the code.

import { onChange } from "./shared/widget_model.js";

/** @import { WidgetModel } from "./shared/widget_model.js" */

/**
 * Copies text to the clipboard, even if the page may not use the clipboard API.
 * @param {string} text
 * @param {HTMLElement} element the element that shows the text
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
 * @returns {() => void} removes the view
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
  const note = document.createElement("p");
  note.className = "actw-code-note";
  panel.append(copyButton, status, note, pre);
  box.append(toggle, panel);
  el.append(box);

  const update = () => {
    toggle.textContent = `</> ${model.get("label")}`;
    code.textContent = model.get("code");
    note.textContent = model.get("note");
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
  onChange(model, signal, { code: update, label: update, note: update });
  update();
  return () => {
    controller.abort();
    box.remove();
  };
}

export default { render };
