"""What runs inside a TimeDistributed, held to the wrapped layer run on each step by itself."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

import actwidget as aw
from actwidget.capture.access.session import Session
from actwidget.capture.semantics.channel_axis import channel_axis_of
from actwidget.capture.trace import trace
from actwidget.errors import NotCapturableError, OptionError
from tests.capture import zoo


def functional():
    x = keras.Input((5, 5, 2), name="x")
    y = layers.Conv2D(3, 2, activation="relu", name="conv")(x)
    y = layers.BatchNormalization(moving_mean_initializer="random_normal", name="norm")(y)
    return keras.Model(x, layers.GlobalAveragePooling2D(name="pool")(y), name="inner")


def sequential():
    parts = [layers.Conv2D(3, 2, name="conv"), layers.Flatten(name="flat"), layers.Dense(2, name="dense")]
    return keras.Sequential([keras.Input((5, 5, 2), name="x"), *parts], name="inner")


def subclassed():
    class Inner(keras.Model):
        def __init__(self):
            super().__init__(name="inner")
            self.conv, self.pool = layers.Conv2D(3, 2, name="conv"), layers.GlobalMaxPooling2D(name="pool")

        def call(self, inputs):
            return self.pool(self.conv(inputs))

        def compute_output_shape(self, input_shape):
            return (input_shape[0], 3)

    return Inner()


INNER = {"functional": functional, "sequential": sequential, "subclassed": subclassed}
STEPS = {"known": 4, "open": None}


def on_each_step(inner, value, mask=None):
    """By path below it what a model and all inside it give of each step by itself."""
    each = []
    for step in range(value.shape[1]):
        options = {} if mask is None else {"mask": mask[:, step]}
        inside = aw.activations(inner, value[:, step])
        found = {f"{inner.name}/{path}": own for path, own in inside.items()}
        each.append({inner.name: np.asarray(inner(value[:, step], **options)), **found})
    return {path: np.stack([values[path] for values in each], axis=1) for path in each[0]}


def assert_each_step(found, prefix, expected):
    assert [path for path in found if path.startswith(f"{prefix}/")] == [f"{prefix}/{path}" for path in expected]
    for path, value in expected.items():
        np.testing.assert_allclose(found[f"{prefix}/{path}"], value, rtol=1e-4, atol=1e-5, err_msg=path)


@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
@pytest.mark.parametrize("make", INNER.values(), ids=INNER)
def test_each_layer_inside_has_its_value_at_each_step(make, steps):
    inner, film = make(), zoo.noise(2, 4, 5, 5, 2)
    x = keras.Input((steps, 5, 5, 2))
    model = keras.Model(x, layers.TimeDistributed(inner, name="timed")(x))
    found = aw.activations(model, film)
    expected = on_each_step(inner, film)
    assert_each_step(found, "timed", expected)
    tree = aw.layer_tree(model)
    for path, value in expected.items():
        node = tree[f"timed/{path}"]
        assert node.output_shape == (None, steps, *value.shape[2:])
        np.testing.assert_allclose(aw.submodel(model, node.path)(film), value, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(aw.LayerExplorer(model, film, layer=node.path).activation, value, atol=1e-5)
    sub = aw.submodel(model, "timed/inner/conv")
    np.testing.assert_allclose(sub.predict(film, verbose=0), expected["inner/conv"], rtol=1e-4, atol=1e-5)


def in_a_nested_model(timed):
    x, y = keras.Input((4, 5, 5, 2)), keras.Input((4, 5, 5, 2))
    return keras.Model(y, keras.Model(x, timed(x), name="outer")(y)), "outer/timed"


def in_a_subclassed_model(timed):
    class Outer(keras.Model):
        def __init__(self):
            super().__init__()
            self.timed = timed

        def call(self, inputs):
            return self.timed(inputs)

    return Outer(), "timed"


def in_a_layer_of_ones_own(timed):
    outer, path = in_a_subclassed_model(timed)
    outer.name = "outer"
    x = keras.Input((4, 5, 5, 2))
    return keras.Model(x, outer(x)), f"outer/{path}"


@pytest.mark.parametrize("put", [in_a_nested_model, in_a_subclassed_model, in_a_layer_of_ones_own])
@pytest.mark.parametrize("make", INNER.values(), ids=INNER)
def test_wherever_the_layer_stands(make, put):
    inner, film = make(), zoo.noise(2, 4, 5, 5, 2)
    model, path = put(layers.TimeDistributed(inner, name="timed"))
    model(film)
    expected = on_each_step(inner, film)
    assert_each_step(aw.activations(model, film), path, expected)
    for tree in (aw.layer_tree(model), aw.layer_tree(model, film)):
        for each, value in expected.items():
            assert tree[f"{path}/{each}"].output_shape in {(None, *value.shape[1:]), (None, None, *value.shape[2:])}


def test_steps_of_steps():
    dense = layers.Dense(3, name="dense")
    x = keras.Input((4, 5, 2))
    inner = layers.TimeDistributed(dense, name="inner")
    model = keras.Model(x, layers.TimeDistributed(inner, name="outer")(x))
    value = zoo.noise(2, 4, 5, 2)
    assert aw.layer_tree(model)["outer/inner/dense"].output_shape == (None, 4, 5, 3)
    found = aw.activations(model, value, "outer/inner/dense")["outer/inner/dense"]
    kernel, bias = dense.get_weights()
    np.testing.assert_allclose(found, value @ kernel + bias, rtol=1e-4, atol=1e-5)


def test_masks_come_to_each_step():
    words = np.array([[[1, 2, 0], [3, 0, 0]], [[0, 0, 0], [2, 2, 2]]])
    embedding = layers.Embedding(4, 3, mask_zero=True, name="embedding")
    inner = keras.Sequential([keras.Input((3,), dtype="int32"), embedding, layers.LSTM(2, name="lstm")], name="inner")
    x = keras.Input((2, 3), dtype="int32")
    timed = layers.TimeDistributed(inner, name="timed")
    model = keras.Model(x, timed(x))
    assert_each_step(aw.activations(model, words), "timed", on_each_step(inner, words))


def test_the_mask_of_the_steps_says_which_count():
    tokens = np.array([[1, 2, 0], [3, 0, 0]])
    parts = [
        layers.Embedding(4, 3, mask_zero=True),
        layers.TimeDistributed(layers.Dense(2, name="dense"), name="timed"),
    ]
    model = keras.Sequential([keras.Input((3,), dtype="int32"), *parts])
    np.testing.assert_array_equal(Session(model, tokens).captured("timed/dense").mask, tokens > 0)


class Centred(layers.Layer):
    """Mixes the samples of a batch."""

    def call(self, inputs):
        return inputs - ops.mean(inputs, axis=0, keepdims=True)


class Fixed(layers.Layer):
    """Takes batches of two samples alone."""

    def call(self, inputs):
        return ops.reshape(inputs, (2, 3))


@pytest.mark.parametrize(("layer", "why"), [(Centred(), "other values than step by step"), (Fixed(), "raised")])
def test_what_does_not_treat_steps_alike_is_refused(layer, why):
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(3, name="dense"), layer], name="inner")
    x = keras.Input((4, 3), name="x")
    model = keras.Model(x, layers.TimeDistributed(inner, name="timed")(x))
    value = zoo.noise(2, 4, 3)
    assert list(aw.activations(model, value)) == ["x", "timed"]
    for ask in (aw.activations, lambda model, value, path: aw.submodel(model, path)(value)):
        with pytest.raises(NotCapturableError, match=f"runs once a time step in 'timed', and on all steps .*{why}"):
            ask(model, value, "timed/inner/dense")
    explorer = aw.LayerExplorer(model, value, layer="timed")
    assert [row.path for row in explorer.summaries] == ["x", "timed"]


@pytest.mark.parametrize("layer", [layers.Dropout(0.5), layers.BatchNormalization()], ids=lambda layer: layer.name)
def test_in_training_what_training_changes_is_refused_and_leaves_no_trace(layer):
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(3, name="dense"), layer], name="inner")
    x = keras.Input((4, 3))
    model = keras.Model(x, layers.TimeDistributed(inner, name="timed")(x))
    value = zoo.noise(2, 4, 3)
    before = [variable.numpy() for variable in model.variables]
    with pytest.raises(NotCapturableError, match="training mode"):
        aw.activations(model, value, "timed/inner/dense", training=True)
    for variable, was in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable, was)
    assert_each_step(aw.activations(model, value), "timed", on_each_step(inner, value))


def test_what_training_does_not_change_is_had_in_training():
    dense = layers.Dense(3, name="dense")
    model = keras.Sequential([keras.Input((4, 3)), layers.TimeDistributed(dense, name="timed"), layers.Dropout(0.5)])
    value = zoo.noise(2, 4, 3)
    found = aw.activations(model, value, "timed/dense", training=True)["timed/dense"]
    np.testing.assert_allclose(found, dense(value), rtol=1e-4, atol=1e-5)


def test_what_has_no_value_for_each_step_is_opaque():
    class Table(layers.Layer):
        def call(self, _inputs):
            return ops.ones((8, 3))

    class Inner(keras.Model):
        def __init__(self):
            super().__init__(name="inner")
            self.table, self.dense = Table(name="table"), layers.Dense(3, name="dense")

        def call(self, inputs):
            return self.dense(inputs) + ops.sum(self.table(inputs))

        def compute_output_shape(self, input_shape):
            return input_shape

    x = keras.Input((4, 3))
    model = keras.Model(x, layers.TimeDistributed(Inner(), name="timed")(x))
    node = aw.layer_tree(model)["timed/inner/table"]
    assert (node.origin, node.reason) == ("opaque", "gives no value for each sample and step")
    assert "timed/inner/dense" in aw.activations(model, zoo.noise(2, 4, 3))


def test_channels_of_the_layers_inside_are_on_their_own_axis():
    for own, axis in ((1, 2), (3, -1)):
        inner = keras.Sequential([keras.Input((5, 6, 7)), layers.BatchNormalization(own, name="norm")], name="inner")
        x = keras.Input((4, 5, 6, 7))
        graph = trace(keras.Model(x, layers.TimeDistributed(inner, name="timed")(x)))
        path = "timed/inner/norm"
        channels = channel_axis_of(graph.nodes[path], graph.operations[path], graph.steps(path))
        assert (channels.axis, channels.channel_label, channels.is_explicit) == (axis, "channel", True)


def test_nothing_can_be_put_behind_a_layer_inside():
    model = keras.Sequential([keras.Input((4, 3)), layers.TimeDistributed(layers.Dense(3, name="dense"), name="timed")])
    with pytest.raises(OptionError, match=r"got 'timed/dense'.*Put the change behind 'timed'"):
        aw.edit(model, {"timed/dense": aw.Ablate(0)})


def test_an_edit_before_the_layer_comes_to_what_is_inside():
    dense = layers.Dense(3, name="dense")
    first = layers.Dense(3, name="first")
    model = keras.Sequential([keras.Input((4, 3)), first, layers.TimeDistributed(dense, name="timed")])
    edited = aw.edit(model, {"first": aw.Ablate([0, 1, 2])})
    found = aw.activations(edited, zoo.noise(2, 4, 3), "timed/dense")["timed/dense"]
    np.testing.assert_allclose(found, np.broadcast_to(dense.get_weights()[1], (2, 4, 3)), atol=1e-6)


def test_sizes_are_known_before_anything_runs():
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(50, name="dense")], name="inner")
    x = keras.Input((None, 3))
    model = keras.Model(x, layers.TimeDistributed(inner, name="timed")(x))
    value = zoo.noise(2, 4, 3)
    needed = 2 * 4 * 50 * 4
    aw.activations(model, value, "timed/inner/dense", max_bytes=needed)
    with pytest.raises(aw.errors.MemoryBudgetError, match=f"take {needed:,} bytes"):
        aw.activations(model, value, "timed/inner/dense", max_bytes=needed - 1)
