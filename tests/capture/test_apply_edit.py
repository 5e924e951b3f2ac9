"""What an edit gives goes on in the shape, the dtype and with the mask of what came, or is refused."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

import actwidget as aw
from actwidget.capture.run.apply_edit import apply_edit
from actwidget.errors import OptionError
from actwidget.keras_internals.tensors import mask_of, set_mask
from tests.capture import zoo
from tests.capture.deep_witness import as_array
from tests.rounding import assert_close

FLOATS = ["float16", "bfloat16", "float32", "float64"]


NOT_KEPT = {
    "another shape": (lambda v: v[:, :2], r"\(5, 2\)"),
    "another rank": (lambda v: v[..., None], r"\(5, 3, 1\)"),
    "nothing": (lambda v: None, "None"),  # noqa: ARG005 - as a function without return
    "several": (lambda v: [v, v], r"\[<tf.Tensor"),
}


@pytest.mark.parametrize(("change", "got"), NOT_KEPT.values(), ids=NOT_KEPT)
@pytest.mark.parametrize("path", ["inner/first", "inner/x"])
def test_what_does_not_keep_the_shape_is_refused_when_it_runs(path, change, got):
    given = keras.Input((3,), name="x")
    inner = keras.Model(given, layers.Dense(3, name="first")(given), name="inner")
    model, x = keras.Sequential([keras.Input((3,)), inner, layers.Dense(2)], name="outer"), zoo.noise(5, 3)
    edited = aw.edit(model, {path: change})
    with pytest.raises(OptionError, match=rf"put behind '{path}' to give a tensor of the shape .*\(5, 3\), got {got}"):
        edited(x)
    with pytest.raises(OptionError, match=f"put behind '{path}'"):
        edited.predict(x, verbose=0)
    with pytest.raises(OptionError, match=f"put behind '{path}'"):
        aw.activations(edited, x)


class Parted(keras.Model):
    """Of which only a run can tell that `rows` gives a ragged tensor, and `apart` a sparse one."""

    def __init__(self):
        super().__init__(name="parted")
        self.rows = layers.Lambda(lambda v: tf.RaggedTensor.from_tensor(v, lengths=[1] * 2), name="rows")
        self.apart = layers.Lambda(tf.sparse.from_dense, name="apart")
        self.built = True

    def call(self, inputs):
        return self.rows(inputs).to_tensor() + 0 * tf.sparse.to_dense(self.apart(inputs))[:, :1]


@pytest.mark.parametrize("path", ["rows", "apart"])
def test_an_edit_that_a_ragged_or_sparse_tensor_does_not_take_is_refused_when_it_runs(path):
    model, x = Parted(), zoo.noise(2, 3)
    kind = {"rows": "ragged", "apart": "sparse"}[path]
    for change, words in (
        (aw.Ablate(0), f"got a {kind} one"),
        (lambda v: as_array(v)[0] @ np.ones(7), f"behind '{path}' to take the {kind.title()}Tensor that comes there"),
    ):
        edited = aw.edit(model, {path: change})
        for run in (edited, lambda v, of=edited: aw.activations(of, v)):
            with pytest.raises(OptionError, match=words):
                run(x)


def test_a_callable_can_change_a_ragged_tensor():
    model, x = Parted(), zoo.noise(2, 3)
    edited = aw.edit(model, {"rows": lambda v: v * 2})
    assert_close(edited(x), 2 * x[:, :1])
    assert_close(aw.activations(edited, x)["rows"], 2 * x[:, :1])


@pytest.mark.parametrize("came", FLOATS)
@pytest.mark.parametrize("gave", FLOATS)
def test_floats_go_on_in_the_dtype_that_came(came, gave):
    tensor = keras.ops.cast(zoo.noise(2, 3), came)
    result = apply_edit(lambda values: keras.ops.cast(values, gave) * 2, tensor, "dense")
    assert result.dtype == came
    rounding = 0.02 if "bfloat16" in (came, gave) else 2e-3 if "float16" in (came, gave) else 1e-6
    np.testing.assert_allclose(keras.ops.cast(result, "float64"), 2 * zoo.noise(2, 3), rtol=rounding)


@settings(max_examples=30)
@given(st.lists(st.integers(1, 3), min_size=1, max_size=4), st.lists(st.integers(1, 3), min_size=1, max_size=4))
def test_only_the_shape_that_came_is_taken(came, gave):
    tensor = keras.ops.zeros(came)
    if came == gave:
        np.testing.assert_array_equal(apply_edit(lambda _: np.ones(gave, "float32"), tensor, "dense"), np.ones(gave))
        return
    with pytest.raises(OptionError, match="Only values can be changed there"):
        apply_edit(lambda _: np.ones(gave, "float32"), tensor, "dense")


def test_the_mask_that_came_goes_on_unless_the_edit_sets_one():
    tensor, came, own = keras.ops.ones((2, 3, 1)), keras.ops.ones((2, 3), "bool"), keras.ops.zeros((2, 3), "bool")
    set_mask(tensor, came)

    def masked(values):
        result = values * 2
        set_mask(result, own)
        return result

    assert mask_of(apply_edit(lambda values: values * 2, tensor, "dense")) is came
    assert mask_of(apply_edit(masked, tensor, "dense")) is own
    # A cast to the dtype that came makes another tensor: the mask goes along.
    assert mask_of(apply_edit(lambda values: keras.ops.cast(values, "float64"), tensor, "dense")) is came


def test_an_error_in_an_edit_of_a_dense_tensor_comes_as_it_was_raised():
    def fails(_values):
        message = "as the person wrote it"
        raise LookupError(message)

    with pytest.raises(LookupError, match="as the person wrote it"):
        apply_edit(fails, keras.ops.ones((2, 3)), "dense")
