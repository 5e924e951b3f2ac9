"""The tap sees its own model in its own thread, and nothing else."""

from __future__ import annotations

import threading

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import actwidget as aw
from actwidget.capture.run.tap import Tap
from actwidget.errors import CaptureError, NotCapturableError
from tests.capture import zoo
from tests.capture.deep_witness import as_array
from tests.rounding import assert_close


class Stack(keras.Model):
    """Three layers, one of them called twice, one never."""

    def __init__(self, name="stack"):
        super().__init__(name=name)
        self.blocks = [layers.Dense(4, name=f"block_{index}") for index in range(2)]
        self.spare = layers.Dense(7, name="spare")

    def call(self, inputs):
        return self.blocks[1](self.blocks[1](self.blocks[0](inputs)))


def test_calls_are_restored_afterwards_even_when_the_model_raises():
    before = keras.Layer.__call__, keras.Operation.__call__

    class Failing(keras.Model):
        def call(self, _inputs):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        Tap(Failing(), wanted=None).run(zoo.noise(1, 2))
    assert (keras.Layer.__call__, keras.Operation.__call__) == before


def test_a_tap_ends_the_pass_when_it_has_all_that_is_wanted():
    model, x = Stack(), keras.ops.convert_to_tensor(zoo.noise(2, 3))
    model(x)
    tap = Tap(model, wanted={"block_0"}, stop=True)
    assert tap.run(x) is None
    assert [call.name for call in tap.seen.calls] == ["block_0"]
    np.testing.assert_array_equal(tap.values["block_0"], model.blocks[0](x))


def test_two_threads_see_their_own_models():
    models = [Stack(name) for name in ("one", "two")]
    x = [keras.ops.convert_to_tensor(zoo.noise(3, 3, seed=seed)) for seed in range(2)]
    for model, value in zip(models, x, strict=True):
        model(value)
    barrier, found = threading.Barrier(2, timeout=60), {}

    class Meeting(keras.layers.Layer):
        def call(self, inputs):
            barrier.wait()
            return inputs

    for model in models:
        model.blocks[1] = keras.Sequential([model.blocks[1], Meeting()], name="block_1")

    def run(index):
        tap = Tap(models[index], wanted=None)
        tap.run(x[index])
        found[index] = {path: np.array(value) for path, value in tap.values.items()}

    threads = [threading.Thread(target=run, args=(index,)) for index in range(2)]
    [thread.start() for thread in threads]
    [thread.join(60) for thread in threads]
    for index, model in enumerate(models):
        np.testing.assert_array_equal(found[index]["block_0"], model.blocks[0](x[index]))
        assert sum(path.startswith("block_0") for path in found[index]) == 1


def test_a_plain_call_in_another_thread_is_not_seen():
    model, other = Stack(), Stack("other")
    x = keras.ops.convert_to_tensor(zoo.noise(3, 3))
    model(x)
    other(x)

    class Aside(keras.layers.Layer):
        def call(self, inputs):
            thread = threading.Thread(target=model, args=(x,))
            thread.start()
            thread.join(60)
            return inputs

    watched = keras.Sequential([keras.Input((3,)), Aside(name="aside"), layers.Dense(2, name="last")])
    tap = Tap(watched, wanted=None, structure=True)
    tap.run(x)
    assert [call.name for call in tap.seen.calls][-2:] == ["aside", "last"]
    assert tap.seen.calls[-2].calls == []


def test_a_layer_never_called_is_in_the_tree_with_the_reason():
    tree = aw.layer_tree(Stack(), zoo.noise(2, 3))
    assert [node.path for node in tree] == ["block_0", "block_1", "block_1@1", "spare"]
    assert (tree["spare"].origin, tree["spare"].reason) == ("opaque", "was not called in this forward pass")
    model = Stack()
    model(zoo.noise(2, 3))
    with pytest.raises(NotCapturableError, match="'spare' of model 'stack' can't be captured: it was not called"):
        aw.activations(model, zoo.noise(2, 3), "spare")
    with pytest.raises(NotCapturableError, match="spare"):
        aw.submodel(model, ["block_0", "spare"])


def test_a_functional_model_that_breaks_stays_browsable_before():
    class Bad(keras.layers.Layer):
        def call(self, inputs):
            if keras.ops.is_tensor(inputs) and hasattr(inputs, "numpy"):
                try:
                    as_array(inputs)
                except NotImplementedError:
                    return inputs
                message = "out of order"
                raise RuntimeError(message)
            return inputs

    x = keras.Input((3,))
    model = keras.Model(x, layers.Dense(2, name="after")(Bad(name="bad")(layers.Dense(4, name="before")(x))))
    assert aw.activations(model, zoo.noise(2, 3), "before")["before"].shape == (2, 4)
    with pytest.raises(CaptureError, match="out of order"):
        aw.activations(model, zoo.noise(2, 3), "after")


def test_control_flow_that_depends_on_the_data_is_followed():
    class Fork(keras.Model):
        def __init__(self):
            super().__init__(name="fork")
            self.low, self.high = layers.Dense(2, name="low"), layers.Dense(3, name="high")

        def call(self, inputs):
            if keras.ops.mean(inputs) > 0:
                return self.high(inputs)
            return self.low(inputs)

    model = Fork()
    up, down = np.ones((2, 4), "float32"), -np.ones((2, 4), "float32")
    model(up), model(down)
    assert [node.path for node in aw.layer_tree(model, up) if node.origin == "tapped"] == ["high"]
    assert [node.path for node in aw.layer_tree(model, down) if node.origin == "tapped"] == ["low"]
    assert_close(aw.activations(model, down)["low"], model.low(down))
    with pytest.raises(NotCapturableError, match=r"did not call \['high'\] on these samples|'high'"):
        aw.activations(model, down, "high")


def test_the_tap_of_a_tapped_model_works_too():
    model, x = Stack(), zoo.noise(2, 3)
    model(x)
    edited = aw.edit(model, {"block_0": aw.Ablate([0])})
    outer = keras.Sequential([keras.Input((3,)), edited, layers.Dense(2, name="head")])
    values = aw.activations(outer, x)
    assert_close(values["head"], outer(x))
    inner = next(path for path in values if path.endswith("block_1"))
    expected = model.blocks[1](aw.activations(edited, x, "block_0")["block_0"])
    assert_close(values[inner], expected)


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("options", [{}, {"jit_compile": True}, {"autograph": False}], ids=str)
def test_layers_in_a_call_that_tensorflow_has_compiled_are_seen(nested, options):
    class Compiled(keras.Model):
        def __init__(self):
            super().__init__(name="compiled")
            self.inside, self.after = layers.Dense(3, name="inside"), layers.Dense(2, name="after")
            self.inside.build((None, 3))
            self.after.build((None, 3))

        @tf.function(**options)
        def call(self, inputs):
            return self.after(self.inside(inputs))

    inner = model = Compiled()
    prefix, x = "", zoo.noise(2, 3)
    if nested:
        model, prefix = keras.Sequential([keras.Input((3,)), inner]), "compiled/"
    model(x)
    traces = inner.call.experimental_get_tracing_count()
    expected = {"inside": inner.inside(x), "after": model(x)}
    every = aw.activations(model, x)
    for name, value in expected.items():
        assert aw.layer_tree(model, x)[prefix + name].origin == "tapped"
        one, sub = aw.activations(model, x, prefix + name), aw.submodel(model, prefix + name)
        for found in (every[prefix + name], one[prefix + name], sub(x), sub.predict(x, verbose=0)):
            assert_close(found, value)
    # Nothing was built into the user's function: it is the one that was there.
    assert inner.call.experimental_get_tracing_count() == traces


@pytest.mark.parametrize("high", [False, True])
def test_a_branch_in_a_compiled_call_is_the_one_that_the_values_take(high):
    class Branching(keras.Model):
        def __init__(self):
            super().__init__(name="branching")
            self.up, self.down = layers.Dense(3, name="up"), layers.Dense(3, name="down")
            self.up.build((None, 3))
            self.down.build((None, 3))

        @tf.function
        def call(self, inputs):
            return self.up(inputs) if tf.reduce_mean(inputs) > 0 else self.down(inputs)

    model, x = Branching(), np.full((2, 3), 1.0 if high else -1.0, "float32")
    taken, other = ("up", "down") if high else ("down", "up")
    found = aw.activations(model, x)
    assert list(found) == [taken]
    assert_close(found[taken], model(x))
    assert aw.layer_tree(model, x)[other].reason == "was not called in this forward pass"
