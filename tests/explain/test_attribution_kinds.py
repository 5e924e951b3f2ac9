"""Attributions of every kind of model and input, and what is said where there are none."""

from __future__ import annotations

from importlib import import_module

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from numpy.testing import assert_allclose, assert_array_equal

import actwidget as aw
from actwidget import attributions, gradients, layer_tree
from actwidget.errors import InvalidInputsError, LayerNotFoundError, NotCapturableError, OptionError
from tests.explain.digits import INPUTS, digits

TOKENS = np.array([[1, 2, 3, 4, 0], [5, 6, 7, 0, 0]])
SEQUENCE = np.random.default_rng(0).standard_normal((2, 6, 8), np.float32)


def reader():
    ids = keras.Input((5,), dtype="int32", name="ids")
    x = layers.Embedding(10, 4, mask_zero=True, name="table")(ids)
    x = layers.LSTM(6, name="lstm")(x)
    return keras.Model(ids, layers.Dense(3, activation="softmax", name="answer")(x), name="reader")


def transformer():
    inputs = keras.Input((6, 8), name="seq")
    x = layers.Add()([layers.MultiHeadAttention(2, 4, name="first")(inputs, inputs), inputs])
    x = layers.Add()([layers.MultiHeadAttention(2, 4, name="second")(x, x), x])
    return keras.Model(inputs, layers.Dense(3)(x[:, 0]), name="transformer")


def two_inputs():
    table, ids = keras.Input((3,), name="table"), keras.Input((4,), dtype="int32", name="ids")
    words = layers.Flatten()(layers.Embedding(9, 3, name="words")(ids))
    x = layers.Concatenate()([layers.Dense(4)(table), words])
    return keras.Model({"table": table, "ids": ids}, layers.Dense(1, activation="sigmoid")(x), name="two")


BOTH = {"table": np.random.default_rng(1).random((3, 3), np.float32), "ids": np.array([[1, 2, 3, 4]] * 3)}


def segmenter():
    inputs = keras.Input((8, 8, 1))
    maps = layers.Conv2D(4, 3, padding="same", activation="relu", name="maps")(inputs)
    return keras.Model(inputs, layers.Conv2D(3, 1, activation="softmax", name="classes")(maps), name="segmenter")


PICTURES = np.random.default_rng(2).random((2, 8, 8, 1), np.float32)


def test_tokens_get_one_number_each_at_the_embedding_which_is_named():
    model = reader()
    found = attributions(model, TOKENS, 1, steps=20)
    assert (found.values.shape, found.layer) == ((2, 5), "table")
    at_layer = attributions(model, TOKENS, 1, steps=20, layer="table")
    assert at_layer.values.shape == (2, 5, 4)
    assert_allclose(found.values, at_layer.values.sum(axis=-1), atol=1e-7)
    assert_array_equal(found.values[TOKENS == 0], 0)  # what is masked does not count
    assert_allclose(found.delta, 0, atol=1e-4)


def test_text_is_attributed_behind_the_layer_that_reads_it():
    vectors = layers.TextVectorization(max_tokens=20, output_sequence_length=4)
    vectors.adapt(["a b c d", "e f g"])
    table = layers.Embedding(20, 3, name="table")
    model = keras.Sequential(
        [keras.Input((), dtype="string"), vectors, table, layers.GlobalAveragePooling1D(), layers.Dense(2)]
    )
    found = attributions(model, np.array(["a b", "c d e"]), 0, method="gradient_x_input")
    assert (found.layer, found.values.shape) == ("table", (2, 4))
    lookup = keras.Sequential([keras.Input((1,), dtype="string", name="word"), layers.StringLookup(vocabulary=["a"])])
    with pytest.raises(NotCapturableError, match=r"'word'.*holds text.*nothing differentiable"):
        attributions(lookup, np.array([["a"]]), 0)


def test_a_subclassed_model_of_tokens_is_attributed_at_its_embedding():
    class Reader(keras.Model):
        def __init__(self):
            super().__init__()
            self.table, self.answer = layers.Embedding(9, 3, name="table"), layers.Dense(3, activation="softmax")

        def call(self, ids):
            return self.answer(ops.mean(self.table(ids), axis=1))

    model = Reader()
    found = attributions(model, [[1, 2, 3]], 2)
    assert (found.layer, found.values.shape, found.pre_activation) == ("table", (1, 3), "softmax")
    # The model is linear up to the logit: each token has its share of the mean.
    weights = model.table(np.array([1, 2, 3])).numpy() @ model.answer.kernel.numpy()[:, 2] / 3
    assert_allclose(found.values[0], weights, atol=1e-5)


def test_several_inputs_give_the_model_s_own_structure():
    found = attributions(two_inputs(), BOTH)
    assert {name: values.shape for name, values in found.values.items()} == {"table": (3, 3), "ids": (3, 4)}
    assert found.layer == {"table": "", "ids": "words"}
    assert found.pre_activation == "sigmoid"
    assert_allclose(found.delta, 0, atol=1e-5)


def test_of_a_sigmoid_unit_none_and_one_are_the_unit_and_zero_its_opposite():
    model = two_inputs()
    logit = {target: attributions(model, BOTH, target, steps=3) for target in (None, 1, 0)}
    assert_allclose(logit[None].score, logit[1].score)
    assert_allclose(logit[0].score, -logit[1].score)
    assert [each.target.tolist() for each in logit.values()] == [[1] * 3, [1] * 3, [0] * 3]
    output = model(BOTH).numpy()[:, 0]
    assert_allclose(keras.ops.sigmoid(logit[1].score), output, rtol=1e-5)
    mixed = attributions(model, BOTH, [0, 1, 0], logits=False, method="saliency")
    assert_allclose(mixed.score, np.where([True, False, True], 1 - output, output), rtol=1e-5)


def test_a_callable_gets_the_outputs_before_the_softmax_and_gives_one_number_a_sample():
    model = segmenter()
    found = attributions(model, PICTURES, lambda maps: ops.sum(maps[:, :4, :4, 2], axis=(1, 2)), method="saliency")
    assert (found.target, found.pre_activation) == (None, "softmax")
    assert_array_equal(found.values[:, 6:], 0)  # the region sees no further
    inner = keras.Sequential([keras.Input((8, 8, 1)), model.get_layer("maps")])
    kernel, bias = (each.numpy() for each in model.get_layer("classes").weights)
    logits = inner(PICTURES).numpy() @ kernel[0, 0] + bias
    assert_allclose(found.score, logits[:, :4, :4, 2].sum(axis=(1, 2)), rtol=1e-4)


@pytest.mark.parametrize("target", [lambda _: 3.0, ops.sum, lambda outputs: np.asarray(outputs)[:, 0, 0, 0]])
def test_a_callable_that_does_not_give_a_number_a_sample_is_an_error(target):
    with pytest.raises(OptionError, match=r"one number a sample.*keras\.ops"):
        attributions(segmenter(), PICTURES, target)


def test_outputs_without_classes_need_a_callable_and_the_error_shows_one():
    with pytest.raises(OptionError, match=r"target=lambda outputs: keras\.ops\.sum\(outputs\[\.\.\., 3\]"):
        attributions(segmenter(), PICTURES)


@pytest.mark.parametrize("target", [-1, 10, 4.0, "espresso", True, [1, 2], [0, 1, 2, 10]])
def test_a_target_that_is_no_class_is_an_error(target):
    with pytest.raises(OptionError, match="target"):
        attributions(digits("functional"), INPUTS, target)


@pytest.mark.parametrize("baseline", [np.zeros((16, 16)), np.zeros((3, 16, 16, 3)), "grey", [0, 1]])
def test_a_baseline_of_another_shape_is_an_error(baseline):
    with pytest.raises(InvalidInputsError, match=r"baseline.*\(16, 16, 3\)"):
        attributions(digits("functional"), INPUTS, baseline=baseline)


def test_a_layer_that_the_target_does_not_depend_on_is_an_error():
    inputs = keras.Input((4,))
    first = layers.Dense(3, name="first")(inputs)
    model = keras.Model(inputs, [first, layers.Dense(2, name="second")(first)], name="both")
    values = np.ones((2, 4), np.float32)
    for call in (
        lambda: attributions(model, values, lambda outputs: outputs[0][:, 1], layer="second"),
        lambda: gradients(model, values, "second", lambda outputs: outputs[0][:, 1]),
    ):
        with pytest.raises(NotCapturableError, match="no differentiable way from the target to 'second'"):
            call()
    found = gradients(model, values, None, lambda outputs: outputs[0][:, 1])
    assert "first" in found
    assert "second" not in found
    with pytest.raises(LayerNotFoundError):
        attributions(model, values, lambda outputs: outputs[0][:, 1], layer="third")


@pytest.mark.parametrize("layer", ["lstm/lstm_cell/input_gate", "ids"])
def test_a_layer_without_gradients_is_an_error_that_says_why(layer):
    with pytest.raises(NotCapturableError, match="no differentiable way"):
        attributions(reader(), TOKENS, 0, layer=layer)


@pytest.mark.parametrize(
    "options",
    [
        {"method": "gradcam"},
        {"steps": 0},
        {"samples": 1.5},
        {"batch_size": 0},
        {"noise": -1, "method": "smoothgrad"},
        {"patch": 17, "method": "occlusion"},
        {"patch": (1, 2, 3), "method": "occlusion"},
        {"logits": "no"},
        {"layer": "conv1", "method": "attention_rollout"},
        {"layer": "hidden", "method": "grad_cam"},
    ],
)
def test_an_option_that_does_not_fit_is_an_error(options):
    with pytest.raises(OptionError):
        attributions(digits("functional"), INPUTS, 0, **options)


def test_models_without_maps_or_attention_say_so():
    with pytest.raises(NotCapturableError, match="no attention scores"):
        attributions(digits("functional"), INPUTS, method="attention_rollout")
    dense = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    with pytest.raises(NotCapturableError, match="no layer with feature maps"):
        attributions(dense, np.ones((1, 4)), method="grad_cam")


def test_attention_scores_have_attributions_that_are_those_of_a_change_of_the_scores():
    model = transformer()
    found = attributions(model, SEQUENCE, 1, method="saliency", layer="first/scores")
    assert found.values.shape == (2, 2, 6, 6)
    attention, rest = model.get_layer("first"), model.layers
    value, out = attention._value_dense(SEQUENCE), attention._output_dense
    _, scores = attention(SEQUENCE, SEQUENCE, return_attention_scores=True)
    with tf.GradientTape() as tape:
        tape.watch(scores)
        mixed = out(tf.einsum("bhts,bshd->bthd", scores, value)) + SEQUENCE
        second = model.get_layer("second")(mixed, mixed) + mixed
        score = tf.reduce_sum(rest[-1](second[:, 0])[:, 1])
    assert_allclose(found.values, tape.gradient(score, scores), atol=1e-5)
    assert_allclose(attributions(model, SEQUENCE, 1, layer="first/scores", steps=200).delta, 0, atol=1e-3)


def test_scores_of_dot_product_attention_can_be_attributed():
    inputs = keras.Input((6, 8))
    attention = layers.Attention(name="dot")([inputs, inputs])
    model = keras.Model(inputs, layers.Dense(2)(layers.Flatten()(attention)))
    found = attributions(model, SEQUENCE, 0, layer="dot/scores", steps=4)
    assert found.values.shape == (2, 6, 6)
    assert_allclose(found.delta, 0, atol=1e-5)  # the answer is linear in the scores


def test_rollout_multiplies_the_layers_with_their_residuals_and_adds_up_to_one():
    model = transformer()
    total = np.eye(6)
    values = SEQUENCE
    for name in ("first", "second"):
        attended, scores = model.get_layer(name)(values, values, return_attention_scores=True)
        values = attended + values
        mixed = scores.numpy().mean(axis=1) + np.eye(6)
        total = mixed / mixed.sum(axis=-1, keepdims=True) @ total
    found = attributions(model, SEQUENCE, method="attention_rollout")
    assert_allclose(found.values, total[:, 0], atol=1e-5)
    assert_allclose(found.values.sum(axis=1), 1, atol=1e-6)


def test_gradients_of_half_precision_are_float32():
    half = keras.DTypePolicy("mixed_float16")
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, name="maps", dtype=half),
            layers.GlobalAveragePooling2D(dtype=half),
            layers.Dense(3, dtype=half),
            layers.Activation("softmax", dtype="float32"),
        ]
    )
    for options in ({}, {"layer": "maps"}, {"method": "grad_cam"}):
        found = attributions(model, PICTURES, 1, steps=3, **options)
        assert (found.values.dtype, found.score.dtype, found.pre_activation) == (np.float32, np.float32, "softmax")
    assert all(each.dtype == np.float32 for each in gradients(model, PICTURES).values())


def test_the_second_call_of_a_shared_layer_has_attributions_of_its_own():
    shared, inputs = layers.Dense(4, activation="tanh", name="shared"), keras.Input((4,))
    model = keras.Model(inputs, layers.Dense(2, name="last")(shared(shared(inputs))))
    values = np.random.default_rng(0).random((2, 4), np.float32)
    found = attributions(model, values, 1, method="gradient_x_input", layer="shared@1")
    expected = shared(shared(values)).numpy() * model.get_layer("last").kernel.numpy()[:, 1]
    assert_allclose(found.values, expected, atol=1e-6)


@pytest.mark.parametrize(("shape", "maps"), [((12, 2), (10,)), ((5, 6, 7, 1), (3, 4, 5))])
def test_class_maps_of_sequences_and_volumes_have_their_positions(shape, maps):
    rank = len(shape) - 1
    model = keras.Sequential(
        [keras.Input(shape), getattr(layers, f"Conv{rank}D")(3, 3, name="maps"), layers.Flatten(), layers.Dense(2)]
    )
    found = attributions(model, np.random.default_rng(0).random((2, *shape)), method="grad_cam")
    assert (found.values.shape, found.layer) == ((2, *maps), "maps")


def test_a_model_that_needs_values_runs_as_python():
    class Branching(keras.Model):
        def __init__(self):
            super().__init__()
            self.one, self.other = layers.Dense(3), layers.Dense(3)

        def call(self, x):
            return self.one(x) if float(ops.sum(x)) > 0 else self.other(x)

    model = Branching()
    found = attributions(model, np.ones((2, 4), np.float32), 1, method="saliency")
    assert_allclose(found.values, np.broadcast_to(model.one.kernel.numpy()[:, 1], (2, 4)), atol=1e-6)


def test_several_arguments_are_attributed_each():
    class Sum(keras.Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = layers.Dense(3), layers.Dense(3)

        def call(self, left, right):
            return self.first(left) + self.second(right)

    found = attributions(Sum(), (np.ones((2, 4)), np.ones((2, 5))), 0)
    assert [each.shape for each in found.values] == [(2, 4), (2, 5)]


def test_a_stateful_model_with_dropout_and_seeds_is_left_as_it_was():
    model = keras.Sequential(
        [keras.Input(batch_shape=(2, 6, 8)), layers.LSTM(4, stateful=True), layers.Dropout(0.5), layers.Dense(2)]
    )
    lstm, before = model.layers[0], len(model.layers[0]._inbound_nodes)
    model(SEQUENCE)
    states = [state.numpy() for state in lstm.states]
    seeds = [variable.numpy() for variable in model.non_trainable_variables]
    weights = model.get_weights()
    first = attributions(model, SEQUENCE, 0, steps=5)
    assert_allclose(attributions(model, SEQUENCE, 0, steps=5).values, first.values, atol=1e-6)
    gradients(model, SEQUENCE, None, 0, of="weights")
    assert_array_equal([state.numpy() for state in lstm.states], states)
    for now, then in zip(model.get_weights(), weights, strict=True):
        assert_array_equal(now, then)
    assert all(np.array_equal(a.numpy(), b) for a, b in zip(model.non_trainable_variables, seeds, strict=True))
    assert len(lstm._inbound_nodes) == before
    assert str(layer_tree(model)) == str(layer_tree(model))


def test_gradients_of_activations_and_weights_are_those_of_a_tape():
    model = digits("functional", "softmax")
    found = gradients(model, INPUTS, target=3, logits=False)
    assert list(found) == ["image", "conv1", "pool1", "conv2", "pool2", "flat", "hidden", "logits"]
    head = model.layers[-2:]
    flat = keras.Model(model.inputs, model.get_layer("flat").output)([INPUTS])
    with tf.GradientTape() as tape:
        tape.watch(flat)
        score = tf.reduce_sum(head[1](head[0](flat))[:, 3])
    assert_allclose(found["flat"], tape.gradient(score, flat), atol=1e-7)
    with tf.GradientTape() as tape:
        score = tf.reduce_sum(model(INPUTS)[:, 3])
    expected = tape.gradient(score, [weight.value for weight in model.trainable_weights])
    weights = gradients(model, INPUTS, target=3, logits=False, of="weights")
    assert list(weights) == ["conv1", "conv2", "hidden", "logits"]
    for one, other in zip([each for layer in weights.values() for each in layer], expected, strict=True):
        assert_allclose(one, other, atol=1e-6)


def test_figures_and_frames_show_the_values():
    found = attributions(two_inputs(), BOTH, steps=3)
    frame = found.to_frame()
    assert type(frame).__name__ == "DataFrame"
    words = frame[(frame["input"] == "ids") & (frame["sample"] == 1)]
    assert_allclose(words["value"], found.values["ids"][1])
    assert {"heatmap", "bar"} <= {trace.type for trace in found.figure(2).data}  # words, and features
    picture = attributions(segmenter(), PICTURES, lambda maps: maps[:, 0, 0, 1], method="saliency").figure()
    assert [trace.type for trace in picture.data][:2] == ["image", "heatmap"]


def test_what_a_final_softmax_gives_has_no_gradient_of_the_logit_and_the_error_says_so():
    model = digits("functional", "softmax")
    assert "logits" not in gradients(model, INPUTS, target=3)
    plain = gradients(digits("functional"), INPUTS, target=3)
    assert_allclose(gradients(model, INPUTS, target=3)["hidden"], plain["hidden"], atol=1e-7)
    with pytest.raises(NotCapturableError, match="before the final softmax; logits=False"):
        gradients(model, INPUTS, "logits", 3)


def test_features_have_the_names_of_a_tables_columns():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, activation="softmax")])
    table = import_module("pandas").DataFrame(
        np.random.default_rng(0).random((4, 3)), columns=["age", "height", "weight"]
    )
    found = attributions(model, table)
    assert_array_equal(found.values, attributions(model, table.to_numpy()).values)
    frame = found.to_frame()
    for column, name in enumerate(table):
        assert_array_equal(frame.loc[frame["feature"] == name, "value"], found.values[:, column])
    largest_first = table.columns[np.argsort(-np.abs(found.values[2]))]
    assert list(found.figure(2).layout.yaxis.ticktext) == list(largest_first)
    explorer = aw.LayerExplorer(model, table, show="why", sample=2)
    explorer.run()
    assert list(explorer.figure.layout.yaxis.ticktext) == list(largest_first)
    explorer.close()
