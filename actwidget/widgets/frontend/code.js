// @ts-check

/**
 * Puts text on the clipboard, also where the page may not use the clipboard API.
 * @param {string} text
 * @param {HTMLElement} shown the element that shows it
 */
async function copy(text, shown) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const range = document.createRange();
    range.selectNodeContents(shown);
    const selection = getSelection();
    selection?.removeAllRanges();
    selection?.addRange(range);
    if (!document.execCommand("copy")) throw new Error("the browser did not allow it");
  }
}

/** @param {{model: any, el: HTMLElement}} view */
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
  const button = document.createElement("button");
  button.type = "button";
  button.className = "actw-code-copy";
  button.textContent = "Copy";
  const said = document.createElement("span");
  said.className = "actw-code-said";
  said.setAttribute("aria-live", "polite");
  panel.append(button, said, pre);
  box.append(toggle, panel);
  el.append(box);

  const update = () => {
    toggle.textContent = `</> ${model.get("label")}`;
    code.textContent = model.get("code");
    said.textContent = "";
  };
  const controller = new AbortController();
  const { signal } = controller;
  const show = (/** @type {boolean} */ open) => {
    panel.hidden = !open;
    toggle.setAttribute("aria-expanded", String(open));
  };
  toggle.addEventListener("click", () => show(panel.hidden === true), { signal });
  button.addEventListener(
    "click",
    async () => {
      try {
        await copy(model.get("code"), code);
        said.textContent = "Copied";
      } catch (error) {
        said.textContent = `Not copied: ${/** @type {Error} */ (error).message}`;
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
  model.on("change:code", update);
  model.on("change:label", update);
  update();
  return () => {
    controller.abort();
    model.off("change:code", update);
    model.off("change:label", update);
    box.remove();
  };
}

export default { render };
