from __future__ import annotations

import io
import threading

import keras
import numpy as np
import pytest
from PIL import Image

import actwidget as aw
from actwidget.errors import InvalidInputsError, OptionError
from actwidget.explorer.samples.items import SampleItem
from actwidget.widgets.components.samples import MOST_BYTES, Pad, SampleStrip


def model_of(*shape: int, name: str = "small") -> keras.Model:
    keras.utils.set_random_seed(len(name))
    layers = [keras.layers.Conv2D(4, 3, name="conv"), keras.layers.Flatten(), keras.layers.Dense(3, name="out")]
    return keras.Sequential([keras.Input(shape), *layers], name=name)


def pictures(count: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(count).random((count, *shape)).astype(np.float32)


def says(strip: SampleStrip, content: dict, *buffers: bytes) -> list[tuple[dict, list[bytes]]]:
    """What the strip answers to a message of the page."""
    sent: list[tuple[dict, list[bytes]]] = []
    strip.send = lambda content, buffers=(): sent.append((content, list(buffers)))
    strip._handle_custom_msg(content, list(buffers))
    return sent


def upload(strip: SampleStrip, name: str, data: bytes) -> None:
    says(strip, {"kind": "upload", "name": name, "part": 0, "parts": 1}, data)


def png(*size: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, (255, 0, 0)).save(stream, "png")
    return stream.getvalue()


@pytest.fixture
def explorer() -> aw.LayerExplorer:
    return aw.LayerExplorer(model_of(8, 8, 1), pictures(20, 8, 8, 1), layer="conv", labels=[1] * 20, channel=2)


@pytest.fixture
def strip(explorer) -> SampleStrip:
    return explorer._screen.samples


# The strip by itself.


def test_the_page_gets_the_items_that_it_asks_for():
    strip = SampleStrip(5)
    strip.on_window(lambda start, stop: [SampleItem(f"tip {n}", str(n), b"p" * n) for n in range(start, stop)])
    ((content, buffers),) = says(strip, {"kind": "window", "start": 3, "stop": 9})
    assert content == {"kind": "items", "version": 0, "start": 3, "items": [("tip 3", "3"), ("tip 4", "4")]}
    assert buffers == [b"ppp", b"pppp"]


def test_a_file_can_come_in_parts_and_one_that_is_too_large_is_dropped():
    strip, got = SampleStrip(1), []
    strip.on_upload(lambda name, data: got.append((name, data)) or "done")
    for part, data in enumerate([b"ab", b"c"]):
        says(strip, {"kind": "upload", "name": "x", "part": part, "parts": 2}, data)
    assert got == [("x", b"abc")]
    assert strip.said == "done"
    says(strip, {"kind": "upload", "name": "y", "part": 0, "parts": 1}, bytes(MOST_BYTES + 1))
    assert len(got) == 1


def test_each_drawing_is_answered_also_one_that_fails():
    strip, got = SampleStrip(1, pad=Pad(2, 3)), []
    strip.on_draw(lambda ink, pad: got.append((ink.tolist(), pad)))
    assert says(strip, {"kind": "draw", "pad": "a"}, bytes(range(6))) == [({"kind": "drawn", "pad": "a"}, [])]
    assert got == [([[0, 1, 2], [3, 4, 5]], "a")]
    strip.on_draw(lambda _ink, _pad: 1 / 0)
    assert says(strip, {"kind": "draw", "pad": "a"}, bytes(6)) == [({"kind": "drawn", "pad": "a"}, [])]
    assert strip.error == "ZeroDivisionError: division by zero"


@pytest.mark.parametrize("value", [-1, 5, 99])
def test_a_number_that_the_batch_does_not_have_selects_nothing(value):
    strip = SampleStrip(5, value=3)
    strip.value = value
    assert strip.value == 3
    strip.set_state({"value": value})
    assert strip.value == 3


# In an explorer.


def test_the_strip_and_the_explorer_select_the_same_sample(explorer, strip):
    explorer.sample = 7
    assert strip.value == 7
    strip.value = 4
    assert explorer.sample == 4
    assert "sample 4" in explorer.figure.layout.title.text


def test_a_picture_becomes_a_sample_that_is_selected_and_the_rest_stays(explorer, strip):
    before = explorer.inputs
    upload(strip, "red.png", png(30, 20))
    assert strip.error == ""
    assert strip.said.startswith("red.png, 30 × 20: cropped to the middle 20 × 20, resized to 8 × 8 and turned to grey")
    assert (strip.count, strip.value, explorer.sample, explorer.layer, explorer.channel) == (21, 20, 20, "conv", 2)
    np.testing.assert_array_equal(explorer.inputs[:20], before)
    np.testing.assert_allclose(explorer.inputs[20], 76 / 255, atol=1e-6)
    expected = aw.activations(explorer.model, explorer.inputs)["conv"]
    np.testing.assert_allclose(explorer.activation, expected, atol=1e-5)
    assert explorer._explorer.inspector.annotations.labels == [1] * 20 + [None]
    ((content, _),) = says(strip, {"kind": "window", "start": 20, "stop": 21})
    assert content["items"][0][0].startswith("sample 20, red.png")


def test_a_file_that_is_no_picture_changes_nothing(explorer, strip):
    before, state = explorer.inputs, explorer.state()
    upload(strip, "notes.txt", b"no picture")
    assert strip.error.startswith("notes.txt is no picture")
    assert (explorer.inputs is before, explorer.state(), strip.count) == (True, state, 20)
    upload(strip, "red.png", png(8, 8))
    assert strip.error == ""


def test_a_drawing_is_one_sample_while_it_is_drawn_and_the_next_drawing_another(explorer, strip):
    assert strip.pad == Pad(8, 8, is_dark=True)
    ink = np.zeros((8, 8), np.uint8)
    for row in range(3):
        ink[row] = 255
        says(strip, {"kind": "draw", "pad": "first"}, ink.tobytes())
        assert strip.error == ""
        assert (explorer.sample, strip.count, explorer.channel) == (20, 21, 2)
        np.testing.assert_array_equal(explorer.inputs[20, ..., 0], ink / 255)
        expected = aw.activations(explorer.model, explorer.inputs)["conv"]
        np.testing.assert_allclose(explorer.activation, expected, atol=1e-5)
    says(strip, {"kind": "draw", "pad": "second"}, ink.tobytes())
    assert (explorer.sample, strip.count) == (21, 22)


def test_a_model_without_an_input_yet_takes_a_picture():
    explorer = aw.LayerExplorer(model_of(8, 8, 3))
    upload(explorer._screen.samples, "red.png", png(8, 8))
    assert explorer.inputs.shape == (1, 8, 8, 3)
    assert explorer.activation.shape[0] == 1


def test_where_no_picture_goes_in_the_strip_says_what_to_do_in_code():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    strip = aw.LayerExplorer(model, np.zeros((3, 4)))._screen.samples
    assert not strip.takes_pictures
    assert strip.pad == ()
    assert strip.advice == "From code: explorer.inputs = x\nwhere x is a batch of shape (samples, 4)."


# From code.


def test_other_inputs_keep_layer_view_channel_and_sample(explorer, strip):
    explorer.sample, explorer.show = 15, "table"
    version = strip._version
    for count, sample in ((60, 15), (16, 15), (5, 0)):
        other = pictures(count, 8, 8, 1)
        explorer.inputs = other
        assert (explorer.layer, explorer.channel, explorer.show, explorer.sample) == ("conv", 2, "table", sample)
        assert (strip.count, strip.value) == (count, sample)
        expected = aw.activations(explorer.model, other)["conv"]
        np.testing.assert_allclose(explorer.activation, expected, atol=1e-5)
        assert explorer.statistics.maximum == pytest.approx(expected.max(), abs=1e-5)
    assert strip._version == version + 3  # the page asks for all thumbnails anew


def test_inputs_that_do_not_fit_leave_everything_as_it_was(explorer, strip):
    before, state, figure = explorer.inputs, explorer.state(), explorer.figure
    with pytest.raises(InvalidInputsError, match="Expected shape"):
        explorer.inputs = np.zeros((3, 9, 9, 1))
    with pytest.raises(OptionError, match="labels"):
        explorer.set_inputs(pictures(3, 8, 8, 1), labels=[0, 1])
    assert (explorer.inputs is before, explorer.state(), strip.count) == (True, state, 20)
    assert explorer.figure == figure


def test_labels_stay_if_there_are_as_many_samples_and_can_be_given(explorer):
    labels = lambda: explorer._explorer.inspector.annotations.labels  # noqa: E731
    explorer.inputs = pictures(20, 8, 8, 1)
    assert labels() == [1] * 20
    explorer.inputs = pictures(3, 8, 8, 1)
    assert labels() is None
    explorer.set_inputs(pictures(2, 8, 8, 1), labels=[0, 2])
    assert labels() == [0, 2]


def test_the_cache_of_the_batch_before_is_freed(explorer):
    session = explorer._explorer.session
    assert session.bytes_kept > 0
    explorer.inputs = pictures(3, 8, 8, 1)
    assert session.bytes_kept == 0
    assert explorer._explorer.session.graph is session.graph


def test_the_model_to_compare_with_gets_the_inputs_too():
    first, second = model_of(8, 8, 1), model_of(8, 8, 1, name="second")
    explorer = aw.LayerExplorer(first, pictures(4, 8, 8, 1), compare=second, layer="conv")
    other = pictures(6, 8, 8, 1)
    explorer.inputs = other
    theirs = explorer._explorer.data.of_other_model()
    np.testing.assert_allclose(theirs, aw.activations(second, other)["conv"][0], atol=1e-5)


@keras.saving.register_keras_serializable("tests")
class OneOrTwo(keras.Model):
    """A model that calls another layer for long sequences."""

    def __init__(self) -> None:
        super().__init__(name="one_or_two")
        self.short, self.long = keras.layers.Dense(2, name="short"), keras.layers.Dense(3, name="long")

    def call(self, x):
        return self.long(x) if x.shape[1] > 4 else self.short(x)


def test_the_tree_of_a_subclassed_model_follows_its_inputs():
    explorer = aw.LayerExplorer(OneOrTwo(), np.ones((2, 4, 3)), layer="short")
    explorer.inputs = np.ones((2, 8, 3))
    assert explorer.tree["long"].origin == "tapped"
    assert "reason" not in next(row for row in explorer._screen.tree.rows if row.get("path") == "long")
    explorer.layer = "long"
    assert explorer.activation.shape == (2, 8, 3)


def test_a_click_that_comes_while_inputs_are_set_is_shown_on_the_new_ones(explorer, strip):
    """JupyterLab's messages are handled in a thread of their own while a cell runs."""
    batches = [pictures(count, 8, 8, 1) for count in (30, 5, 20, 12)]
    is_done, errors = threading.Event(), []

    def click() -> None:
        try:
            click_on()
        except Exception as error:  # noqa: BLE001 - it is raised in the test's own thread
            errors.append(error)

    def click_on() -> None:
        number = 0
        while not is_done.is_set():
            number += 1
            strip.set_state({"value": number % 30})
            explorer._screen.plot._answer(None, {"kind": "click", "customdata": ["sample", number % 30]}, [])
            explorer._screen.plot._answer(None, {"kind": "click", "customdata": [number % 4, 0]}, [])

    clicking = threading.Thread(target=click)
    clicking.start()
    for batch in batches * 5:
        explorer.inputs = batch
    is_done.set()
    clicking.join()
    assert errors == []
    last = batches[-1]
    assert explorer.sample < 12
    assert strip.value == explorer.sample
    assert f"sample {explorer.sample}" in explorer.figure.layout.title.text
    row = explorer._explorer.data.value
    np.testing.assert_allclose(row, aw.activations(explorer.model, last)["conv"][explorer.sample], atol=1e-5)


def test_a_click_on_a_sample_that_is_gone_is_no_error(explorer):
    explorer.inputs = pictures(3, 8, 8, 1)
    explorer._screen.plot._answer(None, {"kind": "click", "customdata": ["sample", 15]}, [])
    assert explorer.sample == 0
