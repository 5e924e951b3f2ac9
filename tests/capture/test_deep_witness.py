"""The witness itself, held to models worked out by hand."""

from __future__ import annotations

import sys
import warnings

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from keras import layers, ops

from tests.capture import odd_models
from tests.capture.deep_witness import as_array, deep_witness
from tests.capture.odd_models import batch
from tests.capture.random_graphs import random_models
from tests.rounding import are_close, assert_close


def affine(value, layer):
    kernel, bias = layer.get_weights()
    return value @ kernel + bias


def dense(name, width=2):
    return layers.Dense(width, name=name, bias_initializer="random_normal")


def assert_exactly(found, expected):
    assert list(found) == list(expected)
    for path, value in expected.items():
        assert found[path].shape == np.shape(value), path
        assert_close(found[path], value, err_msg=path)


def test_a_nested_model_called_twice_with_literal_names():
    a, b = dense("a"), dense("a@1")
    into = keras.Input((2,), name="into")
    inner = keras.Model(into, ops.relu(b(a(a(into)))), name="inner")
    x = keras.Input((2,), name="x")
    model = keras.Model(x, layers.Subtract(name="minus")([inner(inner(x)), x]))
    value = batch(3, 2)

    def within(path, given):
        first = affine(given, a)
        second = affine(first, a)
        third = affine(second, b)
        relu = next(each.name for each in inner.operations if "relu" in each.name)
        result = np.maximum(third, 0)
        # The layer that is called `a@1` keeps its name; the second call of `a` takes the next.
        parts = {"": result, "/into": given, "/a": first, "/a@2": second, "/a@1": third, f"/{relu}": result}
        return {path + part: each for part, each in parts.items()}

    once = within("inner", value)
    twice = within("inner@1", once["inner"])
    assert_exactly(deep_witness(model, value), {"x": value, **once, **twice, "minus": twice["inner@1"] - value})


def test_siblings_repeated_and_undeclared_calls_in_a_subclassed_model():
    loose = dense("loose")

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.one, self.two, self.three = dense("same"), dense("same"), dense("same~2")
            self.idle = dense("idle")

        def call(self, inputs):
            y = loose(self.two(self.one(self.two(inputs))))
            return self.three(y) + keras.ops.ones((1, 2))

    model, value = Model(), batch(3, 2)
    found = deep_witness(model, value)
    first = affine(value, model.two)
    second = affine(first, model.one)
    third = affine(second, model.two)
    fourth = affine(third, loose)
    # `same~2` is a name of its own, so that the second sibling is the third by number.
    expected = {"same~3": first, "same": second, "same~3@1": third, "loose": fourth}
    assert_exactly(found, {**expected, "same~2": affine(fourth, model.three)})


def test_several_outputs_and_what_runs_step_by_step():
    class Two(layers.Layer):
        def call(self, inputs):
            return {"b": inputs * 2, "a": inputs + 1, "none": None, "number": 4, "array": np.ones(3)}

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.steps = layers.TimeDistributed(dense("inner"), name="steps")
            self.two, self.last = Two(name="two"), layers.SimpleRNN(2, return_state=True, name="last")

        def call(self, inputs):
            return self.last(self.two(self.two(self.steps(inputs))["b"])["a"])

    model, value = Model(), batch(2, 1, 2)
    found = deep_witness(model, value)
    steps = affine(value, model.steps.layer)
    kernel, _, bias = model.last.get_weights()
    state = np.tanh((4 * steps[:, 0] * 0.5 + 1) @ kernel + bias)  # one step, from a state of zeros
    # In the order of keras.tree.flatten: a dict by its sorted keys.
    expected = {"steps": steps, "steps/inner": steps, "two": steps + 1, "two:1": steps * 2}
    expected |= {"two@1": 2 * steps + 1, "two@1:1": 4 * steps, "last": state}
    inside = {"last/simple_rnn_cell": state[:, None], "last/simple_rnn_cell/hidden_state": state[:, None]}
    assert_exactly(found, {**expected, **inside, "last:1": state})


def test_the_scores_of_each_head():
    x = keras.Input((4, 6), name="x")
    layer = layers.MultiHeadAttention(2, 3, name="many", bias_initializer="random_normal")
    model = keras.Model(x, layer(x, x))
    value = batch(2, 4, 6)
    found = deep_witness(model, value)
    q_kernel, q_bias, k_kernel, k_bias, v_kernel, v_bias, o_kernel, o_bias = layer.get_weights()
    query, keys, values = (
        np.einsum("bte,ehd->bthd", value, kernel) + bias
        for kernel, bias in ((q_kernel, q_bias), (k_kernel, k_bias), (v_kernel, v_bias))
    )
    scores = np.exp(np.einsum("bqhd,bkhd->bhqk", query, keys) / np.sqrt(3))
    scores /= scores.sum(-1, keepdims=True)
    mixed = np.einsum("bhqk,bkhd->bqhd", scores, values)
    for path, wanted in {
        "x": value,
        "many": np.einsum("bqhd,hde->bqe", mixed, o_kernel) + o_bias,
        "many/query": query,
        "many/key": keys,
        "many/value": values,
        "many/scores": scores,
    }.items():
        np.testing.assert_allclose(found[path], wanted, rtol=1e-4, atol=1e-5, err_msg=path)


def test_scores_under_dropout_are_those_that_were_used():
    model, (query, value) = odd_models.attention_plain_and_additive()
    found = deep_witness(model, [query, value], training=True)
    assert (found["plain/scores"] == 0).any()
    assert_close(found["plain/scores"] @ value, found["plain"])


@pytest.mark.parametrize(
    "build", [odd_models.stateful, odd_models.norm_and_dropout_nested], ids=lambda each: each.__name__
)
def test_the_model_is_left_as_it_was(build):
    model, inputs = build()
    calls = keras.Layer.__call__, keras.Operation.__call__
    first, second = (deep_witness(model, inputs, training=True) for _ in range(2))
    assert_exactly(first, second)
    assert (keras.Layer.__call__, keras.Operation.__call__) == calls


@pytest.mark.parametrize("build", odd_models.ODD.values(), ids=odd_models.ODD)
def test_what_an_odd_model_puts_out_was_seen_on_the_way(build):
    model, inputs = build()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras says of some of them what it thinks of them
        found = list(deep_witness(model, inputs).values())
        tensors = keras.tree.map_structure(lambda leaf: leaf if leaf is None else ops.convert_to_tensor(leaf), inputs)
        outputs = [as_array(leaf) for leaf in keras.tree.flatten(model(tensors, training=False))]
    if build is odd_models.functional_that_overrides_call:  # what it does to its graph's output is no layer
        outputs = [output / 3 for output in outputs]
    for output in outputs:
        assert any(same(output, value) for value in found)


def same(left, right):
    if (left.shape, left.dtype) != (right.shape, right.dtype):
        return False
    return np.array_equal(left, right) if left.dtype.kind not in "fV" else are_close(left, right)


def test_the_deep_chain_needs_a_higher_recursion_limit():
    with pytest.raises(RecursionError):
        odd_models.DEEP()
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    try:
        model, value = odd_models.DEEP()
        found = deep_witness(model, value)
    finally:
        sys.setrecursionlimit(before)
    assert len(found) == 1201
    np.testing.assert_array_equal(found["layer_1199"], value)


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(drawn=random_models())
def test_random_models_end_in_what_the_witness_saw(drawn):
    model, value = drawn
    found = deep_witness(model, value)
    result = np.asarray(model(value))
    last = [path for path in found if "/" not in path][-1]
    assert_close(found[last], result)
