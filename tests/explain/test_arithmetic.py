"""What `arithmetic` gives, in which form, and what it refuses."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

import actwidget as aw
from actwidget import errors
from actwidget.capture.trace import read
from actwidget.explain.computation import Computations
from tests.explain.arithmetic_witness import alone, noise, shaken


def picture_model() -> keras.Model:
    x = keras.Input((6, 6, 2), name="x")
    y = layers.Conv2D(3, 3, padding="same", activation="relu", name="conv")(x)
    y = layers.MaxPooling2D(name="pool")(y)
    return shaken(keras.Model(x, layers.Dense(2, name="out")(layers.Flatten(name="flat")(y)), name="net"))


def test_padded_places_are_no_terms() -> None:
    model, inputs = picture_model(), noise(1, 6, 6, 2)
    corner = aw.arithmetic(model, inputs, "conv", (0, 0, 0, 1))
    middle = aw.arithmetic(model, inputs, "conv", (0, 2, 2, 1))
    assert (len(corner.terms), len(middle.terms)) == (2 * 2 * 2, 3 * 3 * 2)
    kernel, bias = model.get_layer("conv").get_weights()
    patch = inputs[0, 1:4, 1:4]
    total = float((patch * kernel[..., 1]).sum() + bias[1])
    assert middle.bias == pytest.approx(float(bias[1]))
    assert middle.total == pytest.approx(total, rel=1e-5)
    assert [(step.name, step.value) for step in middle.steps] == [("relu", pytest.approx(max(total, 0), rel=1e-5))]


def test_the_terms_of_a_pooling_are_its_window_of_which_the_winner_has_weight_1() -> None:
    model, inputs = picture_model(), noise(1, 6, 6, 2)
    found = aw.arithmetic(model, inputs, "pool", (0, 1, 2, 0))
    assert [term.index for term in found.terms] == [(0, 2, 4, 0), (0, 2, 5, 0), (0, 3, 4, 0), (0, 3, 5, 0)]
    values = [term.input for term in found.terms]
    assert [term.weight for term in found.terms] == [float(at == values.index(max(values))) for at in range(4)]


def test_a_normalisation_is_one_term_with_its_statistics_among_the_steps() -> None:
    model, inputs = alone(layers.BatchNormalization(name="norm"), (4,)), noise(2, 4)
    gamma, beta, mean, variance = (float(each[2]) for each in model.get_layer("norm").get_weights())
    (term,) = (found := aw.arithmetic(model, inputs, "norm", (1, 2))).terms
    scale = gamma / np.sqrt(variance + 1e-3)
    assert (term.weight, found.bias) == (pytest.approx(scale), pytest.approx(beta - mean * scale))
    assert [step.name for step in found.steps] == ["mean", "variance", "normalized"]
    assert [step.value for step in found.steps][:2] == [pytest.approx(mean), pytest.approx(variance)]


def test_the_gates_of_a_step_are_terms_with_the_states_that_they_let_through() -> None:
    x = keras.Input((4, 2), name="x")
    model = shaken(keras.Model(x, layers.LSTM(3, name="lstm", return_sequences=True)(x)))
    inputs = noise(2, 4, 2)
    found = aw.arithmetic(model, inputs, "lstm/lstm_cell/cell_state", (1, 2, 0))
    before, candidate = found.terms
    assert (before.path, before.index) == ("lstm/lstm_cell/cell_state", (1, 1, 0))
    assert [(source.path, source.index) for source in before.weight_from] == [("lstm/lstm_cell/forget_gate", (1, 2, 0))]
    assert (candidate.path, candidate.weight_from[0].path) == ("lstm/lstm_cell/candidate", "lstm/lstm_cell/input_gate")
    gate = aw.arithmetic(model, inputs, "lstm/lstm_cell/forget_gate", (1, 0, 0))
    assert [term.path for term in gate.terms] == ["x", "x"]  # the state before the first step is zeros
    assert gate.steps[-1].name == "sigmoid"


def test_attention_gives_the_values_in_the_shares_of_the_scores() -> None:
    model, inputs = alone(layers.Attention(name="look"), (3, 4), (5, 4)), [noise(2, 3, 4), noise(2, 5, 4, seed=2)]
    found = aw.arithmetic(model, inputs, "look", (1, 2, 3))
    assert sum(term.weight for term in found.terms) == pytest.approx(1, abs=1e-6)
    assert [term.weight_from[0].index for term in found.terms] == [(1, 2, key) for key in range(5)]
    score = aw.arithmetic(model, inputs, "look/scores", (1, 2, 4))
    assert score.terms.products.sum() == pytest.approx(float(inputs[0][1, 2] @ inputs[1][1, 4]), rel=1e-5)
    assert score.steps[-1].name == "softmax"


def test_a_product_of_two_values_names_both() -> None:
    model, inputs = alone(layers.Multiply(name="gate"), (4,), (4,)), [noise(2, 4), noise(2, 4, seed=2)]
    (term,) = aw.arithmetic(model, inputs, "gate", (1, 2)).terms
    assert (term.path, term.index, term.weight_from[0].path, term.weight_from[0].index) == ("x0", (1, 2), "x1", (1, 2))


def test_the_text_writes_the_largest_terms_out_and_adds_the_rest_up() -> None:
    x = keras.Input((7,), name="x")
    model = keras.Model(x, layers.Dense(1, kernel_initializer="ones", activation="relu", name="sum")(x))
    found = aw.arithmetic(model, np.array([[1.0, -2, 3, 4, 5, 6, 0.5]]), "sum", (0, 0))
    assert found.text == "sum[0, 0] = 6 × 1 + 5 × 1 + 4 × 1 + 3 × 1 + -2 × 1 + 1.5 (2 more) + bias 0 = 17.5; relu: 17.5"
    assert repr(found) == f"Arithmetic({found.text})"
    assert repr(found.terms).startswith("Terms(7: Term(path='x', index=(0, 0), input=1.0, weight=1.0, product=1.0")
    assert found.terms[-1] == found.terms[6] == found.terms[5:][1]


def test_a_class_that_is_not_known_says_so_and_shows_what_it_was_given() -> None:
    class Own(keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return ops.cumsum(inputs, axis=-1)

        def compute_output_shape(self, shape: Any) -> Any:
            return shape

    model, inputs = alone(Own(name="own"), (4,)), noise(2, 4)
    found = aw.arithmetic(model, inputs, "own", (0, 1))
    assert (found.result, len(found.terms)) == (None, 0)
    assert found.value == pytest.approx(float(inputs[0, :2].sum()), rel=1e-6)
    assert found.reason == "How Own 'own' computes its values is not known here. Go on with its inputs."
    assert [(given.path, given.shape) for given in found.inputs] == [("x0", (2, 4))]
    assert found.reason in found.text


def test_a_layer_that_computes_otherwise_than_its_class_is_not_explained() -> None:
    model, inputs = alone(layers.Dense(4, name="dense"), (64,)), noise(2, 64)
    model.get_layer("dense").quantize("int8")
    found = aw.arithmetic(model, inputs, "dense", (0, 1))
    if found.result is None:
        assert "computes otherwise" in found.reason
    else:
        assert found.result == pytest.approx(found.value, rel=1e-3)


def test_indices_below_zero_count_from_the_end() -> None:
    model, inputs = picture_model(), noise(2, 6, 6, 2)
    found = aw.arithmetic(model, inputs, "conv", np.array((-1, -1, 0, 2)))
    assert found.index == (1, 5, 0, 2)


def test_the_input_itself_is_one_term_without_a_path() -> None:
    model, inputs = picture_model(), noise(1, 6, 6, 2)
    (term,) = aw.arithmetic(model, inputs, "x", (0, 3, 4, 1)).terms
    assert (term.path, term.index, term.input) == (None, (0, 3, 4, 1), float(inputs[0, 3, 4, 1]))
    assert term.reason == "the model's own input"


@pytest.mark.parametrize(
    ("layer", "index", "error", "words"),
    [
        ("conv", (0, 1, 2), errors.OptionError, "Expected an index of 4 whole numbers into 'conv' of model 'net'"),
        ("conv", (0, 1, 2, 3, 4), errors.OptionError, r"such as \(0, 3, 3, 1\); got \(0, 1, 2, 3, 4\)"),
        ("conv", (0, 6, 0, 0), errors.OptionError, "Expected a number on axis 1 from 0 to 5"),
        ("conv", (0, 0.5, 0, 0), errors.OptionError, "Expected a number on axis 1 from 0 to 5"),
        ("conv", "all", errors.OptionError, "Expected an index of 4 whole numbers"),
        ("conv", None, errors.OptionError, "Expected an index of 4 whole numbers"),
        ("conv", (1, 0, 0, 0), errors.SampleError, "Expected a sample from 0 to 0"),
        ("cnov", (0, 0, 0, 0), errors.LayerNotFoundError, "Closest: 'conv'"),
    ],
)
def test_a_wrong_layer_or_index_is_refused_with_what_was_expected(layer, index, error, words) -> None:
    with pytest.raises(error, match=words):
        aw.arithmetic(picture_model(), noise(1, 6, 6, 2), layer, index)


def test_inputs_are_needed() -> None:
    with pytest.raises(errors.InvalidInputsError):
        aw.arithmetic(picture_model(), None, "conv", (0, 0, 0, 0))
    with pytest.raises(errors.InvalidInputsError, match="needs inputs"):
        Computations(read(picture_model())[0], None)


def test_a_layer_that_can_t_be_captured_is_refused_with_the_reason() -> None:
    class Cell(keras.layers.Layer):
        state_size = 2

        def call(self, inputs: Any, states: Any) -> Any:
            return inputs, states

    x = keras.Input((3, 2))
    model = keras.Model(x, layers.RNN(Cell(name="cell"), name="loop")(x))
    with pytest.raises(errors.NotCapturableError, match="runs once a time step"):
        aw.arithmetic(model, noise(1, 3, 2), "loop/cell", (0, 0, 0))


def test_text_is_refused_as_it_is_no_number() -> None:
    if keras.backend.backend() != "tensorflow":
        return
    x = keras.Input((), dtype="string", name="words")
    y = layers.TextVectorization(vocabulary=["cat", "dog"], output_sequence_length=3, name="ids")(x)
    model = keras.Model(x, layers.Embedding(5, 2, name="vectors")(y))
    inputs = np.array(["cat dog"], dtype=object)
    with pytest.raises(errors.NotCapturableError, match="gives text"):
        aw.arithmetic(model, inputs, "words", (0,))
    found = aw.arithmetic(model, inputs, "ids", (0, 1))
    assert (found.result, found.value) == (None, 3.0)
    assert aw.arithmetic(model, inputs, "vectors", (0, 1, 0)).terms[0].input == 3.0


def test_the_model_is_left_as_it_was() -> None:
    model, inputs = picture_model(), noise(1, 6, 6, 2)
    before = [weight.numpy() for weight in model.weights]
    nodes = len(model.get_layer("conv")._inbound_nodes)
    aw.arithmetic(model, inputs, "out", (0, 1))
    aw.arithmetic(model, inputs, "flat", (0, 1))
    assert len(model.get_layer("conv")._inbound_nodes) == nodes
    for weight, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)


def test_one_pass_is_enough_for_a_walk_and_a_small_budget_keeps_only_what_is_asked_for() -> None:
    model, inputs = picture_model(), noise(1, 6, 6, 2)
    for kept, count in ((10**6, 5), (0, 1)):
        computations = Computations(*read(model, inputs), kept=kept)
        first = computations.arithmetic("out", (0, 1))
        assert len(computations._values) == count
        assert computations.arithmetic("conv", (0, 1, 1, 1)).result is not None
        assert first.text == aw.arithmetic(model, inputs, "out", (0, 1)).text
