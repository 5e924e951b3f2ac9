"""Each output of a model is shown as the answer that it is; its numbers are those of `model.predict`."""

from __future__ import annotations

import base64
import io
import re

import keras
import numpy as np
import plotly.graph_objects as go
import pytest
from keras import layers
from PIL import Image

from actwidget.explorer.answers.predictions import TopAnswers
from actwidget.explorer.explorer import Explorer
from actwidget.figures.parts.palette import ACCENT
from actwidget.figures.values import CATEGORY_COLORS

RNG = np.random.default_rng(5)
X = RNG.normal(size=(4, 6)).astype("float32")
PICTURES = RNG.random((2, 12, 16, 3)).astype("float32")
NAMES = [f"kind {letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]


def said(value):
    """Two decimals, or three digits of a number below 0.1."""
    return f"{value:.2f}" if value == 0 or abs(value) >= 0.1 else f"{value:.3g}"


def of_vectors(*heads, loss=None):
    """A model of vectors with some outputs, each a layer."""
    keras.utils.set_random_seed(7)
    x = keras.Input((6,))
    outputs = [head(x) for head in heads]
    model = keras.Model(x, outputs if len(outputs) > 1 else outputs[0], name="net")
    if loss is not None:
        model.compile(loss=loss)
    return model


def of_pictures(*stages):
    keras.utils.set_random_seed(7)
    x = keras.Input((12, 16, 3))
    y = x
    for stage in stages:
        y = stage(y)
    return keras.Model(x, y, name="net")


def strong(units, **options):
    """A dense layer with large weights, so that its answers differ."""
    return layers.Dense(units, kernel_initializer=keras.initializers.RandomNormal(stddev=1.5), **options)


def opened(model, inputs=X, *, layer=None, sample=0, channel=None, **options):
    explorer = Explorer(model, inputs, **options)
    explorer.select(layer=layer or explorer.session.graph.output, sample=sample, channel=channel)
    return explorer


def drawn(explorer):
    """The figure, checked by Plotly."""
    return go.Figure(explorer.show().drawing.figure.figure)


def answers(explorer):
    return explorer.inspector.predictions.answers(explorer.selection.sample)


def percent_of(text):
    return float(text.strip("\u00a0 %<>")) / 100


# Classes.


@pytest.mark.parametrize("sample", range(4))
def test_the_ten_likeliest_classes_are_bars_with_their_names_and_percents(sample):
    model = of_vectors(strong(26, activation="softmax"))
    expected = model.predict(X, verbose=0)[sample].astype(float)
    best = sorted(range(26), key=lambda unit: -expected[unit])
    explorer = opened(model, class_names=NAMES, sample=sample)
    figure = drawn(explorer)
    bars, written = figure.data[:2]
    assert list(figure.layout.yaxis.ticktext) == [NAMES[unit] for unit in best[:10]]
    np.testing.assert_allclose(bars.x, expected[best[:10]], rtol=1e-4)
    assert [each[0] for each in bars.customdata] == best[:10]
    for text, unit in zip(written.text, best, strict=False):
        assert percent_of(text) == pytest.approx(
            expected[unit], rel=0.01, abs=0.0005 if expected[unit] < 0.1 else 0.005
        ), text
    assert [(item.name, item.text) for item in answers(explorer).items] == [
        (NAMES[unit], text.strip("\u00a0")) for unit, text in zip(best[:3], written.text, strict=False)
    ]
    assert [item.share for item in answers(explorer).items] == pytest.approx(expected[best[:3]].tolist(), rel=1e-4)


def test_beside_them_is_the_whole_distribution_and_how_many_classes_make_up_99_percent():
    model = of_vectors(strong(26, activation="softmax"))
    expected = np.sort(model.predict(X, verbose=0)[1].astype(float))[::-1]
    figure = drawn(opened(model, class_names=NAMES, sample=1))
    line = figure.data[2]
    np.testing.assert_array_equal(line.x, np.arange(1, 27))
    np.testing.assert_allclose(line.y, np.maximum(expected, 1e-6), rtol=1e-4)
    most = next(count for count in range(1, 27) if expected[:count].sum() >= 0.99)
    assert figure.layout.annotations[0].text == f"all 26: {most} make up 99 %"
    assert figure.layout.xaxis.domain[1] < figure.layout.xaxis2.domain[0]


def test_the_true_class_and_the_selected_one_are_shown_however_unlikely_they_are():
    model = of_vectors(strong(26, activation="softmax"))
    ranked = np.argsort(-model.predict(X, verbose=0)[0]).tolist()
    explorer = opened(model, class_names=NAMES, labels=[ranked[20]] * 4, channel=ranked[24])
    figure = drawn(explorer)
    shown = list(figure.layout.yaxis.ticktext)
    assert len(shown) == 10
    assert shown[8] == f"✓ {NAMES[ranked[20]]}"
    assert NAMES[ranked[24]] in shown[9]
    assert [color == ACCENT for color in figure.data[0].marker.color] == [False] * 9 + [True]
    assert {trace.x[0] for trace in figure.data[3:]} == {21, 25}  # their places in the distribution


def test_few_classes_are_all_bars_and_have_no_distribution_beside_them():
    figure = drawn(opened(of_vectors(strong(4, activation="softmax"))))
    assert sorted(figure.layout.yaxis.ticktext) == [f"class {unit}" for unit in range(4)]
    assert [trace.type for trace in figure.data] == ["bar", "scatter"]


def test_the_pieces_of_an_answer_are_reached_by_the_arrow_keys_in_the_order_on_screen():
    model = of_vectors(strong(26, activation="softmax"))
    ranked = np.argsort(-model.predict(X, verbose=0)[0]).tolist()
    assert opened(model).show().drawing.grid.order.tolist() == ranked


@pytest.mark.parametrize(
    ("options", "loss"),
    [({"class_names": NAMES}, None), ({}, keras.losses.SparseCategoricalCrossentropy(from_logits=True))],
    ids=["by their names", "by the loss"],
)
def test_logits_that_are_known_as_such_are_ranked_as_they_are_and_said_to_be_logits(options, loss):
    model = of_vectors(strong(26), loss=loss)
    expected = model.predict(X, verbose=0)[2].astype(float)
    best = np.argsort(-expected)
    explorer = opened(model, sample=2, **options)
    figure = drawn(explorer)
    assert "logits of 26 classes, no softmax" in figure.layout.title.text
    assert figure.layout.xaxis.title.text == "logit"
    np.testing.assert_allclose(figure.data[0].x, expected[best[:10]], rtol=1e-4)
    np.testing.assert_allclose(figure.data[2].y, expected[best], rtol=1e-4)
    first = answers(explorer).items[0]
    assert (first.name, first.share) == ((NAMES if options else [f"class {unit}" for unit in range(26)])[best[0]], None)
    assert float(first.text) == pytest.approx(expected[best[0]], abs=0.006)


def test_scores_of_which_nothing_is_known_are_ranked_too_but_not_said_to_be_an_answer():
    explorer = opened(of_vectors(strong(26)))
    assert "26 values, no softmax (logits, if they stand for classes)" in drawn(explorer).layout.title.text
    assert answers(explorer) == TopAnswers()


def test_independent_labels_are_percents_that_need_not_add_up():
    model = of_vectors(strong(12, activation="sigmoid"))
    expected = model.predict(X, verbose=0)[0].astype(float)
    best = np.argsort(-expected)
    explorer = opened(model, class_names=NAMES[:12])
    figure = drawn(explorer)
    assert "12 labels · independent, need not add up to 100 %" in figure.layout.title.text
    np.testing.assert_allclose(figure.data[0].x, expected[best[:10]], rtol=1e-4)
    np.testing.assert_allclose(figure.data[2].y, expected[best], rtol=1e-4)
    assert [item.name for item in answers(explorer).items] == [NAMES[unit] for unit in best[:3]]
    assert [percent_of(item.text) for item in answers(explorer).items] == pytest.approx(
        expected[best[:3]].tolist(), abs=0.01
    )


# Numbers.


def test_a_regression_is_a_large_number_above_those_of_all_samples():
    model = of_vectors(strong(1, name="price"))
    expected = model.predict(X, verbose=0)[:, 0].astype(float)
    explorer = opened(model, sample=3)
    figure = drawn(explorer)
    texts = " ".join(note.text for note in figure.layout.annotations)
    assert f"<b>{said(expected[3])}</b>" in texts
    assert "font-size:44px" in texts
    assert "price of every sample" in texts
    bars = next(trace for trace in figure.data if trace.type == "bar")
    np.testing.assert_allclose(bars.y, expected, rtol=1e-5)
    assert [color == ACCENT for color in bars.marker.color] == [False, False, False, True]
    assert [item.name for item in answers(explorer).items] == ["price"]
    assert float(answers(explorer).items[0].text) == pytest.approx(expected[3], abs=0.006)


def test_several_numbers_have_a_row_each_and_the_selected_one_is_shown_for_every_sample():
    model = of_vectors(strong(3), loss="mse")
    expected = model.predict(X, verbose=0).astype(float)
    explorer = opened(model, sample=1, channel=2)
    figure = drawn(explorer)
    texts = [note.text for note in figure.layout.annotations]
    for unit, text in enumerate(texts[:3]):
        assert f"<b>{said(expected[1, unit])}</b>" in text
        assert f"number {unit}" in text
    assert "number 2 of every sample" in texts[3]
    bars = next(trace for trace in figure.data if trace.type == "bar")
    np.testing.assert_allclose(bars.y, expected[:, 2], rtol=1e-5)
    assert [(item.name, item.share) for item in answers(explorer).items] == [
        (f"number {unit}", None) for unit in range(3)
    ]


@pytest.mark.parametrize("inputs", [X[:1], X])
def test_a_number_without_an_axis_of_units_is_one_number_too(inputs):
    model = of_vectors(lambda x: keras.ops.squeeze(layers.Dense(1)(x), axis=-1))
    expected = float(model.predict(inputs, verbose=0)[0])
    explorer = opened(model, inputs)
    assert f"<b>{said(expected)}" in " ".join(note.text for note in drawn(explorer).layout.annotations)
    assert float(answers(explorer).items[0].text) == pytest.approx(expected, abs=0.006)


# Pixels and boxes.


def segmentation(kind):
    scores = layers.Conv2D(4, 3, padding="same", kernel_initializer=keras.initializers.RandomNormal(stddev=1.0))
    if kind == "softmax":
        return of_pictures(scores, layers.Softmax())
    if kind == "argmax":
        return of_pictures(scores, lambda y: keras.ops.argmax(y, axis=-1))
    return of_pictures(layers.Conv2D(1, 3, padding="same", activation="sigmoid"))


@pytest.mark.parametrize("kind", ["softmax", "argmax", "mask"])
def test_a_segmentation_is_a_map_of_the_likeliest_classes_with_their_shares_of_the_pixels(kind):
    model = segmentation(kind)
    given = model.predict(PICTURES, verbose=0)[1]
    expected = given if kind == "argmax" else (given[..., 0] > 0.5) if kind == "mask" else given.argmax(axis=-1)
    names = {"softmax": ["road", "sky", "tree", "car"], "mask": ["cell"]}.get(kind)
    explorer = opened(model, PICTURES, sample=1, class_names=names)
    figure = drawn(explorer)
    pictures = [trace for trace in figure.data if trace.type == "image"]
    cells = next(trace for trace in figure.data if trace.type == "heatmap")
    bars = next(trace for trace in figure.data if trace.type == "bar")
    np.testing.assert_array_equal(cells.z, expected)
    assert len(pictures) == 2  # the map, and the input beside it
    pixels = decoded(pictures[0].source)
    colors = np.array([[int(color[at : at + 2], 16) for at in (1, 3, 5)] for color in CATEGORY_COLORS])
    step = pixels.shape[0] // 12
    np.testing.assert_array_equal(pixels[::step, ::step, :3], colors[expected.astype(int)])
    given_names = names or [f"class {each}" for each in range(4)]
    given_names = ["not cell", "cell"] if kind == "mask" else given_names
    shares = dict(zip([re.search("<b>(.*)</b>", text)[1] for text in bars.hovertext], bars.x, strict=True))
    found = {given_names[each]: float((expected == each).mean()) for each in np.unique(expected).astype(int)}
    assert shares == pytest.approx(found)
    texts = " ".join(next(trace for trace in figure.data if trace.type == "scatter").text)
    assert all(name in texts for name in found)
    assert (bars.customdata is not None) == (kind == "softmax")  # only there each class is a channel


def decoded(uri):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))))


def test_a_class_of_a_segmentation_can_be_selected_alone():
    model = segmentation("softmax")
    expected = model.predict(PICTURES, verbose=0)[0].argmax(axis=-1)
    chosen = int(np.bincount(expected.ravel()).argmax())
    figure = drawn(opened(model, PICTURES, channel=chosen))
    opacity = decoded(figure.data[0].source)[..., 3]
    step = opacity.shape[0] // 12
    np.testing.assert_array_equal(opacity[::step, ::step] == 255, expected == chosen)


def test_rows_of_numbers_such_as_boxes_are_a_table_of_these_numbers():
    model = of_pictures(layers.GlobalAveragePooling2D(), layers.Dense(30), layers.Reshape((5, 6), name="boxes"))
    expected = model.predict(PICTURES, verbose=0)[1]
    figure = drawn(opened(model, PICTURES, sample=1))
    table = figure.data[0]
    assert table.type == "table"
    found = [[float(cell.replace("\u2212", "-")) for cell in column] for column in table.cells.values[1:]]
    np.testing.assert_allclose(np.transpose(found), expected, rtol=0.01, atol=0.006)


# Which outputs are answers.


def test_each_of_several_outputs_is_shown_as_what_it_is():
    heads = [
        strong(3, activation="softmax", name="kind"),
        strong(1, name="size"),
        strong(12, activation="sigmoid", name="tags"),
    ]
    model = of_vectors(*heads)
    kind, size, tags = (output[0].astype(float) for output in model.predict(X, verbose=0))
    figures = {name: drawn(opened(model, layer=name)) for name in ("kind", "size", "tags")}
    np.testing.assert_allclose(figures["kind"].data[0].x, np.sort(kind)[::-1], rtol=1e-4)
    assert f"<b>{said(size[0])}</b>" in " ".join(note.text for note in figures["size"].layout.annotations)
    np.testing.assert_allclose(figures["tags"].data[2].y, np.sort(tags)[::-1], rtol=1e-4)
    given = answers(opened(model))
    assert given.output == "kind"
    assert [item.share for item in given.items] == pytest.approx(np.sort(kind)[::-1].tolist(), rel=1e-4)


def test_so_are_those_of_a_dict_by_the_losses_of_its_keys():
    keras.utils.set_random_seed(7)
    x = keras.Input((6,))
    model = keras.Model(x, {"what": strong(4, name="first")(x), "how_much": strong(4, name="second")(x)}, name="net")
    model.compile(loss={"what": keras.losses.SparseCategoricalCrossentropy(from_logits=True), "how_much": "mse"})
    expected = model.predict(X, verbose=0)
    classes, numbers = (drawn(opened(model, layer=name)) for name in ("first", "second"))
    np.testing.assert_allclose(classes.data[0].x, np.sort(expected["what"][0])[::-1], rtol=1e-4)
    assert "logits of 4 classes" in classes.layout.title.text
    texts = [note.text for note in numbers.layout.annotations]
    assert all(f"<b>{said(value)}</b>" in text for value, text in zip(expected["how_much"][0], texts, strict=False))


def test_so_are_those_of_a_subclassed_model():
    class Net(keras.Model):
        def __init__(self):
            super().__init__(name="net")
            self.body = layers.Dense(5, activation="tanh", name="body")
            self.kind, self.size = strong(3, activation="softmax", name="kind"), strong(1, name="size")

        def call(self, inputs):
            y = self.body(inputs)
            return {"kind": self.kind(y), "size": self.size(y)}

    keras.utils.set_random_seed(7)
    model = Net()
    expected = model.predict(X, verbose=0)
    np.testing.assert_allclose(
        drawn(opened(model, layer="kind")).data[0].x, np.sort(expected["kind"][0])[::-1], rtol=1e-4
    )
    texts = " ".join(note.text for note in drawn(opened(model, layer="size")).layout.annotations)
    assert f"<b>{said(expected['size'][0, 0])}</b>" in texts


NO_ANSWERS = {
    "an autoencoder of vectors": lambda: (of_vectors(layers.Dense(6)), X),
    "an autoencoder of pictures": lambda: (
        of_pictures(layers.Conv2D(3, 3, padding="same", activation="sigmoid")),
        PICTURES,
    ),
    "an embedding": lambda: (of_vectors(strong(26, activation="tanh")), X),
    "a layer on the way": lambda: (of_vectors(strong(26, activation="relu")), X),
}


@pytest.mark.parametrize("name", NO_ANSWERS)
def test_what_is_no_answer_is_shown_like_any_layer_and_the_header_says_nothing(name):
    model, inputs = NO_ANSWERS[name]()
    explorer = opened(model, inputs)
    titles = drawn(explorer).layout.title.text
    assert not re.search(r"classes|labels|logits|likeliest|numbers", titles)
    assert answers(explorer) == TopAnswers()


def test_an_output_that_is_not_finite_still_has_its_figure_and_no_answer():
    model = of_vectors(strong(12, activation="softmax"))
    broken = X.copy()
    broken[1, 0] = np.nan
    explorer = opened(model, broken, sample=1)
    assert "12 classes" in drawn(explorer).layout.title.text
    assert answers(explorer) == TopAnswers()
    explorer.select(sample=0)
    assert len(answers(explorer).items) == 3
