"""The file that `to_html` writes, opened with no kernel and no network."""

from __future__ import annotations

import json
from types import SimpleNamespace

import keras
import pytest
from keras import layers
from lab import new_page
from PIL import Image

import actwidget as aw
from actwidget.widgets.stored.export import _stored
from tests.capture import zoo
from tests.widgets.small import explorer

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
    page = new_page(chromium, offline=True, viewport={"width": 1200, "height": 800})
    page.on("pageerror", lambda error: notebook.errors.append(str(error)))
    page.on("console", lambda message: notebook.errors.append(message.text) if message.type == "error" else None)
    page.goto((tmp_path / "saved.html").as_uri())
    page.locator(".js-plotly-plot .main-svg").first.wait_for()
    yield page
    page.context.close()


def test_tabs_and_the_whole_network_are_there_as_in_a_notebook(page):
    tab = lambda name: page.locator(f'[role="tab"][data-view="{name}"]')  # noqa: E731
    assert tab("activation").get_attribute("aria-selected") == "true"
    tab("weights").click()
    page.wait_for_function("document.querySelector('.gtitle')?.textContent.includes('kernel')")
    tab("table").click()
    page.locator(".actw-table td").first.wait_for()
    assert not page.locator(".actw-plot").is_visible()
    page.get_by_role("radio", name="Whole network").click()
    page.wait_for_function("document.querySelector('.gtitle')?.textContent.includes('layers')")
    assert page.get_by_role("tab").all_text_contents()[0] == "Overview"
    page.locator('[role="treeitem"][data-path="pool"]').click()
    assert page.get_by_role("radio", name="Layer").get_attribute("aria-checked") == "true"
    assert tab("table").get_attribute("aria-selected") == "true"  # the view that was chosen for layers
    assert tab("weights").get_attribute("aria-disabled") == "true"


def test_a_tab_that_is_not_stored_says_so(page, tmp_path):
    view = explorer()
    sizes = [len(json.dumps(_stored(shown))) for shown in view._explorer.drawings(["conv"])]
    view.to_html(tmp_path / "few.html", layers=["conv"], max_bytes=sizes[0] + 100)
    page.goto((tmp_path / "few.html").as_uri())
    page.locator(".js-plotly-plot .main-svg").first.wait_for()
    missing = page.locator('[role="tab"][data-view="overlay"]')
    assert missing.get_attribute("title") == "not stored in this page"
    assert page.get_by_role("radio", name="Whole network").get_attribute("aria-disabled") == "true"
    missing.click(force=True)
    assert page.locator('[role="tab"][aria-selected="true"]').get_attribute("data-view") == "activation"
    page.locator('[role="treeitem"][data-path="pool"]').click()
    assert page.locator('[role="status"]').text_content() == "pool is not stored in this page."


def test_a_click_on_a_tile_says_what_it_needs(page):
    x, y = page.evaluate("""() => {
      const graph = document.querySelector(".js-plotly-plot"), box = graph.getBoundingClientRect();
      const {xaxis, yaxis} = graph._fullLayout;
      return [box.x + xaxis._offset + xaxis._length * 0.05, box.y + yaxis._offset + yaxis._length * 0.05];
    }""")
    page.mouse.move(x, y, steps=3)
    page.mouse.click(x, y)
    page.get_by_text("Another one needs the notebook").wait_for()


def test_the_page_is_dark_while_the_browser_prefers_it(page):
    background = "getComputedStyle(document.querySelector('.actw-page')).backgroundColor"
    assert page.evaluate(background) == "rgb(255, 255, 255)"
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"{background} === 'rgb(30, 32, 36)'")
    color = "document.querySelector('.js-plotly-plot')._fullLayout.font.color"
    page.wait_for_function(f"{color} === 'rgb(230, 232, 235)'")


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


@pytest.mark.parametrize("width", [420, 600, 1400])
def test_nothing_sticks_out_at_any_width(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_function("""() => {
      const [box, graph] = [".actw-plot", ".js-plotly-plot"].map((name) => document.querySelector(name));
      return Math.abs(graph._fullLayout.width - box.clientWidth) < 1;
    }""")
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
