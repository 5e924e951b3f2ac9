"""The first notebook, run as a person runs it."""

from __future__ import annotations

import pytest

LESSON = "notebooks/01-explore-a-real-network.ipynb"
TEN = [
    "image", "stem_conv", "block1_expand_relu", "block2_dw", "block3_project_bn", "block4_add", "block7_expand_relu",
    "head_relu", "head_pool", "predictions",
]  # fmt: skip


@pytest.fixture(scope="module")
def notebook(open_page):
    opened = open_page(LESSON)
    opened.run_all()
    opened.page.wait_for_function("() => document.querySelectorAll('.actw-explorer .main-svg').length")
    opened.count_drawings()
    return opened


def test_every_cell_runs_and_the_explorer_is_drawn(explorer, notebook):
    assert explorer.title.startswith(f"{notebook.ask('print(explorer.layer)')} ·")
    assert explorer.graph.locator(".imagelayer image, .bars path").count() > 0


@pytest.mark.parametrize("path", TEN)
def test_a_click_on_a_layer_draws_it_once(explorer, notebook, path):
    before = explorer.drawings
    explorer.select(path)
    assert explorer.drawings == before + 1
    assert explorer.selected == [path]
    assert notebook.ask("print(explorer.layer)") == path
    assert explorer.status.text_content()
    assert explorer.alert.text_content() == ""


def test_a_click_on_a_tile_shows_its_channel_close_up(explorer, notebook):
    explorer.select("block2_expand_relu")
    for channel in (0, 17, 143):
        notebook.page.mouse.click(*explorer.tile(channel))
        explorer.wait_until("(graph, n) => graph.layout.annotations[0].text.includes(`channel ${n}<`)", channel)
        assert notebook.ask("print(explorer.channel)") == str(channel)
        box, x, y = explorer.graph.evaluate(
            """(graph) => {
              const {x0, x1, y0, y1} = graph.layout.shapes[0];
              return [graph.layout.shapes.length, (x0 + x1) / 2, (y0 + y1) / 2];
            }"""
        )
        cell = explorer.graph.evaluate(
            """(graph, [x, y]) => {
              const {customdata, x: xs, y: ys} = graph._fullData.find((trace) => trace.customdata);
              const nearest = (values, at) => [...values].reduce(
                (best, value, index) => (Math.abs(value - at) < Math.abs(values[best] - at) ? index : best), 0);
              return customdata[nearest(ys, y)][nearest(xs, x)][0];
            }""",
            [x, y],
        )
        assert (box, cell) == (2, channel)  # a double stroke


def test_the_mouse_over_a_tile_reads_its_number(explorer, notebook):
    explorer.select("block2_expand_relu")
    for channel in (30, 71):
        notebook.page.mouse.move(*explorer.tile(channel), steps=4)
        hover = explorer.graph.locator(".hoverlayer").get_by_text(f"channel {channel}", exact=True)
        hover.wait_for()
