"""The outputs of a cell as a host gets them from a kernel: the widget, its still, and on Colab what Colab needs."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser

import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image

from actwidget.widgets.assets import _FRONTEND, asset

VIEW = "application/vnd.jupyter.widget-view+json"
MANAGER = "https://colab.example/manager.js"
MODEL = """
import keras, numpy as np, actwidget as aw
keras.utils.set_random_seed(0)
x = keras.Input((12, 12, 3), name="image")
y = keras.layers.Conv2D(8, 3, activation="relu", name="conv")(x)
y = keras.layers.GlobalAveragePooling2D(name="pool")(y)
model = keras.Model(x, keras.layers.Dense(3, activation="softmax", name="out")(y), name="small")
explorer = aw.LayerExplorer(model, np.random.default_rng(0).normal(size=(2, 12, 12, 3)))
"""
# A kernel on Colab has this module. Its function adds the manager's address to the outputs that are displayed.
COLAB = f"""
import sys, types
from IPython import get_ipython

def add_manager(message):
    content = message["content"]
    if {VIEW!r} in content.get("data", ()):
        content["metadata"][{VIEW!r}] = {{"colab": {{"custom_widget_manager": {{"url": {MANAGER!r}}}}}}}
    return message

def enable_custom_widget_manager():
    calls.append("enabled")
    output._widgets._installed_url = {MANAGER!r}
    get_ipython().display_pub.register_hook(add_manager)

calls = []
output = types.ModuleType("google.colab.output")
output.enable_custom_widget_manager = enable_custom_widget_manager
output._widgets = types.SimpleNamespace(_installed_url=None)
sys.modules["google.colab.output"] = output
"""
SHOWN = ["explorer", "aw.LayerTree(explorer.tree)", "aw.PlotView(explorer.figure)"]


def executed(*cells):
    """The outputs of each cell, run by a kernel."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=300, store_widget_state=False).execute()
    return [cell.outputs for cell in notebook.cells]


@pytest.fixture(scope="module")
def elsewhere():
    return executed(MODEL, *SHOWN)[1:]


@pytest.fixture(scope="module")
def on_colab():
    return executed(COLAB, MODEL, *SHOWN, "print(calls)")[2:]


def test_each_widget_is_an_output_with_its_name_in_words(elsewhere):
    names = [
        "LayerExplorer('small', layer='conv', channel=None, sample=0)",
        "LayerTree(4 layers, selected='')",
    ]
    for (first, *_rest), name in zip(elsewhere, names, strict=False):
        assert first.data.keys() == {"text/plain", VIEW}
        assert first.data["text/plain"] == name
        assert first.metadata == {}
    assert re.fullmatch(r"PlotView\(\d+ traces\)", elsewhere[2][0].data["text/plain"])
    views = [first.data[VIEW] for first, *_rest in elsewhere]
    assert len({view["model_id"] for view in views}) == len(SHOWN)
    assert {view["version_major"] for view in views} == {2}
    assert [len(outputs) for outputs in elsewhere] == [2, 1, 1]


class Elements(HTMLParser):
    """The elements of some HTML, and where their attributes lead."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.links, self.handlers = set(), [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name in {"src", "href", "srcset", "action", "data"}]
        self.handlers += [name for name, _value in attrs if name.startswith("on")]


def test_the_still_is_a_small_picture_with_numbers_and_neither_script_nor_address(elsewhere):
    still = elsewhere[0][1]
    assert still.data.keys() == {"text/html", "image/png"}
    html, png = still.data["text/html"], still.data["image/png"]
    elements = Elements(html)
    assert elements.tags == {"style", "figure", "img", "dl", "div", "dt", "dd", "figcaption"}
    assert elements.handlers == []
    (link,) = elements.links
    assert "//" not in html.replace(link, "")
    assert "url(" not in html
    assert len(html) - len(link) < 5_000
    for picture in (base64.b64decode(png), base64.b64decode(link.removeprefix("data:image/png;base64,"))):
        assert len(picture) <= 60_000
        with Image.open(io.BytesIO(picture)) as image:
            assert (image.format, image.width) == ("PNG", 720)


def test_what_the_page_gets_names_no_other_address():
    for path in _FRONTEND.iterdir():
        if path.name.endswith((".js", ".css")):
            assert re.findall(r"https?://[^\s\"'`)]+|url\([^)]*\)", asset(path.name)) == []


def test_on_colab_widgets_of_other_packages_are_enabled_once_and_every_output_says_where_their_manager_is(on_colab):
    *shown, printed = on_colab
    assert printed[0].text.strip() == "['enabled']"
    for first, *_rest in shown:
        assert first.metadata[VIEW] == {"colab": {"custom_widget_manager": {"url": MANAGER}}}


def test_on_colab_the_outputs_are_those_of_other_hosts(on_colab, elsewhere):
    for outputs, others in zip(on_colab, elsewhere, strict=False):
        for output, other in zip(outputs, others, strict=True):
            assert output.data.keys() == other.data.keys()
            assert output.data.get("text/plain") == other.data.get("text/plain")
