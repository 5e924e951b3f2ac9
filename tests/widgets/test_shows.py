"""What the explorer shows beside one activation: comparisons, weights, the whole network, heads, masks, tokens."""

from __future__ import annotations

import base64
import io

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

import actwidget as aw
from actwidget import errors
from tests.capture import odd_zoo, zoo
from tests.rounding import assert_close


def network(name="net", seed=0):
    keras.utils.set_random_seed(seed)
    x = keras.Input((8, 8, 3), name="image")
    y = layers.Conv2D(5, 3, activation="relu", name="conv")(x)
    y = layers.Lambda(lambda v: v * 0, name="dead")(y)
    return keras.Model(x, layers.Dense(4, name="out")(layers.GlobalAveragePooling2D(name="pool")(y)), name=name)


def title(explorer):
    return explorer.figure.layout.title.text


def picture_of(trace):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(trace.source.partition(",")[2]))))


def test_the_overview_has_a_row_for_each_layer_and_says_what_is_wrong():
    explorer = aw.LayerExplorer(network(), zoo.noise(3, 8, 8, 3), show="overview")
    assert list(explorer.figure.layout.yaxis.ticktext) == ["image", "<b>conv</b>", "dead", "pool", "out"]
    by_path = {row.path: row for row in explorer.summaries}
    assert by_path["dead"].warnings == ("5 of 5 channels dead",)
    assert by_path["conv"].zeros == pytest.approx((aw.activations(explorer.model, explorer.inputs)["conv"] == 0).mean())
    assert explorer._screen.tree.marks["dead"] == "5 of 5 channels dead"
    assert "conv" not in explorer._screen.tree.marks


def test_a_click_in_the_overview_goes_to_the_layer_in_one_drawing():
    explorer = aw.LayerExplorer(network(), zoo.noise(2, 8, 8, 3), show="overview")
    drawn = []
    explorer._screen.plot.observe(lambda change: drawn.append(change["new"]), "_spec")
    explorer._screen.plot._answer(explorer._screen.plot, {"kind": "click", "customdata": ["pool"]}, [])
    assert (explorer.show, explorer.layer, len(drawn)) == ("activation", "pool", 1)
    explorer._screen.plot._answer(explorer._screen.plot, {"kind": "click", "customdata": ["<img src=x>"]}, [])
    assert explorer.layer == "pool"


def test_the_overview_keeps_to_the_budget():
    model, x = network(), zoo.noise(4, 8, 8, 3)
    whole = aw.LayerExplorer(model, x).summaries
    small = aw.LayerExplorer(model, x, max_bytes=2500)
    assert [(row.path, row.zeros) for row in small.summaries] == [(row.path, row.zeros) for row in whole]
    assert small._explorer.session.bytes_kept <= 2500


def test_a_layer_that_warns_is_marked_when_it_is_looked_at():
    explorer = aw.LayerExplorer(network(), zoo.noise(2, 8, 8, 3), layer="conv")
    assert "dead" not in explorer._screen.tree.marks
    explorer.layer = "dead"
    assert explorer._screen.tree.marks == {"dead": "5 of 5 channels dead"}


def test_two_samples_are_compared_those_channels_first_that_differ_most():
    model, x = network(), zoo.noise(3, 8, 8, 3)
    explorer = aw.LayerExplorer(model, x, layer="conv", sample=0, compare=2)
    assert explorer.show == "comparison"
    assert "differ most first" in title(explorer)
    value = explorer.activation
    expected = np.argsort(-np.abs(value[2] - value[0]).mean(axis=(0, 1)), kind="stable")
    overlays = [trace for trace in explorer.figure.data if trace.type == "heatmap" and trace.opacity == 0]
    assert len(overlays) == 3
    for overlay in overlays:
        shown = np.asarray(overlay.customdata)[..., 0].ravel()[np.isfinite(np.asarray(overlay.z)).ravel()]
        assert shown.tolist() == expected.tolist()
    explorer.compare = 1
    assert any("<b>sample 1</b>" in note.text for note in explorer.figure.layout.annotations)
    with pytest.raises(errors.SampleError):
        explorer.compare = 7


def test_two_checkpoints_are_compared():
    one, two, x = network("one", 0), network("two", 1), zoo.noise(2, 8, 8, 3)
    explorer = aw.LayerExplorer(one, x, layer="conv", compare=two)
    names = [note.text for note in explorer.figure.layout.annotations]
    assert any(name.startswith("<b>one</b>") for name in names)
    assert any(name.startswith("<b>two</b>") for name in names)
    apart = aw.compare(one, x, two, ["conv", "pool"])
    np.testing.assert_allclose(apart["conv"], two.get_layer("conv")(x) - one.get_layer("conv")(x), rtol=1e-4, atol=1e-6)
    assert list(apart) == ["conv", "pool"]


def test_an_untouched_copy_has_no_difference():
    model, x = network(), zoo.noise(2, 8, 8, 3)
    twin = network(seed=5)
    twin.set_weights(model.get_weights())
    assert all(np.all(value == 0) for value in aw.compare(model, x, twin).values())


def test_models_of_two_architectures_are_refused():
    with pytest.raises(errors.UnsupportedModelError, match="differ at"):
        aw.LayerExplorer(network(), zoo.noise(2, 8, 8, 3), compare=odd_zoo.tower())


def test_inputs_are_compared_in_code():
    model, x = network(), zoo.noise(2, 8, 8, 3)
    apart = aw.compare(model, x, x + 1, "conv")["conv"]
    conv = model.get_layer("conv")
    np.testing.assert_allclose(apart, conv(x + 1) - conv(x), rtol=1e-4, atol=1e-5)


def test_the_weights_are_shown_each_with_its_values():
    model = network()
    explorer = aw.LayerExplorer(model, zoo.noise(2, 8, 8, 3), layer="conv", show="weights", channel=2)
    kernel, bias = model.get_layer("conv").get_weights()
    assert "<b>kernel</b> 3 × 3 × 3 × 5" in explorer.figure.layout.title.text
    closeup = next(trace for trace in explorer.figure.data if trace.type == "heatmap" and trace.xaxis == "x2")
    np.testing.assert_array_equal(np.asarray(closeup.customdata), kernel[..., 2])
    explorer.options = {"weight": "bias"}
    bars = [trace for trace in explorer.figure.data if trace.type == "bar" and trace.x is None]
    np.testing.assert_allclose(np.asarray(bars[0].y), bias)
    explorer.layer = "pool"
    assert "no weights" in explorer.figure.layout.annotations[0].text


def test_attention_scores_are_a_map_a_head():
    x = keras.Input((6, 8))
    model = keras.Model(x, layers.MultiHeadAttention(3, 4, name="attention")(x, x))
    words = ["a", "b", "c", "d", "e", "f"]
    explorer = aw.LayerExplorer(model, zoo.noise(2, 6, 8), layer="attention/scores", channel=1, tokens=words)
    assert "3 heads" in title(explorer)
    closeup = next(trace for trace in explorer.figure.data if trace.type == "heatmap" and trace.coloraxis)
    assert_close(np.asarray(closeup.z), explorer.activation[0, 1])
    assert list(explorer.figure.layout.xaxis2.ticktext) == words
    assert explorer.statistics.channels == 3
    with pytest.raises(errors.ChannelError, match="0 to 2"):
        explorer.channel = 3


def test_scores_without_heads_are_one_map():
    x = keras.Input((6, 8))
    model = keras.Model(x, layers.Attention(name="attention")([x, x]))
    explorer = aw.LayerExplorer(model, zoo.noise(2, 6, 8), layer="attention/scores", channel=0)
    closeup = next(trace for trace in explorer.figure.data if trace.type == "heatmap" and trace.coloraxis)
    assert_close(np.asarray(closeup.z), explorer.activation[0])


def test_channels_first_are_the_channels():
    x = keras.Input((4, 6, 5))
    model = keras.Model(x, layers.MaxPooling2D(1, data_format="channels_first", name="pool")(x))
    value = zoo.noise(2, 4, 6, 5)
    explorer = aw.LayerExplorer(model, value, layer="pool", channel=3)
    assert "4 channels" in title(explorer)
    closeup = next(trace for trace in explorer.figure.data if trace.type == "heatmap" and trace.coloraxis)
    assert_close(np.asarray(closeup.z), value[0, 3])
    assert explorer.statistics.channels == 4
    assert explorer.activation.shape == (2, 4, 6, 5)


def test_masked_steps_are_veiled_and_counted():
    tokens = keras.Input((6,), dtype="int32")
    y = layers.Embedding(9, 4, mask_zero=True, name="embedding")(tokens)
    model = keras.Model(tokens, layers.LSTM(3, return_sequences=True, name="lstm")(y))
    x = np.array([[1, 2, 0, 0, 3, 0], [1, 2, 3, 4, 5, 6]])
    explorer = aw.LayerExplorer(model, x, layer="lstm")
    assert "3 of 6 steps masked" in title(explorer)
    veils = [(shape.x0, shape.x1) for shape in explorer.figure.layout.shapes if shape.yref == "y domain"]
    assert veils == [(1.5, 3.5), (4.5, 5.5)]
    explorer.sample = 1
    assert "masked" not in title(explorer)


def test_tokens_name_no_steps_that_are_others_or_run_backwards():
    tokens = keras.Input((6,), dtype="int32")
    first = layers.Embedding(9, 4, name="embedding")(tokens)
    backwards = layers.GRU(3, return_sequences=True, go_backwards=True, name="backwards")(first)
    outputs = {
        "both": layers.Bidirectional(layers.GRU(2, return_sequences=True), name="both")(first),
        "halved": layers.MaxPooling1D(2, name="halved")(first),
        "backwards": backwards,
        "after": layers.Activation("relu", name="after")(backwards),
        "flipped": layers.Identity(name="flipped")(keras.ops.flip(first, axis=1)),
        "rolled": layers.Identity(name="rolled")(keras.ops.roll(first, 1, axis=1)),
        "turned": layers.Identity(name="turned")(first[:, ::-1]),
        "some_units": layers.Identity(name="some_units")(first[:, :, :2]),
        "forwards": layers.GRU(3, return_sequences=True, name="forwards")(first),
    }
    words = ["the", "cat", "sat", "on", "the", "mat", "and", "slept"]
    explorer = aw.LayerExplorer(keras.Model(tokens, outputs), np.arange(12).reshape(2, 6) % 9, tokens=words)
    named = {}
    for path in ("embedding", *outputs):
        explorer.layer = path
        named[path] = explorer.figure.layout.xaxis.ticktext
    assert {path for path, ticks in named.items() if ticks} == {"embedding", "both", "some_units", "forwards"}
    assert all(list(ticks) == words[:6] for ticks in named.values() if ticks)


@pytest.mark.parametrize("tokens", ["text", [["a"]], [1, 2]], ids=["a text", "too few", "no texts"])
def test_tokens_of_another_form_are_refused(tokens):
    model = keras.Sequential([keras.Input((3, 2)), layers.GRU(2, return_sequences=True)])
    with pytest.raises(errors.OptionError, match="tokens"):
        aw.LayerExplorer(model, zoo.noise(2, 3, 2), tokens=tokens)


def test_a_state_of_each_show_makes_the_same_figure():
    model, x = network(), zoo.noise(3, 8, 8, 3)
    explorer = aw.LayerExplorer(model, x, layer="conv")
    for show in ("activation", "comparison", "weights", "overview"):
        explorer.show = show
        again = aw.LayerExplorer(model, x, state=explorer.state())
        # Plotly 5 calls two figures unequal if both have NaN in the same place.
        assert again.figure.to_json() == explorer.figure.to_json()
    with pytest.raises(errors.OptionError, match="show"):
        explorer.show = "everything"


@pytest.mark.parametrize("build", zoo.without_long(odd_zoo.ODD), ids=lambda build: build.__name__)
def test_every_node_of_every_odd_model_has_a_picture_in_every_show(build):
    model, inputs = build()
    explorer = aw.LayerExplorer(model, inputs)
    for node in explorer.tree:
        for show in ("activation", "weights"):
            explorer.show, explorer.layer = show, node.path
            assert 'class="actw-alert"></div>' in explorer._screen.alert.value, explorer._screen.alert.value
            assert title(explorer).startswith(node.path.replace("<", "&lt;")[:5])
    explorer.show = "overview"
    assert 'class="actw-alert"></div>' in explorer._screen.alert.value, explorer._screen.alert.value
    explorer.close()


def test_the_robust_range_leaves_a_spike_out_and_says_so():
    x = keras.Input((60, 60, 2), name="x")
    model = keras.Model(x, layers.Identity(name="same")(x))
    value = np.random.default_rng(0).random((1, 60, 60, 2)).astype("float32")
    value[0, 0, 0, 0] = 1000.0
    explorer = aw.LayerExplorer(model, value, layer="same", channel=0)
    explorer.scaling = "layer"
    assert title(explorer).endswith("to 1000.00")
    explorer.scaling = "robust"
    assert "above" in title(explorer)
    assert explorer.figure.layout.coloraxis.cmax == 1000  # the close-up is on its own range


def test_the_true_class_is_marked_in_the_output():
    model = network()
    x = zoo.noise(2, 8, 8, 3)
    plain = aw.LayerExplorer(model, x, layer="out", class_names=["a", "b", "c", "d"])
    told = aw.LayerExplorer(model, x, layer="out", class_names=["a", "b", "c", "d"], labels=[2, 3])
    assert told.figure.to_json() != plain.figure.to_json()
    for wrong in ([1], [0, 4], [-1, 0]):
        with pytest.raises(errors.OptionError, match="labels"):
            aw.LayerExplorer(model, x, labels=wrong)


def test_one_number_a_sample_is_shown_over_the_batch_and_a_click_goes_to_the_sample():
    x = keras.Input((3,), name="x")
    model = keras.Model(x, keras.ops.sum(x, axis=-1))
    value = zoo.noise(4, 3)
    explorer = aw.LayerExplorer(model, value, layer=model.operations[-1])
    trace = next(trace for trace in explorer.figure.data if trace.type == "bar")
    assert_close(np.asarray(trace.y, "float32"), value.sum(axis=-1))
    explorer._screen.plot._answer(explorer._screen.plot, {"kind": "click", "customdata": ["sample", 2]}, [])
    assert explorer.sample == 2


@pytest.mark.backend("tensorflow")
def test_texts_and_flags_are_read():
    model, inputs = odd_zoo.words()
    explorer = aw.LayerExplorer(model, inputs)
    assert explorer.statistics is None or explorer.statistics.count
    flags, value = odd_zoo.integers_and_booleans()
    greater = next(each for each in flags.operations if type(each).__name__ == "Greater")
    view = aw.LayerExplorer(flags, value, layer=greater)
    shown = " ".join(str(trace.to_plotly_json()) for trace in view.figure.data) + title(view)
    assert "True" in shown or "true" in shown
