"""What a person gives is brought to what a model takes, by the model's preprocessor where it has one."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

import actwidget as aw
from actwidget.capture.run.fitted_inputs import fitted, holds_text, preprocessed
from actwidget.errors import InvalidInputsError
from tests.capture import zoo
from tests.capture.deep_witness import as_array
from tests.capture.test_every_way import in_every_way
from tests.rounding import assert_close


# A model that takes the ids of tokens, with a preprocessor that makes them of texts, as a task of KerasHub.
class Preprocessor(keras.layers.Layer):
    """As KerasHub's: on x gives x, on x and y a tuple of these."""

    def __init__(self, *, pair=False):
        super().__init__()
        self._convert_input_args, self._allow_non_tensor_positional_args = False, True
        self.pair = pair
        self.vectorize = layers.TextVectorization(vocabulary=["cat", "dog"], output_sequence_length=3)

    def call(self, x, y=None, sample_weight=None):
        ids = self.vectorize(x)
        x = {"token_ids": ids, "padding_mask": ids > 0}
        return (x, y, sample_weight) if self.pair else keras.utils.pack_x_y_sample_weight(x, y, sample_weight)


def task(*, pair=False):
    inputs = {
        name: keras.Input((3,), dtype=of, name=name) for name, of in [("token_ids", "int32"), ("padding_mask", "bool")]
    }
    y = (
        layers.Embedding(4, 2, name="embedding")(inputs["token_ids"])
        * ops.cast(inputs["padding_mask"], "float32")[..., None]
    )
    model = keras.Model(inputs, layers.Flatten(name="flat")(y), name="task")
    model.preprocessor = Preprocessor(pair=pair)
    return model


def task_without_graph(*, pair=False):
    inner = task(pair=pair)

    class Task(keras.Model):
        def __init__(self):
            super().__init__(name="task")
            self.embedding, self.preprocessor = inner.get_layer("embedding"), inner.preprocessor

        def call(self, inputs):
            return self.embedding(inputs["token_ids"]) * ops.cast(inputs["padding_mask"], "float32")[..., None]

    return Task()


@pytest.mark.parametrize("pair", [False, True])
@pytest.mark.parametrize("build", [task, task_without_graph])
@pytest.mark.parametrize("texts", [["cat dog", "bird"], np.array(["cat dog", "bird"])], ids=["list", "array"])
def test_texts_go_through_the_preprocessor(build, pair, texts):
    model = build(pair=pair)
    value = aw.activations(model, texts, "embedding")["embedding"]
    table = as_array(model.get_layer("embedding").embeddings)
    assert_close(value, table[[[2, 3, 0], [1, 0, 0]]])
    explorer = aw.LayerExplorer(model, texts, layer="embedding")
    assert_close(explorer.activation, value)
    assert in_every_way(explorer)[0] >= 1


def test_ids_are_taken_as_they_are_and_what_no_preprocessor_takes_is_refused():
    model = task()
    ids = {"token_ids": np.array([[3, 1, 0]]), "padding_mask": np.array([[True, True, False]])}
    np.testing.assert_array_equal(aw.activations(model, ids, "token_ids")["token_ids"], ids["token_ids"])
    with pytest.raises(InvalidInputsError, match="takes a dict of inputs with the keys"):
        aw.activations(model, [object()])


def test_what_the_preprocessor_made_is_noted_and_what_fits_does_not_go_through_it():
    model = task()
    taken = fitted(model, ["cat dog"])
    np.testing.assert_array_equal(taken.value["token_ids"], [[2, 3, 0]])
    np.testing.assert_array_equal(taken.value["padding_mask"], [[True, True, False]])
    assert taken.note == "Taken through model.preprocessor."
    model.preprocessor = None  # is not needed
    assert fitted(model, taken.value).note == ""


def test_a_preprocessor_that_raises_or_is_missing_gives_nothing():
    def refuses(_inputs):
        message = "only whole books"
        raise RuntimeError(message)

    model = task()
    assert preprocessed(model, ["cat"])["token_ids"].shape == (1, 3)
    for none in (refuses, None, "a name"):
        model.preprocessor = none
        assert preprocessed(model, ["cat"]) is None
        with pytest.raises(InvalidInputsError, match="takes a dict of inputs with the keys"):
            fitted(model, ["cat"])


TEXTS = {
    "one text": ("cat", True),
    "texts": (["cat", "dog"], True),
    "bytes": (np.array([b"cat"]), True),
    "objects that are texts": (np.array([["cat"], ["dog"]], object), True),
    "a text among numbers": ({"ids": zoo.noise(2, 2), "text": ["cat"]}, True),
    "numbers": ([1, 2], False),
    "objects of several kinds": (np.array(["cat", 1], object), False),
    "no objects": (np.array([], object), False),
    "nothing": ([], False),
}


@pytest.mark.parametrize(("inputs", "expected"), TEXTS.values(), ids=TEXTS)
def test_texts_are_told_from_all_else(inputs, expected):
    assert holds_text(inputs) is expected


def nodes_and_edges(combine):
    nodes, edges = keras.Input((3,), name="nodes"), keras.Input((3,), name="edges")
    return keras.Model({"nodes": nodes, "edges": edges}, combine(nodes, edges), name="graph")


def test_inputs_of_different_lengths_are_taken_where_the_model_runs_on_them():
    given = {"nodes": zoo.noise(4, 3), "edges": zoo.noise(7, 3)}
    model = nodes_and_edges(lambda nodes, edges: ops.sum(nodes, axis=0) + ops.sum(edges, axis=0))
    batch = fitted(model, given)
    assert (batch.size, batch.lengths) == (1, {"edges": 7, "nodes": 4})
    np.testing.assert_array_equal(batch.value["edges"], given["edges"])
    apart = nodes_and_edges(lambda nodes, edges: layers.Concatenate()([nodes, edges]))
    with pytest.raises(InvalidInputsError, match="'graph' must hold the same number of samples: 'edges' has 7, 'node"):
        fitted(apart, given)


def test_ids_are_not_checked_where_an_edit_may_change_them():
    ids = keras.Input((2,), dtype="int32", name="ids")
    model, far = keras.Model(ids, layers.Embedding(9, 2)(ids)), np.array([[1, 99]])
    np.testing.assert_array_equal(fitted(model, far, edited=True).value, far)
    with pytest.raises(InvalidInputsError, match="token 99 in input 'ids'"):
        fitted(model, far)
