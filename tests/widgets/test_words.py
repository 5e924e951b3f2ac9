"""Which words are said of which values: over kinds of layers, in numbers, table, overview, marks and warnings."""

from __future__ import annotations

import json
import re

import keras
import numpy as np
import pytest
from keras import layers, ops

import actwidget as aw

RNG = np.random.default_rng(6)
FEATURES = RNG.normal(size=(4, 6)).astype("float32") * [0, 0, 0, 1, 1, 1]  # half of the units would be dead
IMAGES = RNG.random((4, 8, 8, 3)).astype("float32") * [0, 0, 1]
IDS = np.array([[1, 2, 0, 0, 0, 0], [3, 4, 5, 0, 0, 0]], "int32")
WORDS = np.array([["cat"], ["dog"], ["cat"]])


def one_hot_of_units(x):
    return ops.one_hot(ops.argmax(layers.Dense(9)(x), axis=-1), 9)


def biases(*values):
    return lambda _shape, dtype=None: ops.convert_to_tensor(values, dtype)


def saturated_softmax(x):
    return layers.Dense(
        6,
        activation="softmax",
        kernel_initializer=keras.initializers.Constant(0),
        bias_initializer=biases(0, 0, 900, 0, 0, 0),
    )(x)


def ending(layer, x):
    given = keras.Input(x.shape[1:], dtype="string" if x.dtype.kind == "U" else x.dtype.name, name="x")
    return keras.Model(given, layer(given)), x


def adapted():
    norm = layers.Normalization()
    norm.adapt(FEATURES)
    return norm


def dead(shape, **options):
    return layers.Dense(shape, kernel_initializer="zeros", **options)


class FloatMask(layers.Layer):
    """Gives a mask as floats, as people write it."""

    def call(self, inputs):
        return ops.cast(ops.not_equal(inputs, 0), "float32")

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(inputs.shape, "float32")


class Masked(keras.Model):
    """A subclassed model that ends with a mask, of which no graph tells."""

    def __init__(self):
        super().__init__(name="masked")
        self.mask = FloatMask(name="mask")

    def call(self, inputs):
        return self.mask(inputs)


FLAGS = {
    "a comparison": lambda: ending(lambda x: ops.greater(layers.Dense(6)(x), 1e9), FEATURES),
    "a logical and": lambda: ending(lambda x: ops.logical_and(x > 9, dead(6)(x) > 1), FEATURES),
    "a mask": lambda: ending(lambda x: ops.not_equal(x, 0), IDS),
    "a mask as floats": lambda: ending(lambda x: ops.cast(ops.expand_dims(ops.not_equal(x, 0), 1), "float32"), IDS),
    "a mask of a layer of the user's": lambda: ending(FloatMask(), IDS),
    "a mask of a layer of the user's, of units": lambda: ending(
        lambda x: FloatMask()(dead(6)(x)[:, :3] + x[:, 2:5]), FEATURES
    ),
    "a mask of a Lambda": lambda: ending(
        lambda x: layers.Lambda(lambda y: ops.cast(y > 0, "float32"))(layers.Dense(6)(x) * x), FEATURES
    ),
    "a mask in a subclassed model": lambda: (Masked(), IDS),
    "a mask as bytes": lambda: ending(lambda x: ops.cast(dead(6)(x) > 0, "uint8"), FEATURES),
    "one-hot of units": lambda: ending(one_hot_of_units, FEATURES),
    "two of them": lambda: ending(lambda x: layers.Concatenate()([one_hot_of_units(x), one_hot_of_units(x)]), FEATURES),
    "one-hot of a Lambda": lambda: ending(
        lambda x: layers.Lambda(lambda y: ops.one_hot(ops.argmax(y, -1), 9))(dead(6)(x)), FEATURES
    ),
    "one-hot ids": lambda: ending(layers.CategoryEncoding(9, "one_hot"), IDS[:, :1]),
    "multi-hot ids": lambda: ending(layers.CategoryEncoding(9, "multi_hot"), IDS),
    "one-hot words": lambda: ending(
        layers.StringLookup(vocabulary=["cat", "dog", "cow"], output_mode="one_hot"), WORDS
    ),
    "buckets": lambda: ending(layers.Discretization([0.0, 9.0], output_mode="one_hot"), FEATURES[:, 3:4]),
}
NAMES = {
    "ids": lambda: ending(layers.Identity(dtype="int32"), IDS),
    "classes": lambda: ending(lambda x: ops.argmax(dead(6)(x), axis=-1), FEATURES),
    "places": lambda: ending(lambda x: ops.top_k(dead(6)(x), 3)[1], FEATURES),
    "words by number": lambda: ending(layers.StringLookup(vocabulary=["cat", "dog"]), WORDS),
    "hashes": lambda: ending(layers.Hashing(50), IDS),
    "buckets": lambda: ending(layers.Discretization([0.0]), FEATURES),
    "sentences of many words": lambda: ending(
        layers.Identity(dtype="int32"), np.arange(60, dtype="int32").reshape(2, 5, 6)
    ),
    "texts": lambda: ending(layers.TextVectorization(vocabulary=["cat", "dog"], output_sequence_length=4), WORDS),
}
DATA = {
    "flat pictures": lambda: ending(layers.Flatten(), IMAGES),
    "scaled pictures": lambda: ending(layers.Rescaling(2.0), IMAGES),
    "padded pictures": lambda: ending(layers.ZeroPadding2D(1), IMAGES),
    "small pictures": lambda: ending(layers.AveragePooling2D(2), IMAGES),
    "normalized features": lambda: ending(adapted(), FEATURES),
    "an operation": lambda: ending(lambda x: ops.square(x) * 2, FEATURES),
    "counted ids": lambda: ending(layers.CategoryEncoding(9, "count"), IDS),
    "masked steps": lambda: ending(layers.Masking(), RNG.normal(size=(2, 4, 3)).astype("float32") * [0, 0, 1]),
}
UNITS = {
    "dense": lambda: ending(dead(6), FEATURES),
    "relu": lambda: ending(lambda x: layers.ReLU()(dead(6)(x)), FEATURES),
    "flattened maps": lambda: ending(
        lambda x: layers.Flatten()(layers.Conv2D(4, 3, kernel_initializer="zeros")(x)), IMAGES
    ),
    "maps": lambda: ending(layers.Conv2D(4, 3, kernel_initializer="zeros"), IMAGES),
    "normalized": lambda: ending(lambda x: layers.BatchNormalization()(dead(6)(x)), FEATURES),
    "embedded": lambda: ending(layers.Embedding(9, 4, embeddings_initializer="zeros"), IDS),
    "a recurrent layer": lambda: ending(layers.GRU(3, kernel_initializer="zeros", return_sequences=True), IMAGES[0]),
    "a softmax that gives 0 and 1": lambda: ending(saturated_softmax, FEATURES),
    "a unit that gives 0 and 1": lambda: ending(dead(3, bias_initializer=biases(0, 1, 0)), FEATURES),
}


def terms(text):
    return dict(re.findall(r"<dt>(.*?)</dt><dd.*?>(.*?)</dd>", text))


def looked_at(make):
    model, x = make()
    explorer = aw.LayerExplorer(model, x)
    explorer.layer = explorer._explorer.session.graph.output
    return explorer


def words_of(explorer):
    """The numbers below the figure, the columns of the table, what the overview says of the layer, and its warnings."""
    told = terms(explorer._screen.numbers.value)
    explorer.show = "table"
    columns = [] if explorer._screen.table is None else explorer._screen.table._columns
    explorer.show = "overview"
    place = [row.path for row in explorer.summaries].index(explorer.layer)
    row, hover = explorer.summaries[place], explorer.figure.data[-1].hovertext[place][0]
    assert explorer._screen.tree.marks.get(explorer.layer, "") == "; ".join(row.warnings)
    return told, columns, hover, row


@pytest.mark.parametrize("name", FLAGS)
def test_of_flags_it_is_said_how_many_are_true_and_no_more(name):
    explorer = looked_at(FLAGS[name])
    value = explorer.activation
    assert set(np.unique(value).tolist()) <= {0, 1}
    told, columns, hover, row = words_of(explorer)
    assert list(told) == ["true"]
    assert float(told["true"].strip(" %<")) == pytest.approx(100 * np.mean(value), abs=0.6)
    assert columns[1:] == ["true %"]
    assert "dead" not in hover
    assert (row.meaning, row.warnings, row.dead) == ("flags", (), 0)
    assert "median" not in hover


@pytest.mark.parametrize("name", NAMES)
def test_what_is_counted_or_named_has_a_range_and_no_mean(name):
    explorer = looked_at(NAMES[name])
    value = explorer.activation
    assert value.dtype.kind == "i"
    told, columns, hover, row = words_of(explorer)
    assert told["range"] == f"{value.min()} to {value.max()}"
    assert list(told) == ["range", "zeros"]
    assert columns[1:] == ["minimum", "maximum", "zeros %"]
    assert "dead" not in hover
    assert "median" not in hover
    assert (row.meaning, row.warnings, row.dead) == ("names", (), 0)


@pytest.mark.parametrize("name", DATA)
def test_of_data_that_no_weights_were_at_work_on_nothing_is_dead(name):
    explorer = looked_at(DATA[name])
    assert explorer.statistics.constant > 0
    told, columns, hover, row = words_of(explorer)
    assert not [term for term in told if term.startswith("dead")]
    constant = next(text for term, text in told.items() if term.startswith("constant"))
    assert constant == f"{explorer.statistics.constant} of {explorer.statistics.channels}"
    assert {"mean", "std", "constant?"} <= set(columns)
    assert "dead?" not in columns
    assert "dead" not in hover
    assert "median" in hover
    assert (row.meaning, row.warnings, row.dead) == ("data", (), 0)
    assert {each.meaning for each in explorer.summaries} <= {"data", "names"}  # the input too


@pytest.mark.parametrize("name", UNITS)
def test_units_that_give_nothing_are_dead(name):
    explorer = looked_at(UNITS[name])
    numbers = explorer.statistics
    told, columns, hover, row = words_of(explorer)
    noun = explorer._explorer.data.channel_label
    assert told[f"dead {noun}s"] == f"{numbers.dead} of {numbers.channels}"
    assert "dead?" in columns
    assert "dead" in hover
    assert row.meaning == "activations"
    assert any("dead" in warning for warning in row.warnings)
    assert row.dead == numbers.dead / numbers.channels > 0


def test_bytes_of_a_picture_are_measured():
    picture = keras.Input((8, 8, 3), dtype="uint8", name="picture")
    model = keras.Model(picture, layers.Rescaling(1 / 255)(picture))
    explorer = aw.LayerExplorer(model, RNG.integers(0, 256, (2, 8, 8, 3)).astype("uint8"), layer="picture")
    assert "mean ± sd" in terms(explorer._screen.numbers.value)


def test_the_input_of_a_nested_model_is_what_it_is_given():
    def nested():
        x = keras.Input((6,), name="given")
        return keras.Model(x, layers.Dense(2)(x), name="inner")

    x = keras.Input((6,), name="x")
    first, second = nested(), nested()
    second.name = "second"
    model = keras.Model(x, [first(x), second(dead(6, name="hidden")(x))])
    rows = {row.path: row for row in aw.LayerExplorer(model, FEATURES).summaries}
    assert rows["inner/given"].meaning == "data"
    assert rows["inner/given"].warnings == ()
    assert rows["second/given"].warnings == rows["hidden"].warnings == ("6 of 6 units dead",)


def test_what_is_no_number_is_said_of_data_too():
    x = keras.Input((6,), name="x")
    explorer = aw.LayerExplorer(keras.Model(x, layers.Rescaling(1.0, name="same")(x)), FEATURES * np.nan, layer="same")
    assert explorer._screen.tree.marks["same"] == "24 NaN"


def test_a_saved_page_says_the_same(tmp_path):
    explorer = looked_at(FLAGS["a comparison"])
    explorer.to_html(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    contents = json.loads(text.partition('id="actw-data">')[2].partition("</script>")[0])
    warned = {path for path, layer in contents["layers"].items() if "dead units" in json.dumps(layer["views"])}
    assert warned == {row.path for row in explorer.summaries if row.meaning == "activations"} != set()
