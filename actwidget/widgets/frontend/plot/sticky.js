// @ts-check
// The top of a figure that is higher than its panel: it stays in sight while the panel scrolls, and the panel scrolls to
// the row that was selected.

/** What stands above the rows: the title, the headings (annotations), and the numbers of the axes. */
const ABOVE = ".infolayer > .g-gtitle, .infolayer > .annotation, .xaxislayer-above";
/** How many pixels of a row on each side of its middle are to be in sight. */
const MARGIN = 22;

/**
 * Where to scroll so that a row comes into sight.
 * @param {{reveal: number, sticky: number, top: number, height: number}} place `reveal`: the middle of the row; `sticky`:
 *   the height of what covers the top; `top`: the first pixel in sight; `height`: of what is in sight
 * @returns {number | undefined} the new first pixel; undefined if the row is in sight
 */
export function scrollTarget({ reveal, sticky, top, height }) {
  if (reveal - MARGIN >= top + sticky && reveal + MARGIN <= top + height) return undefined;
  return Math.max(0, Math.round(reveal - (sticky + height) / 2));
}

/**
 * The element that a figure scrolls in, if its widget has a height of its own.
 * @param {HTMLElement} box
 * @returns {HTMLElement | undefined}
 */
function scrollerOf(box) {
  const outer = box.parentElement;
  return outer && /auto|scroll/.test(getComputedStyle(outer).overflowY) ? outer : undefined;
}

/**
 * Keeps the top of a figure in sight. Its methods do nothing for a figure without `layout.meta.sticky`.
 * @param {HTMLElement} box what holds the graph
 * @param {HTMLElement} graph Plotly's
 */
export function createSticky(box, graph) {
  const header = document.createElement("div");
  header.className = "actw-plot-sticky";
  header.setAttribute("aria-hidden", "true"); // the graph has an alt text
  /** @type {number | undefined} */
  let revealed;

  const copyTop = (/** @type {number} */ height) => {
    const svg = /** @type {Element} */ (graph.querySelector(".main-svg")?.cloneNode());
    for (const name of svg.getAttributeNames()) svg.removeAttribute(name);
    svg.setAttribute("width", "100%");
    svg.setAttribute("height", String(height));
    for (const part of graph.querySelectorAll(ABOVE)) svg.append(part.cloneNode(true));
    header.replaceChildren(svg);
    if (!header.isConnected) box.insertBefore(header, graph);
  };
  const scrollTo = (/** @type {HTMLElement} */ scroller, /** @type {number} */ reveal, /** @type {number} */ sticky) => {
    const above = graph.getBoundingClientRect().top - scroller.getBoundingClientRect().top + scroller.scrollTop;
    const place = { reveal: reveal + above, sticky, top: scroller.scrollTop, height: scroller.clientHeight };
    const target = scrollTarget(place);
    if (target !== undefined) scroller.scrollTop = target;
  };
  return {
    /**
     * Call it after each drawing.
     * @param {any} layout of the figure
     */
    update(layout) {
      const { sticky, reveal } = layout.meta ?? {};
      if (sticky) copyTop(sticky);
      else header.remove();
      const scroller = scrollerOf(box);
      // The keyboard scrolls what has the focus.
      if (scroller && sticky && scroller.scrollHeight > scroller.clientHeight) scroller.tabIndex = 0;
      else scroller?.removeAttribute("tabindex");
      // Another theme or width draws the same figure again: the user may have scrolled on since.
      if (scroller && sticky && reveal !== undefined && reveal !== revealed) scrollTo(scroller, reveal, sticky);
      revealed = sticky ? reveal : undefined;
    },
  };
}
