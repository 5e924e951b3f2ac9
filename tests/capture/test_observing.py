"""What a model without a functional graph calls is seen on a batch, or on symbols as far as it can be tried out."""

from __future__ import annotations

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

import actwidget as aw
from actwidget.capture.run.tap import Tap
from actwidget.capture.trace.observing import ModelObserver
from actwidget.errors import InvalidInputsError, LayerNotFoundError, ModelNotBuiltError
from tests.capture import zoo
from tests.capture.deep_witness import as_array
from tests.capture.test_tap import Stack
from tests.rounding import assert_close


def augmented_at_test_time():
    class Mirrored(keras.Model):
        def call(self, inputs, training=None):
            return super().call(inputs, training=training) + super().call(ops.flip(inputs, 2), training=training)

    x = keras.Input((8, 8, 3))
    return Mirrored(x, layers.Conv2D(2, 3, name="again")(x)), zoo.noise(2, 8, 8, 3)


def of_several_inputs():
    class Twice(keras.Model):
        def call(self, inputs, training=None):
            first = super().call(inputs, training=training)
            return super().call({**inputs, "ids": inputs["ids"] + 1}, training=training) - first

    given = {"ids": keras.Input((3,), dtype="int32", name="ids"), "x": keras.Input((4,), name="x")}
    embedded = layers.Embedding(9, 4, name="again")(given["ids"])
    model = Twice(given, layers.Add(name="add")([layers.Flatten()(embedded), layers.Dense(12, name="d")(given["x"])]))
    return model, {"ids": zoo.tokens(2, 3, below=8), "x": zoo.noise(2, 4)}


def on_ids(look_up):
    class Ids(keras.Model):
        def __init__(self):
            super().__init__(name="ids")
            self.again = layers.Dense(4, name="again")
            self.table = self.add_weight(shape=(10, 4), name="table")

        def call(self, ids):
            return self.again(self.again(look_up(self.table, ids)))

    return Ids(), zoo.tokens(2, 3)


MODELS = {
    "a functional model that overrides call": augmented_at_test_time,
    "one of several inputs": of_several_inputs,
    "ids that are gathered": lambda: on_ids(lambda table, ids: tf.gather(table.value, ids)),
    "ids of which bits are taken": lambda: on_ids(lambda table, ids: ops.take(table, ids & 1, axis=0)),
}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_a_second_call_is_had_edited_and_given_as_code(make):
    model, x = make()
    model(x)
    expected = aw.activations(model, x, "again@1")["again@1"]
    assert_close(aw.submodel(model, "again@1")(x), expected)
    changed = as_array(aw.edit(model, {"again@1": aw.Scale([0, 1], 2.0)})(x))
    assert np.abs(changed - as_array(model(x))).max() > 1e-3
    scope = {"model": model, "x": x}
    exec(aw.LayerExplorer(model, x, layer="again@1").code, scope)  # noqa: S102 - the recipe is meant to be run
    assert_close(scope["activation"], expected)


@pytest.mark.parametrize("refused", [aw.submodel, lambda model, path: aw.edit(model, {path: aw.Ablate(0)})])
def test_of_what_can_only_be_run_the_error_says_so(refused):
    class Often(keras.Model):
        def __init__(self):
            super().__init__(name="often")
            self.dense = layers.Dense(4, name="dense")

        def call(self, inputs):
            for _ in range(int(ops.max(inputs))):
                inputs = self.dense(inputs)
            return inputs

    model, x = Often(), np.full((2, 4), 2.0, "float32")
    assert list(aw.activations(model, x)) == ["dense", "dense@1"]
    with pytest.raises(LayerNotFoundError, match=r"'dense@1' not found .*layer_tree\(model, inputs\) shows"):
        refused(model, "dense@1")
    with pytest.raises(LayerNotFoundError, match=r"print\(actwidget.layer_tree\(model\)\) for all paths"):
        aw.activations(model, x, "dence")


def test_a_model_never_called_says_what_to_do():
    with pytest.raises(ModelNotBuiltError, match=r"has never been called.*Pass a batch as `inputs`"):
        aw.layer_tree(Stack())


def test_inputs_that_nothing_can_take_are_refused():
    model = Stack()
    model(zoo.noise(2, 3))
    with pytest.raises(InvalidInputsError, match="Model 'stack' can't take these inputs"):
        aw.layer_tree(model, zoo.noise(2, 5))


class Breaks(keras.Model):
    """Raises in its third layer."""

    def __init__(self):
        super().__init__(name="breaks")
        self.first, self.second = layers.Dense(4, name="first"), layers.Dense(3, name="second")
        self.bad, self.after = layers.Dense(2, name="bad"), layers.Dense(2, name="after")
        self.bad.build((None, 9))
        self.built = True

    def call(self, inputs):
        return self.after(self.bad(self.second(self.first(inputs))))


def test_what_is_before_a_layer_that_raises_stays_browsable():
    model, x = Breaks(), zoo.noise(2, 5)
    tree = aw.layer_tree(model, x)
    assert [node.path for node in tree] == ["first", "second", "bad", "after"]
    assert tree["bad"].origin == "opaque"
    assert tree["bad"].reason.startswith("raised ValueError")
    assert tree["after"].reason == "was not reached, since 'bad' raised"
    assert_close(aw.activations(model, x, "second")["second"], model.second(model.first(x)))
    explorer = aw.LayerExplorer(model, x)
    explorer.layer = "bad"
    assert "raised ValueError" in explorer.figure.layout.to_plotly_json().__str__()
    explorer.layer = "second"
    assert explorer.activation.shape == (2, 3)
    explorer.close()


def observer(model, **more):
    return ModelObserver(model, functools.partial(Tap, model, structure=True), **more)


def test_every_tensor_is_recorded_where_all_samples_go_through():
    model, x, record = Stack(), zoo.noise(4, 3), {}
    reading = observer(model, record=record).on(x)
    first, second = model.blocks[0](x), model.blocks[1](model.blocks[0](x))
    assert list(record) == ["block_0", "block_1", "block_1@1"]
    assert_close(record["block_0"], first)
    assert_close(record["block_1"], second)
    assert_close(record["block_1@1"], model.blocks[1](second))
    assert (reading.paths, reading.was_run, reading.builder.called) == (("block_1@1",), True, None)


@pytest.mark.parametrize("samples", [4, 5, 9])
def test_of_more_samples_than_go_through_at_a_time_some_are_run_and_nothing_is_recorded(samples):
    sizes = []

    class Sized(keras.Model):
        def __init__(self):
            super().__init__(name="sized")
            self.dense = layers.Dense(2, name="dense")

        def call(self, inputs):
            sizes.append(inputs.shape[0])
            return self.dense(inputs)

    model, record = Sized(), {}
    model(zoo.noise(1, 3))  # Keras may call it another time to build it
    sizes.clear()
    reading = observer(model, record=record, most=4).on(zoo.noise(samples, 3))
    assert reading.batch.size == samples
    assert [node.output_shape for node in reading.nodes] == [(None, 2)]
    if samples == 4:
        assert (sizes, list(record), reading.builder.called) == ([4], ["dense"], None)
    else:
        assert (sizes, record, reading.builder.called) == ([3], {}, {"dense"})


def test_a_model_that_takes_batches_of_its_own_size_alone_is_seen_on_all_samples():
    class Six(keras.Model):
        def __init__(self):
            super().__init__(name="six")
            self.dense = layers.Dense(2, name="dense")

        def call(self, inputs):
            return self.dense(ops.reshape(inputs, (2, 3 * inputs.shape[-1])))

    model, x = Six(), zoo.noise(6, 4)
    reading = observer(model, most=4).on(x)
    assert [node.path for node in reading.nodes] == ["dense"]
    assert reading.builder.called is None


def test_the_call_that_raised_is_noted():
    assert observer(Breaks()).on(zoo.noise(2, 5)).builder.failed == "bad"
    assert observer(Stack()).on(zoo.noise(2, 3)).builder.failed is None


def test_inputs_are_tried_in_each_way_that_they_can_be_meant():
    class Either(keras.Model):
        def __init__(self):
            super().__init__(name="either")
            self.dense = layers.Dense(2, name="dense")

        def call(self, a, b=None):
            return self.dense(a["a"] if b is None else a + b)

    a, b = zoo.noise(3, 4), zoo.noise(3, 4, seed=1)
    model, record = Either(), {}
    for inputs, spread, given in (
        ({"a": a, "b": b}, "names", a + b),
        ((a, b), "positions", a + b),
        ({"a": a}, "", a),
    ):
        reading = observer(model, record=record).on(inputs)
        assert reading.spread == spread
        assert_close(record["dense"], model.dense(given))
