"""The strip of samples: selected by mouse and keyboard, and new ones uploaded, dropped, drawn and set from code."""

from __future__ import annotations

import io

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from lab import SMALL, set_theme
from PIL import Image

pytestmark = pytest.mark.browser
CELL = (
    SMALL
    + """
grey = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(4, 3, name="conv")], name="grey")
ink = np.zeros((3000, 8, 8, 1), np.float32)
ink[:, 2:6, 3] = 1
view = aw.LayerExplorer(grey, ink, layer="conv", channel=2)
view
"""
)


@pytest.fixture(scope="module")
def notebook(run_cell):
    return run_cell(CELL)


@pytest.fixture(autouse=True)
def first_inputs(notebook, explorer):
    notebook.ask("view.inputs = ink; view.sample = 0; view.layer, view.channel, view.show = 'conv', 2, 'activation'")
    explorer.settle()


@pytest.fixture
def strip(explorer):
    return explorer.element.locator(".actw-samples")


def selected(strip) -> list[str]:
    options = strip.locator('[role="option"][aria-selected="true"]')
    return options.evaluate_all("(options) => options.map((option) => option.dataset.sample)")


def in_sight(strip) -> list[int]:
    options = strip.locator('[role="option"]')
    return options.evaluate_all("(options) => options.map((option) => Number(option.dataset.sample))")


def file_of(image: Image.Image, kind: str = "png") -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind)
    return stream.getvalue()


def settled(strip, explorer) -> None:
    """Waits until the last drawing is answered and shown."""
    strip.locator('canvas[aria-busy="false"]').wait_for()
    explorer.settle()


def opened(strip):
    if not strip.get_by_role("dialog").is_visible():
        strip.get_by_role("button", name="Another input").click()
    return strip.locator("input[type=file]")


def upload(strip, name: str, data: bytes) -> None:
    opened(strip).set_input_files({"name": name, "mimeType": "application/octet-stream", "buffer": data})


def test_the_strip_shows_thumbnails_and_turns_pages(strip, notebook):
    strip.locator('[data-sample="0"] img').wait_for()
    first = in_sight(strip)
    assert first == list(range(len(first)))
    assert 4 <= len(first) <= 12
    strip.get_by_role("button", name="Samples after these").click()
    assert in_sight(strip) == [number + len(first) for number in first]
    strip.locator(f'[data-sample="{2 * len(first) - 1}"] img').wait_for()
    assert strip.bounding_box()["height"] <= 40
    assert notebook.ask("print(view.sample)") == "0"


def test_a_click_and_keys_select_a_sample(strip, explorer, notebook):
    strip.locator('[data-sample="2"]').click()
    explorer.wait_until("(graph) => graph.querySelector('.gtitle').textContent.includes('sample 2')")
    assert selected(strip) == ["2"]
    for key, number in (("ArrowRight", 3), ("End", 2999), ("ArrowLeft", 2998), ("Home", 0)):
        notebook.page.keyboard.press(key)
        explorer.wait_until(
            "(graph, number) => graph.querySelector('.gtitle').textContent.includes(`sample ${number}`)", str(number)
        )
        assert selected(strip) == [str(number)]
        assert notebook.page.evaluate("document.activeElement.dataset.sample") == str(number)
    notebook.page.keyboard.type("1499")
    # The kernel gets the numbers one after the other: what code sets before the last one has come would not stay.
    explorer.wait_until("(graph) => graph.querySelector('.gtitle').textContent.includes('sample 1499')")
    assert selected(strip) == ["1499"]
    notebook.ask("view.sample = 1500")
    strip.locator('[data-sample="1500"][aria-selected="true"]').wait_for()


def test_the_tab_key_stops_at_the_selected_sample_and_at_the_button_only(strip):
    stops = strip.evaluate(
        "(strip) => [...strip.querySelectorAll('*')].filter((each) => each.tabIndex >= 0)"
        ".map((each) => each.dataset.sample ?? each.textContent)"
    )
    assert stops == ["0", "+"]


RED = Image.new("RGB", (60, 40), (255, 0, 0))
CLEAR = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
GREY = Image.new("L", (16, 16), 51)


PICTURES = {
    "red.jpg": (file_of(RED, "jpeg"), "cropped to the middle 40 × 40, resized to 8 × 8 and turned to grey", 76 / 255),
    "clear.png": (file_of(CLEAR), "turned to grey", 1.0),
    "grey.png": (file_of(GREY), "resized to 8 × 8", 0.2),
}


@pytest.mark.parametrize("name", PICTURES)
def test_an_uploaded_picture_is_shown_and_says_what_was_done(strip, explorer, notebook, name):
    data, words, value = PICTURES[name]
    upload(strip, name, data)
    said = strip.locator(".actw-samples-said")
    said.wait_for()
    assert words in said.text_content()
    explorer.wait_until("(graph) => graph.querySelector('.gtitle').textContent.includes('sample 3000')")
    strip.locator('[data-sample="3000"] img').wait_for()
    assert selected(strip) == ["3000"]
    last = notebook.ask("print(float(view.inputs[-1].mean()), view.layer, view.channel)").split()
    np.testing.assert_allclose(float(last[0]), value, atol=0.01)
    assert last[1:] == ["conv", "2"]
    assert not strip.get_by_role("dialog").is_visible()
    strip.get_by_role("button", name="Close the message").click()


def test_a_file_that_is_no_picture_says_so_and_loses_nothing(strip, explorer, notebook):
    before = explorer.title
    upload(strip, "notes.txt", b"no picture at all")
    alert = strip.get_by_role("alert")
    alert.wait_for()
    assert "notes.txt is no picture" in alert.text_content()
    explorer.settle()
    assert explorer.title == before
    assert notebook.ask("print(view.inputs.shape)") == "(3000, 8, 8, 1)"
    notebook.page.keyboard.press("Escape")
    assert strip.get_by_role("alert").count() == 0


def test_a_picture_of_several_megabytes_comes_in_parts(strip, explorer):
    noise = np.random.default_rng(0).integers(0, 255, (1500, 1500, 3), np.uint8)
    upload(strip, "noise.png", file_of(Image.fromarray(noise)))
    strip.locator(".actw-samples-said").wait_for()
    assert "1500 × 1500" in strip.locator(".actw-samples-said").text_content()
    explorer.wait_until("(graph) => graph.querySelector('.gtitle').textContent.includes('sample 3000')")
    strip.get_by_role("button", name="Close the message").click()


def test_a_picture_can_be_dropped_on_the_strip(strip, explorer):
    strip.evaluate(
        """(strip, bytes) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([new Uint8Array(bytes)], "grey.png"));
          for (const name of ["dragover", "drop"])
            strip.dispatchEvent(new DragEvent(name, {dataTransfer, bubbles: true, cancelable: true}));
        }""",
        list(file_of(GREY)),
    )
    strip.locator(".actw-samples-said").wait_for()
    explorer.wait_until("(graph) => graph.querySelector('.gtitle').textContent.includes('sample 3000')")


def test_the_layers_answer_while_a_digit_is_drawn_by_mouse(strip, explorer, notebook):
    opened(strip)
    strip.locator("canvas").hover()  # waits until it stands still and takes the pointer
    box = strip.locator("canvas").bounding_box()
    mouse = notebook.page.mouse
    mouse.move(box["x"] + box["width"] * 0.45, box["y"] + 5)
    mouse.down()
    for step in range(1, 20):
        mouse.move(box["x"] + box["width"] * 0.45, box["y"] + 5 + step * (box["height"] - 10) / 19)
    explorer.wait_until("(graph) => graph.querySelector('.gtitle').textContent.includes('sample 3000')")
    mouse.up()
    settled(strip, explorer)
    ink = np.array(notebook.ask("print(*view.inputs[-1].ravel())").split(), float).reshape(8, 8)
    assert ink[1:7, 3].min() > 0.5
    assert ink[:, :2].max() == ink[:, 6:].max() == 0
    assert notebook.ask("print(view.inputs.shape[0], view.layer, view.channel)") == "3001 conv 2"
    expected = "np.abs(view.activation - aw.activations(grey, view.inputs)['conv']).max() < 1e-5"
    assert notebook.ask(f"print({expected})") == "True"


def test_a_digit_can_be_drawn_by_keyboard(strip, explorer, notebook):
    opened(strip)
    strip.locator("canvas").focus()
    for key in ["ArrowUp", "ArrowUp", " ", "ArrowDown", "ArrowDown", "ArrowDown", " ", "ArrowRight"]:
        notebook.page.keyboard.press(key)
    explorer.wait_until("(graph) => graph.querySelector('.gtitle').textContent.includes('sample 3000')")
    settled(strip, explorer)
    ink = np.array(notebook.ask("print(*view.inputs[-1].ravel())").split(), float).reshape(8, 8)
    assert ink[2:6, 4].min() == 1
    assert ink[:, 7].max() == 0


def test_inputs_set_from_code_while_clicks_are_on_their_way_are_shown(strip, explorer, notebook):
    notebook.page.evaluate(
        """() => {
          const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
          const code = "import time\\nfor n in (9, 30, 12):\\n    view.inputs = ink[:n] * n\\n    time.sleep(0.1)";
          window.setting = kernel.requestExecute({code, store_history: false}).done;
          for (const sample of document.querySelectorAll(".actw-samples [data-sample]")) sample.click();
        }"""
    )
    notebook.page.evaluate("async () => { await window.setting; }")
    explorer.settle()
    number = int(notebook.ask("print(view.sample)"))
    strip.locator(f'[data-sample="{number}"][aria-selected="true"]').wait_for()
    explorer.wait_until(
        "(graph, number) => graph.querySelector('.gtitle').textContent.includes(`sample ${number}`)", str(number)
    )
    assert notebook.ask("print(view.inputs.shape[0], view._screen.samples.count)") == "12 12"
    expected = "np.abs(view.activation - aw.activations(grey, ink[:12] * 12)['conv']).max() < 1e-4"
    assert notebook.ask(f"print({expected})") == "True"


def test_a_click_on_a_tile_of_every_sample_selects_it(strip, explorer, notebook):
    notebook.ask("view.inputs = ink[:6]; view.show = 'every_sample'")
    explorer.settle()
    explorer.graph.scroll_into_view_if_needed()  # first: it moves what is clicked
    x, y = explorer.graph.evaluate(
        """(graph) => {
          const {x, y} = graph._fullData.find((trace) => trace.customdata);
          const {xaxis, yaxis} = graph._fullLayout;
          const {left, top} = graph.getBoundingClientRect();
          return [left + xaxis._offset + xaxis.d2p(x[1]), top + yaxis._offset + yaxis.d2p(y[1])];
        }"""
    )
    notebook.page.mouse.click(x, y)
    strip.locator('[aria-selected="true"]:not([data-sample="0"])').wait_for()


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_no_violation_with_the_form_and_a_message_open(strip, notebook, theme):
    set_theme(notebook.page, theme)
    upload(strip, "notes.txt", b"no picture at all")
    strip.get_by_role("alert").wait_for()
    found = Axe().run(notebook.page, context=".actw-samples").response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
    notebook.page.keyboard.press("Escape")
    set_theme(notebook.page, "JupyterLab Light")
