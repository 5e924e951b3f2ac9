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
from actwidget.widgets import still
from tests.widgets.small import explorer

VIEW = "application/vnd.jupyter.widget-view+json"
HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1<script>'


@pytest.fixture
def outputs(monkeypatch):
    """What is displayed, as `(data, display_id, is an update)`."""
    made = []

    def publish(data, *, transient=None, update=False):
        made.append((data, (transient or {}).get("display_id"), update))

    monkeypatch.setattr(still, "publish_display_data", publish)
    return made


def picture(html):
    encoded = re.search(r'src="data:image/png;base64,([^"]*)"', html)[1]
    return encoded, Image.open(io.BytesIO(base64.b64decode(encoded)))


def test_the_last_line_of_a_cell_gives_the_widget_and_then_its_still(outputs):
    view = explorer()
    assert InteractiveShell.instance().display_formatter.format(view) == ({}, {})  # it has displayed itself
    (widget, _none, _new), (kept, _name, update) = outputs
    assert widget == {
        "text/plain": repr(view),
        VIEW: {"version_major": 2, "version_minor": 0, "model_id": view.model_id},
    }
    assert set(kept) == {"text/html", "image/png"}
    assert update is False
    encoded, image = picture(kept["text/html"])
    assert encoded == kept["image/png"]
    assert image.width == 560
    statistics = view.statistics
    assert f"<dd>0.00 to {statistics.maximum:.2f}</dd>" in kept["text/html"]
    assert unescape(re.search(r'alt="([^"]*)"', kept["text/html"])[1]) == view._screen.plot.alt


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
    keys = [
        re.search(r'class="actw-still actw-still-([\w-]+)"', data["text/html"])[1] for data, _id, _new in outputs[1::2]
    ]
    assert keys[0] != keys[1]
    for view, own, other in ((views[0], *keys), (views[1], *reversed(keys))):
        assert f".actw-still-{own}" in view._screen.header.value
        assert f"actw-live-{own}" in view._dom_classes
        assert other not in view._screen.header.value


def test_a_view_without_pictures_has_its_numbers(outputs):
    view = explorer()
    view.layer = "pool"
    view._screen.plot.figure = view.figure.__class__()
    view._ipython_display_()
    kept = outputs[1][0]
    assert set(kept) == {"text/html"}
    assert "<dt>range</dt>" in kept["text/html"]


def test_names_make_no_element(outputs):
    view = explorer(HOSTILE, layer=HOSTILE)
    view._ipython_display_()
    html = outputs[1][0]["text/html"]
    made = []
    reader = HTMLParser()
    reader.handle_starttag = lambda tag, attributes: made.append((tag, [name for name, _text in attributes]))
    reader.feed(html)
    assert "onerror" in html
    assert [each for each in made if each[0] in {"img", "script"}] == [("img", ["alt", "src"])]
    assert [tag for tag, _names in made].count("figure") == 1


def test_a_long_name_is_cut(outputs):
    explorer("long" * 2_500)._ipython_display_()
    assert len(re.sub(r'base64,[^"]*', "", outputs[1][0]["text/html"])) < 6_000


def test_noise_is_made_to_fit_in_60_kb(outputs):
    keras.utils.set_random_seed(0)
    x = keras.Input((96, 96, 64), name="noise")
    view = aw.LayerExplorer(
        keras.Model(x, layers.ReLU(name="same")(x)), np.random.default_rng(0).normal(size=(1, 96, 96, 64))
    )
    view._ipython_display_()
    encoded, image = picture(outputs[1][0]["text/html"])
    assert 20_000 < len(base64.b64decode(encoded)) <= 60_000
    assert image.width > 100
    assert sum(len(form) for form in outputs[1][0].values()) < 170_000


def test_without_inputs_there_is_no_still(outputs):
    aw.LayerExplorer(explorer().model)._ipython_display_()
    assert [VIEW in data for data, _id, _new in outputs] == [True]


def test_a_closed_explorer_is_a_line_of_text(outputs):
    view = explorer()
    view.close()
    formatted, _metadata = InteractiveShell.instance().display_formatter.format(view)
    # A closed widget of ipywidgets 7 no longer displays itself.
    assert outputs in ([({"text/plain": repr(view)}, None, False)], [])
    assert (formatted or outputs[0][0]) == {"text/plain": repr(view)}


def test_views_that_follow_each_other_are_kept_once_and_a_closed_one_not(outputs, monkeypatch):
    monkeypatch.setattr(still, "PAUSE", 0.0)
    view, publish = explorer(), still.publish_display_data

    async def look():
        updated = asyncio.Event()

        def and_tell(data, **options):
            publish(data, **options)
            if options.get("update"):
                updated.set()

        monkeypatch.setattr(still, "publish_display_data", and_tell)
        view.layer = "pool"  # not displayed yet
        view._ipython_display_()
        for layer in ("conv", "image", "out"):
            view.layer = layer
        await updated.wait()
        view.layer = "conv"
        view.close()
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(look())
    _widget, (_data, name, _new), (changed, again, update) = outputs
    assert (again, update) == (name, True)
    assert "<p>out:" in changed["text/html"]
