// @ts-check
// Notebooks take single keys for commands: x cuts the cell. No such key leaves the explorer.

/** JupyterLab runs no shortcuts for keys pressed inside an element with this attribute. */
const NO_SHORTCUTS = "data-lm-suppress-shortcuts";

/**
 * Whether a key pressed in an explorer is for the page around it: combinations, Shift+Enter, Tab and Escape.
 * @param {{key: string, ctrlKey: boolean, metaKey: boolean, altKey: boolean, shiftKey: boolean}} event
 */
export function isForPage({ key, ctrlKey, metaKey, altKey, shiftKey }) {
  return ctrlKey || metaKey || altKey || key === "Tab" || key === "Escape" || (shiftKey && key === "Enter");
}

/**
 * Keeps keys from the notebook, whatever in the explorer has the focus: the tree does so for all of it, since it is always
 * there. What it returns starts this; it is called when the tree may have come into an explorer, however often.
 * @param {HTMLElement} root the tree
 * @param {AbortSignal} signal ends it when the view is removed
 * @returns {() => void}
 */
export function keyHolder(root, signal) {
  const hold = (/** @type {Event} */ event) => {
    if (!isForPage(/** @type {KeyboardEvent} */ (event))) return event.stopPropagation();
    // The attribute holds all shortcuts, but Ctrl+S has to save the notebook from here too.
    const explorer = /** @type {HTMLElement} */ (event.currentTarget);
    explorer.removeAttribute(NO_SHORTCUTS);
    setTimeout(() => explorer.setAttribute(NO_SHORTCUTS, "true"));
  };
  return () => {
    const explorer = root.closest(".actw-explorer") ?? root;
    explorer.setAttribute(NO_SHORTCUTS, "true");
    explorer.addEventListener("keydown", hold, { signal });
  };
}
