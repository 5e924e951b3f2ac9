"""The recipe is code that runs and gives the activation: plain public Keras where that reaches the node."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

import actwidget as aw
from actwidget.capture.access.keras_code import keras_code
from actwidget.capture.trace import read, trace
from tests.capture import odd_models, zoo
from tests.capture.deep_witness import as_array
from tests.rounding import assert_close


def run(code, model, x):
    scope = {"model": model, "x": x}
    exec(code, scope)  # noqa: S102 - the recipe is meant to be run
    return np.asarray(scope["activation"])


def pair():
    x = keras.Input((3,), name="x")
    return keras.Model(x, layers.Dense(2, name="out")(layers.Dense(4, name="hidden")(x)), name="pair")


def test_a_layer_of_a_functional_model_is_three_lines_of_keras():
    code = keras_code(trace(pair()), "hidden")
    assert code == (
        "import keras\n\n"
        "tensor = model.get_layer('hidden').output\n"
        "extractor = keras.Model(model.input, tensor)\n"
        "activation = extractor(x, training=False)\n"
    )


def test_a_layer_of_a_nested_model_is_reached_through_what_that_is_given():
    x = keras.Input((5,), name="x")
    inner = pair()
    model, value = keras.Model(x, inner(layers.Dense(3, name="before")(x))), zoo.noise(4, 5)
    code = keras_code(trace(model), "pair/hidden")
    assert "actwidget" not in code
    assert "nested = model.get_layer('pair')\n" in code
    expected = inner.get_layer("hidden")(model.get_layer("before")(value))
    assert_close(run(code, model, value), expected)


PLAIN = [
    zoo.dense,
    zoo.siamese,
    zoo.operations,
    zoo.dict_inputs,
    zoo.list_inputs,
    zoo.nested,
    odd_models.doubly_nested,
    odd_models.nested_two_inputs_two_outputs,
]


@pytest.mark.parametrize("build", PLAIN, ids=lambda build: build.__name__)
def test_it_gives_what_activations_gives_whether_it_names_actwidget_or_not(build):
    model, x = build()
    graph, batch = read(model, x)
    for path, expected in aw.activations(model, x).items():
        found = run(keras_code(graph, path, batch), model, batch.fed)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5, err_msg=path)


def twice():
    x = keras.Input((3,), name="x")
    layer = layers.Dense(3, name="dense")
    return keras.Model(x, layers.Activation("tanh", name="last")(layer(layer(x))))


class Plain(keras.Model):
    def __init__(self):
        super().__init__(name="plain")
        self.hidden = layers.Dense(4, name="hidden")

    def call(self, inputs):
        return self.hidden(inputs)


TAPPED = {
    "a model without a graph": (Plain, "hidden", "No functional graph contains this node"),
    "an edited model": (lambda: aw.edit(pair(), {"hidden": aw.Ablate(0)}), "hidden", "The model has edits"),
}


@pytest.mark.parametrize(("make", "path", "why"), TAPPED.values(), ids=TAPPED)
def test_where_public_keras_does_not_reach_actwidget_does_and_a_comment_says_why(make, path, why):
    model, x = make(), zoo.noise(4, 3)
    graph, batch = read(model, x)
    code = keras_code(graph, path, batch)
    comment, _, rest = code.partition("import actwidget\n")
    assert comment.startswith(f"# {why}")
    assert all(line.startswith("# ") for line in comment.splitlines())
    assert f"actwidget.submodel(model, {path!r}" in rest
    assert_close(run(code, model, x), aw.activations(model, x, path)[path])


def test_a_second_call_of_a_layer_is_reached_by_what_takes_it_on():
    model, x = twice(), zoo.noise(4, 3)
    code = keras_code(trace(model), "dense@1")
    assert "tensor = model.get_layer('last').input\n" in code  # layer.output is that of the first call
    dense = model.get_layer("dense")
    assert_close(run(code, model, x), dense(dense(x)))


def test_a_model_of_several_arguments_is_given_them_as_it_takes_them():
    class Sum(keras.Model):
        def __init__(self):
            super().__init__(name="sum")
            self.a, self.b = layers.Dense(3, name="a"), layers.Dense(3, name="b")

        def call(self, first, second):
            return self.a(first) + self.b(second)

    model, first, second = Sum(), zoo.noise(2, 3), zoo.noise(2, 4)
    model(first, second)
    for x, passed in (((first, second), "(*x, "), ({"first": first, "second": second}, "(**x, ")):
        graph, batch = read(model, x)
        code = keras_code(graph, "b", batch)
        assert f"extractor{passed}training=False)" in code
        assert_close(run(code, model, x), model.b(second))


def test_of_what_can_not_be_had_it_is_the_reason_as_a_comment():
    class Idle(Plain):
        def __init__(self):
            super().__init__()
            self.idle = layers.Dense(2, name="idle")

    graph, batch = read(Idle(), zoo.noise(2, 3))
    assert keras_code(graph, "idle", batch) == (
        "# 'idle' of model 'plain' can't be captured: it was not called in this forward pass.\n"
    )


def test_of_an_optional_input_that_was_left_out_it_says_so():
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b", optional=True)

    class Sum(layers.Layer):
        def call(self, first, second=None):
            return first if second is None else first + second

    graph, batch = read(keras.Model([a, b], Sum(name="sum")(a, b), name="net"), [zoo.noise(2, 3), None])
    assert keras_code(graph, "b", batch) == "# The optional input 'b' of model 'net' was left out: no values.\n"
    assert keras_code(graph, "b").startswith("import keras\n")  # of another batch it can be had


def test_names_are_quoted():
    x = keras.Input((3,), name="x")
    model, value = keras.Model(x, layers.Dense(2, name='it\'s "1"')(x)), zoo.noise(2, 3)
    path = next(node.path for node in aw.layer_tree(model) if "it's" in node.path)
    expected = value @ as_array(model.layers[1].kernel) + as_array(model.layers[1].bias)
    assert_close(run(keras_code(trace(model), path), model, value), expected)


def test_an_operation_that_is_no_layer_is_found_by_its_name():
    x = keras.Input((3,), name="x")
    y = ops.tanh(x)
    model, value = keras.Model(x, layers.Dense(2, name="out")(ops.square(y))), zoo.noise(2, 3)
    name = y._keras_history.operation.name
    code = keras_code(trace(model), name)
    assert f"next(op for op in model.operations if op.name == {name!r}).output" in code
    assert_close(run(code, model, value), np.tanh(value))
