"""One height, room for the picture, and no text that overlaps another or is cut: at the explorer's own widths."""

from __future__ import annotations

import json
from collections import defaultdict

import pytest
from cells import KINDS
from lab import Explorer

pytestmark = pytest.mark.browser
WIDTHS = (1400, 1000, 760, 420)
NARROWEST = WIDTHS[-1]
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


# They look like another kind, with another model or another option.
VARIANTS = {"costs", "strips", "masked", "volume", "labels", "why_channels"}


@pytest.fixture(
    scope="module",
    params=[pytest.param(kind, marks=pytest.mark.thorough if kind in VARIANTS else ()) for kind in KINDS],
)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def notebook(kind, run_kind):
    return run_kind(kind)


def faults_at(explorer, width, view):
    """What of the texts overlaps or is cut at a width of the explorer."""
    explorer.element.evaluate(SET_WIDTH, width)
    explorer.settle()
    found = explorer.element.evaluate(FAULTS)
    if view == "graph":  # what goes beyond the panel is reached by moving the drawing
        found = [fault for fault in found if not fault.startswith("cut")]
    return found


def test_no_text_overlaps_or_is_cut_and_all_views_have_one_height(notebook, kind):
    explorer = Explorer(notebook)
    first_view = notebook.ask("print(view.show)")
    views = notebook.ask("print(*view._explorer.offered_views())")
    heights, faults = defaultdict(dict), {}
    for view in [*(views.split() if kind in MODELS else ()), first_view]:
        notebook.ask(f"view.show = {view!r}")
        for width in WIDTHS:
            if found := faults_at(explorer, width, view):
                faults[view, width] = found
            heights[width][view] = explorer.element.evaluate(HEIGHT)
        explorer.element.evaluate(SET_WIDTH, ONE_ROW_FROM)
        explorer.settle()
        over, high = explorer.element.evaluate(ROW_OF_CONTROLS)
        if over > 0 or high > 30:
            faults[view, ONE_ROW_FROM] = f"controls: {over} pixels too wide, {high} pixels high"
    explorer.element.evaluate(SET_WIDTH, NARROWEST)
    explorer.settle()
    first_picture = explorer.element.evaluate(FIRST_PICTURE)
    layers = json.loads(notebook.ask("import json; print(json.dumps([node.path for node in view.tree]))"))
    for layer in (layers[0], layers[len(layers) // 2], layers[-1]):
        notebook.ask(f"first, view.layer = (view.layer, view.channel), {layer!r}")
        for width in WIDTHS:
            explorer.element.evaluate(SET_WIDTH, width)
            explorer.settle()
            heights[width][layer] = explorer.element.evaluate(HEIGHT)
        notebook.ask("view.layer, view.channel = first")
    assert faults == {}
    assert {width: len(set(of_width.values())) for width, of_width in heights.items()} == dict.fromkeys(WIDTHS, 1), (
        heights
    )
    assert first_picture <= 360
