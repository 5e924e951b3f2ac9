"""The file that `to_html` writes, opened with no kernel and no network."""

from __future__ import annotations

from types import SimpleNamespace

import keras
import pytest
from keras import layers
from PIL import Image

import actwidget as aw
from tests.capture import zoo

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=window.hacked=1><script>window.hacked=1<script>"


@pytest.fixture(scope="module")
def notebook():
    """There is none; what the page logs is held all the same."""
    return SimpleNamespace(errors=[])


@pytest.fixture
def page(chromium, notebook, tmp_path):
    keras.utils.set_random_seed(0)
    x = keras.Input((8, 8, 3), name="image")
    y = layers.Conv2D(6, 3, activation="relu", name=HOSTILE)(x)
    y = layers.GlobalAveragePooling2D(name="pool")(y)
    model = keras.Model(x, layers.Dense(3, activation="softmax", name="out")(y), name=HOSTILE)
    aw.LayerExplorer(model, zoo.noise(2, 8, 8, 3)).to_html(tmp_path / "saved.html")
    context = chromium.new_context(offline=True, viewport={"width": 1200, "height": 800})
    page = context.new_page()
    page.on("pageerror", lambda error: notebook.errors.append(str(error)))
    page.on("console", lambda message: notebook.errors.append(message.text) if message.type == "error" else None)
    page.goto((tmp_path / "saved.html").as_uri())
    page.locator(".js-plotly-plot .main-svg").first.wait_for()
    yield page
    context.close()


def test_layers_are_browsed_by_mouse_and_keyboard(page):
    page.locator('[role="treeitem"][data-path="pool"]').click()
    page.wait_for_function("document.querySelector('.gtitle')?.textContent.startsWith('pool')")
    page.keyboard.press("ArrowDown")
    page.wait_for_function("document.querySelector('.gtitle')?.textContent.startsWith('out')")
    assert page.locator(".actw-numbers").count() == 1
    assert page.locator('[role="status"]').text_content() == "A saved page: nothing is computed here."


def test_names_make_no_elements_and_run_nothing(page):
    assert page.evaluate("window.hacked") is None
    assert page.locator("img[src=x]").count() == 0
    assert HOSTILE in page.locator(".actw-path").text_content()


def test_nothing_sticks_out_on_a_narrow_page(page):
    page.set_viewport_size({"width": 600, "height": 900})
    page.wait_for_function("document.querySelector('.js-plotly-plot')._fullLayout.width < 600")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_picture_file_holds_what_is_on_screen(tmp_path):
    x = keras.Input((8, 8, 3), name="image")
    model = keras.Model(x, layers.Conv2D(6, 3, name="conv")(x), name="small")
    view = aw.LayerExplorer(model, zoo.noise(1, 8, 8, 3), channel=2)
    view.to_image(tmp_path / "view.png", width=900, height=500, scale=2)
    picture = Image.open(tmp_path / "view.png").convert("RGB")
    assert picture.size == (1800, 1000)
    assert len(picture.getcolors(2**24)) > 50
    assert picture.getpixel((0, 0)) == (255, 255, 255)
    view.to_image(tmp_path / "slide.png")
    assert Image.open(tmp_path / "slide.png").size == (2000, 2 * view.figure.layout.height)
    view.to_image(tmp_path / "view.svg")
    text = (tmp_path / "view.svg").read_text(encoding="utf-8")
    assert "conv · 6 channels" in text
    assert "hannel 2" in text
    view.to_image(tmp_path / "view.pdf")
    assert (tmp_path / "view.pdf").read_bytes().startswith(b"%PDF")
    view.show = "table"
    view.to_image(tmp_path / "table.svg")
    assert "minimum" in (tmp_path / "table.svg").read_text(encoding="utf-8")
    view.close()
