"""A layer larger than `max_bytes` shows what it shows within it, at no more passes than that needs."""

from __future__ import annotations

import base64
import io

import keras
import numpy as np
import pytest
from keras import layers, ops
from PIL import Image

import actwidget as aw
from actwidget.capture.access import session
from actwidget.errors import MemoryBudgetError
from actwidget.explorer.navigation import ARROWS, ENDS
from actwidget.explorer.views import weights
from actwidget.explorer.views.table import columns_of
from tests.capture import zoo
from tests.rounding import assert_close
from tests.widgets.test_explorer import alert, status

SAMPLES = 7
TINY, AMPLE = 400, 256_000_000


def maps():
    x = keras.Input((8, 8, 3))
    y = layers.Conv2D(6, 3, activation="relu", name="conv")(x)
    y = layers.GlobalAveragePooling2D(name="pool")(y)
    return keras.Model(x, layers.Dense(4, activation="softmax", name="classes")(y)), zoo.noise(SAMPLES, 8, 8, 3)


def sequence(steps=None):
    x = keras.Input((4,), dtype="int32")
    y = layers.Embedding(20, 5, mask_zero=steps is not None, name="embed")(x)
    y = (steps or layers.Conv1D(6, 3, padding="same", name="steps"))(y)
    y = layers.GlobalAveragePooling1D(name="pool")(y)
    tokens = np.random.default_rng(0).integers(0, 20, (SAMPLES, 4))
    return keras.Model(x, layers.Dense(30, activation="softmax", name="classes")(y)), tokens


def recurrent():
    return sequence(layers.LSTM(6, return_sequences=True, name="steps"))


def subclassed():
    class Plain(keras.Model):
        def __init__(self):
            super().__init__()
            self.conv = layers.Conv2D(6, 3, name="conv")
            self.flat, self.classes = layers.Flatten(), layers.Dense(3, name="classes")

        def call(self, inputs):
            return self.classes(self.flat(self.conv(inputs)))

    model, x = Plain(), zoo.noise(SAMPLES, 8, 8, 3)
    model(x)
    return model, x


def volumes():
    x = keras.Input((4, 6, 6, 2))
    y = layers.Conv3D(3, 2, name="volume")(x)
    return keras.Model(x, layers.Dense(2, name="out")(layers.Flatten()(y))), zoo.noise(SAMPLES, 4, 6, 6, 2)


def open_lengths():
    x = keras.Input((None, None, 3))
    y = layers.Conv2D(5, 3, padding="same", name="conv")(x)
    return keras.Model(x, layers.GlobalMaxPooling2D(name="pool")(y)), zoo.noise(SAMPLES, 8, 10, 3)


def pictures_of_classes():
    x = keras.Input((8, 8, 3))
    y = layers.Conv2D(4, 3, padding="same", name="conv")(x)
    return keras.Model(x, ops.argmax(y, axis=-1)), zoo.noise(SAMPLES, 8, 8, 3)


MODELS = (
    *(maps, sequence, subclassed, volumes, open_lengths, pictures_of_classes),
    pytest.param(recurrent, marks=pytest.mark.thorough),  # its views trace the steps again and again
)
VIEWS = ("activation", "overlay", "comparison", "table", "weights", "arithmetic", "overview")
STEPS = (
    {},
    {"channel": 1},
    {"sample": 3},
    {"sort": "mean"},
    {"scaling": "channel"},
    {"scaling": "robust", "sort": "zeros"},
    {"channel": None, "sample": 6},
)


def shown_by(explorer):
    numbers = {} if explorer._screen.table is None else columns_of(explorer._explorer.data)
    return (
        explorer._screen.plot._shown.figure,
        explorer._screen.numbers.value,
        explorer._screen.plot.alt,
        numbers,
        explorer.statistics,
    )


def same_on_screen(one, other, path):
    if isinstance(one, dict):
        assert one.keys() == other.keys(), path
        for name in one:
            same_on_screen(one[name], other[name], f"{path}.{name}")
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other), path
        for place, pair in enumerate(zip(one, other, strict=True)):
            same_on_screen(*pair, f"{path}[{place}]")
    elif isinstance(one, (np.ndarray, float)) and np.asarray(one).dtype.kind in "fiub":
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6, err_msg=path)
    elif hasattr(one, "to_dict"):
        same_on_screen(one.to_dict(), other.to_dict(), path)
    elif isinstance(one, str) and one.startswith("data:image/png"):
        colours = [
            np.asarray(Image.open(io.BytesIO(base64.b64decode(each.partition(",")[2]))), int) for each in (one, other)
        ]
        # Rounded in a batch of another size, a value between two colours can have the one or the other.
        np.testing.assert_allclose(*colours, atol=1, err_msg=path)
    else:
        assert np.array_equal(one, other), (path, one, other)


@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_every_view_shows_the_same_over_and_under_the_budget(make):
    keras.utils.set_random_seed(0)
    model, x = make()
    tiny, ample = (aw.LayerExplorer(model, x, max_bytes=budget, batch_size=3) for budget in (TINY, AMPLE))
    for node in tiny.tree:
        if node.origin == "opaque":
            continue
        for view in VIEWS:
            if view == "overlay" and not tiny._explorer.inspector.pictures.all():
                continue
            for explorer in (tiny, ample):
                explorer.show, explorer.layer, explorer.channel = "activation", node.path, None
                explorer.show = view
            for step in STEPS if view == "activation" else STEPS[:3]:
                if step.get("channel") and ample._explorer.data.channel_count < 2:
                    continue
                for explorer in (tiny, ample):
                    for name, value in step.items():
                        setattr(explorer, name, value)
                    assert alert(explorer) == "", (node.path, view, step)
                same_on_screen(shown_by(tiny), shown_by(ample), f"{node.path} {view} {step}")
        assert_close(tiny.activation, ample.activation)
    same_on_screen(
        [vars(summary) for summary in tiny.summaries], [vars(summary) for summary in ample.summaries], "summaries"
    )


@pytest.fixture
def passes(monkeypatch):
    """For each forward pass how many samples it has, and those that come in parts as one."""
    ran = []

    def counted(name):
        original = getattr(session, name)

        def run(graph, batch, nodes, *args, **options):
            ran.append((name, [node.path for node in nodes], batch.size))
            return original(graph, batch, nodes, *args, **options)

        monkeypatch.setattr(session, name, run)

    counted("capture")
    counted("stream")
    return ran


@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_a_key_selects_the_same_over_and_under_the_budget(make):
    keras.utils.set_random_seed(0)
    model, x = make()
    tiny, ample = (aw.LayerExplorer(model, x, max_bytes=budget, batch_size=3) for budget in (TINY, AMPLE))
    for node in ample.tree:
        for key in (*ARROWS, *ENDS, "Escape"):
            for channel in {None, 0, ample._explorer.inspector.layer(node.path, 0).channel_count - 1}:
                for explorer in (tiny, ample):
                    explorer.layer, explorer.channel = node.path, channel
                    explorer._pressed(key)
                    assert alert(explorer) == ""
                assert tiny.channel == ample.channel, (node.path, key, channel)


def test_nothing_is_computed_twice_for_one_view(passes):
    model, x = maps()
    explorer = aw.LayerExplorer(model, x, max_bytes=TINY, layer="classes")
    passes.clear()
    explorer.layer = "conv"
    assert passes == [("capture", ["conv"], 1), ("stream", ["conv"], SAMPLES)]
    passes.clear()
    explorer.channel = 2
    explorer.sort, explorer.scaling = "mean", "channel"
    explorer._pressed("ArrowRight")
    explorer._pressed("Home")
    explorer.show = "table"
    explorer.show = "overlay"
    explorer.position = (1, 1)
    explorer.show = "activation"
    _ = explorer.figure, explorer.statistics, explorer.figure
    assert passes == []
    explorer.sample = 4
    assert passes == [("capture", ["conv"], 1)]
    passes.clear()
    explorer.show = "comparison"
    assert passes == [("capture", ["conv"], 1)]
    passes.clear()
    explorer.compare = 0
    assert passes == [("capture", ["conv"], 1)]


def test_both_samples_of_a_comparison_come_from_one_pass(passes):
    model, x = maps()
    explorer = aw.LayerExplorer(model, x, max_bytes=TINY, layer="classes", show="comparison")
    passes.clear()
    explorer.layer = "conv"
    assert passes == [("capture", ["conv"], 2)]


def test_of_a_layer_not_known_to_treat_samples_alike_one_walk_tells_all(passes):
    model, x = subclassed()
    explorer = aw.LayerExplorer(model, x, max_bytes=TINY, layer="classes")
    passes.clear()
    explorer.layer = "conv"
    assert passes == [("stream", ["conv"], SAMPLES)]
    explorer.sample = 5
    assert passes[1:] == [("capture", ["conv"], 1)]


def test_the_status_says_what_is_done():
    model, x = maps()
    tiny, ample = (aw.LayerExplorer(model, x, max_bytes=budget, batch_size=3) for budget in (TINY, AMPLE))
    tiny.layer = ample.layer = "conv"
    assert "one sample at a time: the layer takes 0.0060 MB for 7 samples" in status(tiny)
    assert "7 samples in 3 parts" in status(ample)
    assert "7 samples · " not in status(tiny)


class Centred(layers.Layer):
    def call(self, inputs):
        return inputs - ops.mean(inputs, axis=0, keepdims=True)


def test_a_layer_that_mixes_samples_is_shown_whole_or_refused_in_words():
    x = keras.Input((30,))
    model, batch = keras.Model(x, Centred(name="centred")(layers.Identity(name="same")(x))), zoo.noise(SAMPLES, 30)
    ample, tiny = (
        aw.LayerExplorer(model, batch, max_bytes=budget, layer="same", batch_size=3) for budget in (AMPLE, TINY)
    )
    ample.layer = "centred"
    np.testing.assert_allclose(ample.activation, batch - batch.mean(0), rtol=1e-4, atol=1e-6)
    assert "7 samples in one piece" in status(ample)
    tiny.layer = "centred"
    assert "takes 840 bytes for 7 samples, more than max_bytes=400" in alert(tiny)
    assert "Give fewer samples" in alert(tiny)
    with pytest.raises(MemoryBudgetError, match="depends on the others"):
        _ = tiny.statistics
    np.testing.assert_allclose(tiny.activation, ample.activation)
    tiny.show = "overview"
    assert "1 too large for max_bytes" in tiny.figure.layout.title.text
    assert "centred" in tiny._screen.plot.alt
    assert [summary.path for summary in tiny.summaries] == [node.path for node in tiny.tree][:2]


def test_what_is_kept_of_all_kinds_keeps_to_the_budget():
    model, x = maps()
    explorer = aw.LayerExplorer(model, x, max_bytes=60_000)
    for round_ in range(3):
        for node in explorer.tree:
            for view in VIEWS:
                explorer.layer, explorer.show, explorer.sample = node.path, view, round_
                assert explorer._explorer.session.bytes_kept <= 60_000


def test_written_weights_are_seen_over_the_budget():
    model, x = maps()
    explorer = aw.LayerExplorer(model, x, max_bytes=TINY, layer="conv")
    before = explorer.statistics.maximum
    model.get_layer("conv").kernel.assign(model.get_layer("conv").kernel * 2)
    assert explorer.statistics.maximum == pytest.approx(2 * before, rel=1e-5)


def test_weights_are_drawn_once_for_all_channels(monkeypatch):
    drawn, original = [], weights.draw_weight
    monkeypatch.setattr(weights, "draw_weight", lambda name, *args: drawn.append(name) or original(name, *args))
    model, x = maps()
    explorer = aw.LayerExplorer(model, x, layer="conv", show="weights", max_bytes=TINY)
    assert drawn == ["kernel"]
    pictures = [explorer._screen.plot.images]
    for channel in range(6):
        explorer.channel = channel
    assert drawn == ["kernel"]
    explorer.input_channel = 1
    assert drawn == ["kernel", "kernel"]
    pictures.append(explorer._screen.plot.images)
    model.get_layer("conv").kernel.assign(model.get_layer("conv").kernel[::-1])
    _ = explorer.figure
    assert drawn[2:] == ["kernel"]
    pictures.append(explorer._screen.plot.images)
    assert len({str(each) for each in pictures}) == 3
