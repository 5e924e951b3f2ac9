"""What the tab Why offers to be explained, and how it is said."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

import actwidget as aw
from actwidget.explorer.explorer import Explorer
from actwidget.explorer.why.methods import METHODS, choices
from actwidget.explorer.why.parts import channel_sums
from actwidget.explorer.why.question import Question, code, one_sample
from actwidget.explorer.why.targets import Targets, targets_of
from actwidget.explorer.why.words import baseline_name, precise, score_name

RNG = np.random.default_rng(0)


def model_of(last, shape=(6,), name="net"):
    keras.utils.set_random_seed(0)
    x = keras.Input(shape, name="x")
    return keras.Model(x, last(x), name=name)


def targets(model, inputs, **more):
    return targets_of(Explorer(model, inputs, **more).data)


def test_classes_are_offered_by_their_names_the_likeliest_first():
    model, x = model_of(layers.Dense(3, activation="softmax", name="out")), RNG.normal(size=(2, 6))
    shares = np.asarray(model(x[:1]))[0]
    found = targets(model, x, class_names=["ant", "bee", "cat"])
    order = np.argsort(-shares)
    assert list(found.names.values()) == [["ant", "bee", "cat"][each] for each in order]
    assert next(iter(found.choices.values())).startswith(f"{['ant', 'bee', 'cat'][order[0]]} ")
    assert found.target("") == order[0]
    assert (found.target("1"), found.code("1"), found.fitted("9")) == (1, "1", str(order[0]))


def test_of_a_single_sigmoid_both_classes_can_be_explained():
    model, x = model_of(layers.Dense(1, activation="sigmoid", name="out")), RNG.normal(size=(1, 6))
    share = float(np.asarray(model(x))[0, 0])
    found = targets(model, x, class_names=["no", "yes"])
    assert set(found.names.values()) == {"no", "yes"}
    assert found.target("") == int(share > 0.5)
    assert found.target("0") == 0


def test_a_number_is_explained_itself():
    found = targets(model_of(layers.Dense(1, name="price")), RNG.normal(size=(1, 6)))
    assert found.is_one_number
    assert (found.target(""), found.code(""), list(found.names.values())) == (None, "None", ["price"])


def test_of_maps_a_class_is_explained_over_all_positions():
    model, x = model_of(layers.Conv2D(4, 3, name="out"), (8, 8, 1)), RNG.normal(size=(1, 8, 8, 1))
    found = targets(model, x)
    output = np.asarray(model(x))
    value = np.asarray(found.target("2")(ops.convert_to_tensor(output)))
    np.testing.assert_allclose(value, output[..., 2].sum(axis=(1, 2)), rtol=1e-5)
    assert found.code("2") == "lambda outputs: keras.ops.sum(outputs[..., 2], axis=(1, 2))"
    assert found.target("2") is found.target("2")  # so that its passes are compiled once


def test_of_several_outputs_the_first_is_offered_and_named():
    x = keras.Input((6,), name="x")
    model = keras.Model(x, {"kind": layers.Dense(3, name="kind")(x), "size": layers.Dense(1, name="size")(x)})
    found = targets(model, RNG.normal(size=(1, 6)))
    assert (found.place, found.output, len(found.names)) == (0, "kind", 3)
    assert found.code("1") == "lambda outputs: keras.tree.flatten(outputs)[0][:, 1]"


def test_without_a_known_output_there_is_the_top_class():
    assert Targets().target("") is None
    assert targets(model_of(layers.Dense(3, name="out")), None).choices == {"": "the top class"}


def test_only_methods_that_the_model_allows_are_offered():
    dense = Explorer(model_of(layers.Dense(3, name="out"))).session.graph
    assert "grad_cam" not in choices(dense, of_layer=False)
    assert "attention_rollout" not in choices(dense, of_layer=False)
    maps = Explorer(model_of(layers.Conv2D(4, 3, name="out"), (8, 8, 1))).session.graph
    assert "grad_cam" in choices(maps, of_layer=False)
    x = keras.Input((5, 8), name="x")
    attention = keras.Model(x, layers.MultiHeadAttention(2, 4, name="attention")(x, x))
    graph = Explorer(attention).session.graph
    assert "attention_rollout" in choices(graph, of_layer=False)
    assert "attention_rollout" not in choices(graph, of_layer=True)


def test_the_methods_are_those_of_attributions():
    from actwidget.explain.attribution.steps import METHODS as KNOWN

    assert set(METHODS) == set(KNOWN)


def test_one_sample_alone_is_explained_unless_the_model_mixes_samples():
    x = RNG.normal(size=(3, 6)).astype("float32")
    data = Explorer(model_of(layers.Dense(3, name="out")), x).inspector.layer("out", 2)
    inputs, sample = one_sample(data)
    np.testing.assert_array_equal(inputs, x[2:])
    assert sample == 0
    fixed = keras.Input(batch_shape=(3, 6), name="x")
    data = Explorer(keras.Model(fixed, layers.Dense(3, name="out")(fixed)), x).inspector.layer("out", 2)
    assert (len(one_sample(data)[0]), one_sample(data)[1]) == (3, 2)


@pytest.mark.parametrize(("low", "words"), [(0.0, "the black picture"), (-1.0, "the picture of zeros")])
def test_the_picture_of_zeros_is_called_black_where_it_is(low, words):
    model = model_of(layers.Conv2D(4, 3, name="out"), (8, 8, 1))
    explorer = Explorer(model, low + RNG.random((1, 8, 8, 1)))
    question = Question("integrated_gradients", "", "", 0)
    assert baseline_name(explorer.data, question, "") == words
    assert baseline_name(explorer.data, Question("integrated_gradients", "", "out", 0), "") == "zeros in out"


def test_the_score_says_what_was_taken_off():
    found = Targets(names={"0": "ant"})
    question = Question("saliency", "0", "", 0)
    assert score_name(question, found, "softmax") == "the logit of ant, before the softmax"
    assert score_name(question, found, "") == "the output for ant"


def test_sums_of_channels_are_signed_and_sizes_are_norms():
    values = RNG.normal(size=(4, 5, 3))
    np.testing.assert_allclose(channel_sums(values, is_signed=True), values.sum(axis=(0, 1)))
    np.testing.assert_allclose(channel_sums(values, is_signed=False), np.linalg.norm(values.reshape(-1, 3), axis=0))
    assert precise(10.4231) == "10.42"


def test_the_code_names_the_sample_and_the_layer():
    x = RNG.normal(size=(3, 6))
    data = Explorer(model_of(layers.Dense(3, activation="softmax", name="out")), x).inspector.layer("out", 1)
    found = targets_of(data)
    written = code(data, Question("saliency", "2", "out", 1), found)
    assert "actwidget.attributions(model, x[1:2], 2, method='saliency', layer='out')" in written
    assert aw.attributions is not None
