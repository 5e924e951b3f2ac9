"""One height, room for the picture, and no text that overlaps another or is cut: at the explorer's own widths."""

from __future__ import annotations

import json

import pytest
from cells import KINDS
from lab import Explorer

pytestmark = pytest.mark.browser
WIDTHS = (1400, 1000, 760, 420)
# Each of these has a model of its own, and is looked at in all views; the others differ from `image` in their own view.
MODELS = ("image", "comparison", "sequence", "dense", "attention", "volume", "labels")
SET_WIDTH = "(element, width) => { element.style.width = `${width}px`; }"
ONE_ROW_FROM = 900
"""From this width on all controls are in one row."""
ROW_OF_CONTROLS = """(element) => {
  const row = element.querySelector(".actw-controls");
  return row?.checkVisibility() ? [row.scrollWidth - row.clientWidth, row.clientHeight] : [0, 0];
}"""
HEIGHT = "(element) => Math.round(element.getBoundingClientRect().height)"
# Where the first picture begins, below the top of the explorer; that of a network begins with its headings of columns.
FIRST_PICTURE = """(element) => {
  const {top} = element.getBoundingClientRect();
  const parts = ".actw-stage .main-svg :is(image, .trace), .actw-stage tbody, .actw-plot-sticky .annotation";
  const drawn = [...element.querySelectorAll(parts)];
  const boxes = drawn.map((each) => each.getBoundingClientRect()).filter(({width, height}) => width * height > 400);
  return Math.min(...boxes.map((box) => box.top)) - top;
}"""
# The texts in sight that overlap one another, or are cut without an ellipsis that has a tooltip.
FAULTS = """(element) => {
  const visible = (node) => node.checkVisibility({opacityProperty: true, visibilityProperty: true});
  const clips = (node) => {
    const {overflowX, overflowY} = getComputedStyle(node);
    return overflowX !== "visible" || overflowY !== "visible";
  };
  // What floats above a picture is opaque: a copy of its top, what the pointer is at, buttons.
  const floating = ".actw-plot-sticky, .actw-crosshair-line, .actw-plot-zoom";
  const notText = `style, script, [hidden], .actw-still, option, ${floating}`;
  const faults = [];
  const texts = [];
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const owner = node.parentElement;
    if (!node.textContent.trim() || !visible(owner) || owner.closest(notText)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const lines = [...range.getClientRects()].filter(({width, height}) => width > 1 && height > 1);
    for (const box of lines) {
      let {left, right, top, bottom} = box;
      let isIn = true, isCut = false;
      for (let above = owner; above && above !== element.parentElement; above = above.parentElement) {
        if (!clips(above) || above instanceof SVGElement && above.tagName !== "svg") continue;
        const room = above.getBoundingClientRect();
        const style = getComputedStyle(above);
        const scrolls = [style.overflowX, style.overflowY].some((way) => way === "auto" || way === "scroll");
        isIn &&= right > room.left && left < room.right && bottom > room.top && top < room.bottom;
        if (!isIn) break;
        const over = Math.max(room.left - left, right - room.right, room.top - top, bottom - room.bottom);
        const tells = style.textOverflow === "ellipsis" && above.closest("[title]");
        if (over > 1.5 && !scrolls && !tells) isCut = true;
        [left, right] = [Math.max(left, room.left), Math.min(right, room.right)];
        [top, bottom] = [Math.max(top, room.top), Math.min(bottom, room.bottom)];
      }
      const plot = owner.closest("[clip-path]")?.closest(".subplot");
      if (isIn && plot) { // Plotly draws nothing of it outside of the axes
        const [, axes] = plot.classList;
        const room = plot.closest(".main-svg").querySelector(`.draglayer .${axes} .nsewdrag`).getBoundingClientRect();
        [left, right] = [Math.max(left, room.left), Math.min(right, room.right)];
        [top, bottom] = [Math.max(top, room.top), Math.min(bottom, room.bottom)];
        isIn = left < right && top < bottom;
      }
      if (!isIn) continue;
      const text = node.textContent.trim().slice(0, 40);
      if (isCut) faults.push(`cut: ${text}`);
      texts.push({text, owner, left, right, top, bottom});
    }
  }
  for (let one = 0; one < texts.length; one++) {
    for (let two = one + 1; two < texts.length; two++) {
      const [a, b] = [texts[one], texts[two]];
      const [svgA, svgB] = [a.owner.closest("text"), b.owner.closest("text")];
      if (a.owner === b.owner || svgA && svgA === svgB) continue;
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (wide > 2 && high > 3) faults.push(`overlap: ${a.text} | ${b.text}`);
    }
  }
  return faults;
}"""


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def notebook(kind, run_kind):
    return run_kind(kind)


@pytest.mark.parametrize("width", WIDTHS)
def test_no_text_overlaps_or_is_cut_and_all_views_have_one_height(notebook, kind, width):
    explorer = Explorer(notebook)
    first_view = notebook.ask("print(view.show)")
    explorer.element.evaluate(SET_WIDTH, width)
    heights, faults = {}, {}
    views = notebook.ask("print(*view._explorer.offered_views())")
    for view in [*(views.split() if kind in MODELS else ()), first_view]:
        notebook.ask(f"view.show = {view!r}")
        explorer.settle()
        heights[view] = explorer.element.evaluate(HEIGHT)
        found = explorer.element.evaluate(FAULTS)
        if width == 1000:
            explorer.element.evaluate(SET_WIDTH, ONE_ROW_FROM)
            over, high = explorer.element.evaluate(ROW_OF_CONTROLS)
            if over > 0 or high > 30:
                found.append(f"controls: {over} pixels too wide, {high} pixels high")
            explorer.element.evaluate(SET_WIDTH, width)
            explorer.settle()
        if view == "graph":  # what goes beyond the panel is reached by moving the drawing
            found = [fault for fault in found if not fault.startswith("cut")]
        if found:
            faults[view] = found
    layers = json.loads(notebook.ask("import json; print(json.dumps([node.path for node in view.tree]))"))
    for layer in (layers[0], layers[len(layers) // 2], layers[-1]):
        notebook.ask(f"view.layer, first = {layer!r}, view.layer")
        explorer.settle()
        heights[layer] = explorer.element.evaluate(HEIGHT)
        notebook.ask("view.layer = first")
    explorer.settle()
    assert faults == {}
    assert len(set(heights.values())) == 1, heights
    if width == 420:
        assert explorer.element.evaluate(FIRST_PICTURE) <= 360
