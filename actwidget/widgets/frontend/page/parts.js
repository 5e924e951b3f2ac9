// @ts-check
// The parts of a saved page, as `page.py` writes them.

/**
 * The text of a script element of the page.
 * @param {string} id
 */
export function storedText(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id)).textContent ?? "";
}

/**
 * @param {string} className
 * @returns {HTMLElement}
 */
export function pagePart(className) {
  return /** @type {HTMLElement} */ (document.querySelector(`.actw-page .${className}`));
}

/** Keeps the page dark while the browser prefers dark pages, in the way that `theme.css` knows. */
export function followTheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => document.documentElement.setAttribute("theme", dark.matches ? "dark" : "light");
  dark.addEventListener("change", follow);
  follow();
}
