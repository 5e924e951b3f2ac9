"""An id that an embedding has no row for is refused, and the error names the id and the input that holds it."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

import actwidget as aw
from actwidget.capture.run.inputs import prepare
from actwidget.capture.run.token_ids import refused_token
from actwidget.errors import CaptureError, InvalidInputsError
from tests.capture import zoo
from tests.capture.deep_witness import as_array


def reader(layer, **kwargs):
    x, other = keras.Input((4,), dtype="int32", name="tokens"), keras.Input((2,), name="other")
    y = layer(x)
    return keras.Model([x, other], layers.Concatenate()([layers.Flatten()(y), other]), name="reader", **kwargs)


def embedding():
    return layers.Embedding(50, 3, name="embed")


def nested_embedding():
    x = keras.Input((4,), dtype="int32")
    return keras.Sequential([keras.Model(x, embedding()(layers.Reshape((2, 2))(x)))])


class Looks(keras.Layer):
    def __init__(self):
        super().__init__(name="looks")
        self.embed = embedding()

    def build(self, _shape):
        self.embed.build()

    def call(self, ids):
        return self.embed(ids)


READERS = {"reached at once": embedding, "in nested models": nested_embedding, "in a layer": Looks}


@pytest.mark.parametrize("make", READERS.values(), ids=READERS)
@pytest.mark.parametrize("token", [999, 50, -51])
def test_a_token_that_has_no_row_is_named_with_its_input(make, token):
    ids = np.full((3, 4), 7)
    ids[1, 2] = token
    given = [ids, zoo.noise(3, 2)]
    model = reader(make())
    for look in (aw.activations, lambda *each: aw.activations(*each, layers=-1)):
        with pytest.raises(InvalidInputsError, match=rf"token {token} in input 'tokens' is outside 0 to 49"):
            look(model, given)


def test_the_ids_that_keras_takes_are_taken():
    ids = np.array([[0, 49, -1, -50]])
    model = reader(embedding())
    value = aw.activations(model, [ids, zoo.noise(1, 2)], "embed")["embed"]
    np.testing.assert_array_equal(value, as_array(model.get_layer("embed").embeddings)[[[0, 49, 49, 0]]])


def test_what_is_cut_or_changed_before_the_embedding_is_not_refused_for_what_it_was():
    x = keras.Input((4,), dtype="int32", name="tokens")
    model = keras.Model(x, embedding()(x[:, :2]), name="reader")
    assert aw.activations(model, np.array([[1, 2, 999, 999]]), "embed")["embed"].shape == (1, 2, 3)
    edited = aw.edit(reader(embedding()), {"tokens": lambda ids: ids % 50})
    assert aw.activations(edited, [np.full((1, 4), 999), zoo.noise(1, 2)], "embed")["embed"].shape == (1, 4, 3)


def test_a_model_without_a_graph_names_the_token_too():
    class Reads(keras.Model):
        def __init__(self):
            super().__init__(name="reads")
            self.before, self.embed = layers.Dense(2, name="before"), embedding()

        def call(self, inputs):
            return self.before(inputs["x"]) + ops.sum(self.embed(inputs["ids"]), axis=(1, 2))[:, None]

    given = {"x": zoo.noise(2, 3), "ids": np.array([[1, 2], [3, 99]])}
    for look in (aw.layer_tree, aw.activations, aw.LayerExplorer):
        with pytest.raises(InvalidInputsError, match="token 99 in input 'ids' is outside 0 to 49"):
            look(Reads(), given)


def test_the_message_says_which_ids_there_are():
    with pytest.raises(InvalidInputsError) as caught:
        aw.activations(reader(embedding()), [np.full((1, 4), 60), zoo.noise(1, 2)])
    assert str(caught.value) == (
        "Model 'reader': token 60 in input 'tokens' is outside 0 to 49, the rows of 'embed'. Give the ids of the "
        "vocabulary that the model was made for."
    )


def test_without_names_of_inputs_the_place_in_the_batch_is_told():
    refused = CaptureError("... indices[0,1] = 12 is not in [0, 10) ...")
    batch = prepare({"left": np.array([[1, 2]]), "right": np.array([[3, 12]])}, None, "pair")
    assert "token 12 in input 'right' is outside 0 to 9" in str(refused_token(refused, batch, [], "pair"))
    assert "input 'b'" in str(refused_token(refused, batch, ["a", "b"], "pair"))


def test_an_id_below_zero_is_told_as_it_was_given():
    # Keras adds the number of rows to an id below zero, and TensorFlow tells the sum.
    batch = prepare(np.array([[1, -13]]), None, "ids")
    refused = CaptureError("indices[0,1] = -3 is not in [0, 10)")
    assert "token -13 in input 'inputs'" in str(refused_token(refused, batch, [], "ids"))


@pytest.mark.parametrize("message", ["The reactor is too hot.", "indices[0,1] = 77 is not in [0, 10)"])
def test_a_failure_that_no_id_of_the_batch_explains_stays_what_it_is(message):
    batch = prepare(np.array([[1, 12]]), None, "ids")
    assert refused_token(CaptureError(message), batch, [], "ids") is None
