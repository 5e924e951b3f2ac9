"""What is left of an explorer where no kernel runs: a still picture, and a file that can be browsed."""

from __future__ import annotations

import base64
import io
import json
import re

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

import actwidget as aw
from actwidget.errors import LayerNotFoundError
from tests.browser.lab import browser
from tests.capture import zoo

HOSTILE = "<img src=x onerror=window.hacked=1></script><script>window.hacked=1"


def explorer(name="net", layer_name="conv"):
    keras.utils.set_random_seed(0)
    x = keras.Input((8, 8, 3), name="image")
    y = layers.Conv2D(6, 3, activation="relu", name=layer_name)(x)
    y = layers.GlobalAveragePooling2D(name="pool")(y)
    model = keras.Model(x, layers.Dense(3, activation="softmax", name="out")(y), name=name)
    return aw.LayerExplorer(model, zoo.noise(2, 8, 8, 3))


def test_the_display_bundle_holds_a_still_picture_beside_the_widget():
    view = explorer()
    bundle = view._repr_mimebundle_()
    assert bundle["text/plain"] == repr(view)
    assert "application/vnd.jupyter.widget-view+json" in bundle
    still = Image.open(io.BytesIO(base64.b64decode(bundle["image/png"])))
    assert still.width == 800
    assert still.height > 200
    before = np.asarray(still.convert("RGB"))
    view.layer = "out"
    after = Image.open(io.BytesIO(base64.b64decode(view._repr_mimebundle_()["image/png"])))
    assert before.shape != np.asarray(after.convert("RGB")).shape or np.any(before != np.asarray(after.convert("RGB")))


def test_an_explorer_without_inputs_has_no_picture():
    assert "image/png" not in aw.LayerExplorer(explorer().model)._repr_mimebundle_()


def test_what_is_stored_is_bounded_and_said(tmp_path):
    view = explorer()
    assert view.to_html(tmp_path / "all.html") == ["conv", "image", "pool", "out"]
    assert view.to_html(tmp_path / "two.html", layers=["pool", "conv"]) == ["pool", "conv"]
    few = view.to_html(tmp_path / "few.html", max_bytes=20_000)
    text = (tmp_path / "few.html").read_text(encoding="utf-8")
    data = json.loads(re.search(r'id="actw-data">(.*?)</script>', text, re.DOTALL)[1])
    assert list(data["layers"]) == few
    assert 0 < len(few) < 4
    pictures = sum(len(layer["spec"]) + sum(map(len, layer["images"])) for layer in data["layers"].values())
    assert pictures <= 20_000
    with pytest.raises(LayerNotFoundError):
        view.to_html(tmp_path / "none.html", layers=["nothing"])


@pytest.mark.browser
def test_the_file_is_browsed_with_no_kernel_and_no_network(tmp_path):
    file = tmp_path / "saved.html"
    explorer(name=HOSTILE.replace("/", ""), layer_name=HOSTILE.replace("/", "")).to_html(file)
    with browser() as chromium:
        page = chromium.new_context(offline=True, viewport={"width": 1200, "height": 800}).new_page()
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(file.as_uri())
        page.locator(".js-plotly-plot .main-svg").first.wait_for()
        page.locator('[role="treeitem"][data-path="pool"]').click()
        page.wait_for_function("document.querySelector('.gtitle')?.textContent.startsWith('pool')")
        page.keyboard.press("ArrowDown")
        page.wait_for_function("document.querySelector('.gtitle')?.textContent.startsWith('out')")
        assert page.locator(".actw-numbers").count() == 1
        assert page.locator('[role="status"]').text_content() == "A saved page: nothing is computed here."
        assert page.evaluate("window.hacked") is None
        assert page.locator("img[src=x]").count() == 0
        assert errors == []
