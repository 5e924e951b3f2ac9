"""What explorers cost a page and a file, how they look there, and names that try to be more than names."""

from __future__ import annotations

import json
import re

import pytest
from lab import Explorer, set_theme, wait_for_explorer

FIRST = """
import keras, numpy as np, actwidget as aw
from keras import layers
keras.utils.set_random_seed(1)

def network(name):
    image = keras.Input((32, 32, 3), name="image")
    y = layers.Conv2D(16, 3, activation="relu", name="edges")(image)
    y = layers.Conv2D(32, 3, strides=2, activation="relu", name="parts")(y)
    y = layers.GlobalAveragePooling2D(name="pool")(y)
    return keras.Model(image, layers.Dense(4, activation="softmax", name="kinds")(y), name=name)

x = np.random.default_rng(0).random((1, 32, 32, 3), "float32")
first = aw.LayerExplorer(network("one"), x)
first
"""
SECOND = "second = aw.LayerExplorer(network('two'), x)\nsecond"
# The grid and the thumbnail of the input.
PICTURES = """
drawn = sum(len(trace.source) for trace in {0}.figure.data if trace.type == 'image')
print(drawn + sum(len(item.picture) for item in {0}._samples._items(0, len(x))))
"""
HOSTILE = [
    "<img src=x onerror=window.harmed=1>",
    "<b>bold<b>",
    "&amp;",
    "{{}}",
    "%{x}",
    "<script>window.harmed=1<script>",
    "'\"`${window.harmed=1}",
    "<a href='javascript:window.harmed=1'>link<a>",
    "long" * 60,
]
HOSTILE_MODEL = """
names = json.loads({names!r})
harmful = "<img src=x onerror=window.harmed=1>"
odd_class = type(harmful, (layers.Conv2D,), {{}})
y = image = keras.Input((9, 9, 1), name="image")
for name in names:
    y = odd_class(6, 3, padding="same", name=name)(y)
y = layers.Flatten(name="flat")(y)
y = layers.Dense(3, activation="softmax", name="kinds")(y)
classes = [harmful, "<b>b</b>", "&lt;"]
third = aw.LayerExplorer(keras.Model(image, y, name=harmful), np.ones((1, 9, 9, 1)), class_names=classes)
third
"""
TEXT_COLOR = "(graph) => [graph._fullLayout.font.color, getComputedStyle(graph).color]"


@pytest.fixture(scope="module")
def notebook(open_page):
    return open_page("", "print('empty')")


@pytest.fixture(scope="module")
def first(notebook):
    before = len(notebook.from_kernel)
    notebook.run(FIRST)
    shown = Explorer(notebook)
    shown.settle()
    shown.received = notebook.from_kernel[before:]
    return shown


@pytest.fixture(scope="module")
def second(notebook, first):  # noqa: ARG001 - the page has one already
    before = len(notebook.from_kernel)
    notebook.run(SECOND)
    shown = Explorer(notebook, 1)
    shown.settle()
    shown.received = notebook.from_kernel[before:]
    return shown


def test_the_first_explorer_costs_at_most_1700_kb(first):
    assert 1_000_000 < sum(first.received) <= 1_750_000


def test_a_second_explorer_costs_at_most_180_kb_and_its_pictures(notebook, second):
    pictures = int(notebook.ask(PICTURES.format("second")))
    assert 0 < sum(second.received) - pictures <= 180_000


def test_two_explorers_are_independent(notebook, first, second):
    second.select("pool")
    assert first.title.startswith("edges ·")
    first.select("parts")
    assert second.title.startswith("pool ·")
    assert first.selected == ["parts"]
    assert second.selected == ["pool"]
    assert notebook.ask("print(first.layer, second.layer)") == "parts pool"


def test_the_figure_takes_the_colours_of_the_theme(notebook, first):
    colors = []
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        set_theme(notebook.page, theme)
        first.wait_until(f"(graph) => {{ const [figure, page] = ({TEXT_COLOR})(graph); return figure === page }}")
        first.wait_until("(graph, before) => graph._fullLayout.font.color !== before", colors[0] if colors else None)
        colors.append(first.graph.evaluate(TEXT_COLOR)[0])
    dark, light = (sum(int(part) for part in re.findall(r"\d+", color)[:3]) for color in colors)
    assert light < 300
    assert dark > 450


def test_on_a_narrow_page_panels_stand_below_the_grid_and_nothing_sticks_out(notebook, first):
    panels = ("yaxis", "yaxis2", "yaxis3")
    wide = [first.layout(f"{panel}.domain") for panel in panels]
    assert wide[0] == [0, 1]
    notebook.page.set_viewport_size({"width": 640, "height": 1000})
    first.wait_until("(graph) => graph._fullLayout.yaxis.domain[0] > 0")
    domains = [first.layout(f"{panel}.domain") for panel in panels]
    assert domains[0][0] > domains[1][1] == domains[2][1]
    assert first.layout("xaxis2.domain")[1] < first.layout("xaxis3.domain")[0]
    assert [first.layout(f"xaxis{suffix}.domain")[1] for suffix in ("", "3")] == [1, 1]
    page_width, width, inner = first.element.evaluate("(box) => [innerWidth, box.clientWidth, box.scrollWidth]")
    assert inner <= width < page_width
    above, below = first.tree.bounding_box(), first.graph.bounding_box()
    assert above["y"] + above["height"] <= below["y"]
    notebook.page.set_viewport_size({"width": 1400, "height": 1000})
    first.wait_until("(graph) => graph._fullLayout.yaxis.domain[0] === 0")


def test_names_from_a_model_are_shown_as_they_are_written(notebook, second):  # noqa: ARG001 - it is the third on the page
    code = HOSTILE_MODEL.format(names=json.dumps(HOSTILE))
    notebook.run(f"import json\n{code}")
    third = Explorer(notebook, 2)
    rows = third.tree.locator('[role="treeitem"]')
    assert rows.evaluate_all("(rows) => rows.map((row) => row.dataset.path)") == ["image", *HOSTILE, "flat", "kinds"]
    for index, name in enumerate(HOSTILE, start=1):
        row = rows.nth(index)
        row.click()
        start = name if len(name) <= 52 else f"{name[:26]}…"  # what fits into a line on a narrow page
        third.wait_until("(graph, start) => graph.querySelector('.gtitle').textContent.startsWith(start)", start)
        third.settle()  # what stands beside the figure comes after it
        assert third.alert.text_content() == ""
        # A long name is cut in its middle.
        told = name if len(name) <= 80 else name[:30]
        assert told in row.text_content()
        assert third.element.locator(".actw-path").text_content().startswith(told)
        assert third.element.locator("pre").text_content() == notebook.ask("print(third.code)") + "\n"
        notebook.page.mouse.move(*third.tile(2), steps=3)
        third.graph.locator(".hoverlayer").get_by_text("channel 2", exact=True).wait_for()
    rows.nth(len(HOSTILE) + 2).click()
    third.wait_for_title("kinds")
    assert (
        "<b>b</b>"
        in third.graph.locator(".yaxislayer-above, .yaxislayer-below, .cartesianlayer").all_text_contents()[0]
    )
    made = third.element.locator("b, script, img[src='x'], a[href], [onerror]")
    assert made.count() == 0
    assert notebook.page.evaluate("() => window.harmed") is None


def test_a_saved_notebook_with_one_explorer_is_small(open_page, folder, notebook):
    opened = open_page("", FIRST)
    opened.run_all()
    wait_for_explorer(opened.page)
    opened.save(state=True)
    saved = (folder / "test_page1.ipynb").read_text()
    state = json.loads(saved)["metadata"]["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    assert any("_spec" in model["state"] for model in state.values())
    picture = int(opened.ask(PICTURES.format("first")))
    assert len(saved) - picture <= 300_000
    notebook.errors += opened.errors
