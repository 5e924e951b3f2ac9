// @ts-check
// The colours and the width that a figure takes from its place in the page, and when they change.

import { isDark } from "./dark.js";

/** @import { Appearance } from "./figure.js" */

/** Narrower than this many pixels, the panels of a figure stand below each other. */
const NARROW = 560;
/** What hosts change on the page's root or body with the theme: all by which `theme.css` knows a dark host are here. */
export const THEME_ATTRIBUTES = ["class", "style", "theme", "data-jp-theme-light", "data-jp-theme-name"];

/**
 * @param {HTMLElement} element where the figure is
 * @returns {Appearance}
 */
export function appearanceOf(element) {
  const style = getComputedStyle(element);
  const background = style.getPropertyValue("--actw-background").trim() || "#ffffff";
  return {
    narrow: element.clientWidth > 0 && element.clientWidth < NARROW,
    dark: isDark(background),
    text: style.color,
    line: style.getPropertyValue("--actw-line").trim() || "#d0d7de",
    background,
  };
}

/**
 * Calls back whenever the element's size or the page's theme may have changed.
 * @param {HTMLElement} element
 * @param {() => void} callback
 * @param {AbortSignal} signal ends it when the view is removed
 */
export function watchAppearance(element, callback, signal) {
  // Not within the delivery of the sizes: a figure that changes the size there is an error of the page. A page out of
  // sight delivers none, so nothing waits for a frame there.
  const size = new ResizeObserver(() => requestAnimationFrame(callback));
  size.observe(element);
  const theme = new MutationObserver(callback);
  for (const root of [document.documentElement, document.body]) {
    theme.observe(root, { attributes: true, attributeFilter: THEME_ATTRIBUTES });
  }
  // A new theme's style sheet can load after its name is set. JupyterLab also changes the page's icon in the head, at each
  // answer of the kernel: only style sheets count.
  const restyled = (/** @type {Iterable<any>} */ nodes) => {
    if ([...nodes].some((node) => node.nodeName === "STYLE" || node.rel === "stylesheet")) callback();
  };
  const head = new MutationObserver((changes) =>
    restyled(changes.flatMap(({ addedNodes, removedNodes }) => [...addedNodes, ...removedNodes])),
  );
  head.observe(document.head, { childList: true });
  const loaded = (/** @type {Event} */ event) => restyled([event.target]);
  document.head.addEventListener("load", loaded, { capture: true, signal });
  signal.addEventListener("abort", () => [size, theme, head].forEach((observer) => observer.disconnect()));
}
