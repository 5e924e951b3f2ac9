"""The outputs that a displayed explorer makes: the widget, and the still picture for where no widget can run."""

from __future__ import annotations

import asyncio
import base64
import io
import re
from collections import Counter
from html import unescape
from html.parser import HTMLParser

import keras
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from keras import layers
from PIL import Image

import actwidget as aw
from actwidget.widgets.stored import still
from tests.widgets.small import explorer

VIEW = "application/vnd.jupyter.widget-view+json"
HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1<script>'


@pytest.fixture
def outputs(monkeypatch):
    """What is displayed."""
    made = []
    monkeypatch.setattr(still, "publish_display_data", made.append)
    return made


def alt_of(data):
    return unescape(re.search(r'alt="([^"]*)"', data["text/html"])[1])


def picture(html):
    encoded = re.search(r'src="data:image/png;base64,([^"]*)"', html)[1]
    return encoded, Image.open(io.BytesIO(base64.b64decode(encoded)))


def test_the_last_line_of_a_cell_gives_the_widget_and_then_its_still(outputs):
    view = explorer()
    assert InteractiveShell.instance().display_formatter.format(view) == ({}, {})  # it has displayed itself
    widget, kept = outputs
    assert widget == {
        "text/plain": repr(view),
        VIEW: {"version_major": 2, "version_minor": 0, "model_id": view.model_id},
    }
    assert set(kept) == {"text/html", "image/png"}
    _encoded, image = picture(kept["text/html"])
    printed = Image.open(io.BytesIO(base64.b64decode(kept["image/png"])))
    assert (image.width, printed.width) == (720, 720)
    assert printed.height == image.height + 40  # the numbers and the advice, which the page has as text
    statistics = view.statistics
    assert f"<dd>0.00 to {statistics.maximum:.2f}</dd>" in kept["text/html"]
    caption = "conv · Channels · sample 0 · Conv2D · 6 channels of 6 × 6"
    assert alt_of(kept).startswith(caption)
    assert alt_of(kept).endswith(view._screen.plot.alt)
    assert "Snapshot. Run this cell for the interactive explorer." in kept["text/html"]


@pytest.mark.parametrize(
    ("change", "caption"),
    [
        ({"layer": "out", "sample": 1}, "out · Channels · sample 1 · Dense · 3 units"),
        ({"show": "overlay"}, "conv · On the input · sample 0 · Conv2D"),
        ({"show": "table"}, "conv · Table · sample 0 · Conv2D"),
        ({"show": "weights"}, "conv · Weights · sample 0 · Conv2D"),
        ({"show": "overview"}, "net · Overview"),
        ({"compare": 1, "show": "comparison"}, "conv · Compare · samples 0 and 1 · Conv2D"),
    ],
)
def test_every_view_has_a_picture_and_a_caption_of_its_own(outputs, change, caption):
    view = explorer()
    for name, value in change.items():
        setattr(view, name, value)
    view._ipython_display_()
    _encoded, image = picture(outputs[1]["text/html"])
    assert len(image.convert("RGB").getcolors(2**24)) > 20
    assert alt_of(outputs[1]).startswith(caption)


def test_what_is_selected_later_does_not_change_the_still_of_a_cell(outputs):
    async def look():
        view = explorer()
        view._ipython_display_()
        for layer in ("pool", "out"):
            view.layer = layer
        await asyncio.sleep(0)
        view._ipython_display_()

    asyncio.run(look())
    assert [alt_of(outputs[index])[:4] for index in (1, 3)] == ["conv", "out "]
    assert len(outputs) == 4


def test_marimo_shows_no_still(outputs, monkeypatch):
    view = explorer()
    monkeypatch.setattr("actwidget.widgets.explorer.in_marimo", lambda: True)
    view._ipython_display_()
    assert [set(data) for data in outputs] == [{"text/plain", VIEW}]
    assert set(view._repr_mimebundle_()) == {"text/plain", VIEW}


def test_the_still_of_a_run_is_that_of_the_next(outputs, monkeypatch):
    for _ in range(2):
        monkeypatch.setattr(still, "_made", Counter())
        explorer()._ipython_display_()
    assert outputs[1] == outputs[3]


@pytest.mark.parametrize("names", [("one", "two"), ("same", "same")])
def test_only_the_explorer_that_made_a_still_hides_it(outputs, names):
    views = [explorer(name) for name in names]
    for view in views:
        view._ipython_display_()
    keys = [re.search(r'class="actw-still actw-still-([\w-]+)"', data["text/html"])[1] for data in outputs[1::2]]
    assert keys[0] != keys[1]
    for view, own, other in ((views[0], *keys), (views[1], *reversed(keys))):
        assert f".actw-still-{own}" in view._screen.header.value
        assert f"actw-live-{own}" in view._dom_classes
        assert other not in view._screen.header.value


def test_a_view_that_is_never_small_enough_has_its_words_and_numbers(outputs, monkeypatch):
    monkeypatch.setattr(still, "still_pngs", lambda *_given: None)
    explorer()._ipython_display_()
    assert set(outputs[1]) == {"text/html"}
    assert "<strong>conv · Channels · sample 0" in outputs[1]["text/html"]
    assert "<dt>range</dt>" in outputs[1]["text/html"]


def test_names_make_no_element(outputs):
    view = explorer(HOSTILE, layer=HOSTILE)
    view._ipython_display_()
    html = outputs[1]["text/html"]
    made = []
    reader = HTMLParser()
    reader.handle_starttag = lambda tag, attributes: made.append((tag, [name for name, _text in attributes]))
    reader.feed(html)
    assert "onerror" in html
    assert [each for each in made if each[0] in {"img", "script"}] == [("img", ["alt", "src"])]
    assert [tag for tag, _names in made].count("figure") == 1


def test_a_long_name_is_cut(outputs):
    explorer("long" * 2_500)._ipython_display_()
    assert len(re.sub(r'base64,[^"]*', "", outputs[1]["text/html"])) < 6_000


def test_noise_is_made_to_fit_in_60_kb(outputs):
    keras.utils.set_random_seed(0)
    x = keras.Input((96, 96, 64), name="noise")
    view = aw.LayerExplorer(
        keras.Model(x, layers.ReLU(name="same")(x)), np.random.default_rng(0).normal(size=(1, 96, 96, 64))
    )
    view._ipython_display_()
    encoded, image = picture(outputs[1]["text/html"])
    assert 20_000 < len(base64.b64decode(encoded)) <= 60_000
    assert image.width == 720
    assert sum(len(form) for form in outputs[1].values()) < 170_000


def test_without_inputs_there_is_no_still(outputs):
    aw.LayerExplorer(explorer().model)._ipython_display_()
    assert [VIEW in data for data in outputs] == [True]


def test_a_closed_explorer_is_a_line_of_text(outputs):
    view = explorer()
    view.close()
    formatted, _metadata = InteractiveShell.instance().display_formatter.format(view)
    # A closed widget of ipywidgets 7 no longer displays itself.
    assert outputs in ([{"text/plain": repr(view)}], [])
    assert (formatted or outputs[0]) == {"text/plain": repr(view)}
