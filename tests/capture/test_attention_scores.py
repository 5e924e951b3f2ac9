"""Which activations of attention that people build themselves are scores, and that nothing else is."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

import actwidget as aw
from tests.rounding import assert_close

RNG = np.random.default_rng(4)
X = RNG.normal(size=(2, 5, 8)).astype("float32")


def split(y, heads):
    return ops.transpose(ops.reshape(y, (-1, 5, heads, 8 // heads)), (0, 2, 1, 3))


def by_matmul():
    x = keras.Input((5, 8))
    query, key, value = (split(layers.Dense(8)(x), 2) for _ in range(3))
    scores = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2))) / 2.0
    scores = ops.where(ops.ones((5, 5), "bool"), scores, -1e9)
    weights = layers.Dropout(0.1, name="dropped")(layers.Softmax(name="scores")(scores))
    out = ops.matmul(weights, value)
    return keras.Model(x, layers.Identity(name="out")(out)), {"scores", "dropped"}


def by_einsum():
    x = keras.Input((5, 8))
    query, key, value = (split(layers.Dense(8)(x), 4) for _ in range(3))
    raw = layers.Rescaling(0.5, name="scaled")(ops.einsum("bhqd,bhkd->bhqk", query, key))
    weights = layers.Activation("softmax", name="scores")(raw)
    return keras.Model(x, layers.Identity(name="out")(ops.einsum("bhqk,bhkd->bhqd", weights, value))), {
        "scaled",
        "scores",
    }


def without_heads():
    x = keras.Input((5, 8))
    raw = layers.Dot((2, 2), name="dot")([layers.Dense(8)(x), layers.Dense(8)(x)])
    weights = layers.Softmax(name="scores")(raw)
    return keras.Model(x, layers.Dot((2, 1), name="out")([weights, x])), {"dot", "scores"}


class Attention(layers.Layer):
    """A layer of someone's own, as it stands in many tutorials."""

    def __init__(self, heads, **options):
        super().__init__(**options)
        self.num_heads = heads
        self.parts = [layers.Dense(8) for _ in range(3)]
        self.softmax = layers.Softmax(name="softmax")

    def call(self, inputs):
        query, key, value = (split(part(inputs), self.num_heads) for part in self.parts)
        weights = self.softmax(ops.matmul(query, ops.transpose(key, (0, 1, 3, 2))))
        return ops.matmul(weights, value)


def in_a_layer():
    x = keras.Input((5, 8))
    return keras.Model(x, Attention(2, name="own")(x)), {"own/softmax"}


def of_keras():
    x = keras.Input((5, 8))
    return keras.Model(x, layers.MultiHeadAttention(2, 4, name="own")(x, x)), {"own/scores", "own/softmax"}


MODELS = [by_matmul, by_einsum, without_heads, in_a_layer, of_keras]


@pytest.mark.parametrize("make", MODELS)
def test_scores_are_divided_into_heads_and_nothing_else_is(make):
    model, scores = make()
    explorer = aw.LayerExplorer(model, X)
    nodes = [node for node in explorer.tree if node.origin != "opaque"]
    known = {node.path for node in nodes if explorer._explorer.inspector.layer(node.path).channel_label == "head"}
    assert scores & {node.path for node in nodes} <= known
    assert "out" not in known
    softmaxes = [path for path in known if path.endswith(("scores", "softmax"))]
    assert softmaxes
    for path in known:
        explorer.layer = path
        value = explorer.activation
        assert value.shape[-2:] == (5, 5)
        heads = value.shape[1] if value.ndim == 4 else 1
        assert explorer.statistics.channels == heads
        explorer.channel = heads - 1
        title = explorer.figure.layout.title.text
        assert f"{heads} head" in title
        closeup = next(each for each in explorer.figure.data if each.type == "heatmap" and each.coloraxis)
        assert_close(np.asarray(closeup.z), value[0, -1] if value.ndim == 4 else value[0])
        assert "query ↓ key →" in explorer.figure.layout.annotations[0].text
    for path in softmaxes:  # the last axis is the one that sums to 1
        explorer.layer = path
        assert_close(explorer.activation.sum(axis=-1), 1)


def test_a_head_that_is_read_along_another_axis_is_none():
    model, _ = by_matmul()
    explorer = aw.LayerExplorer(model, X, layer="scores")
    explorer.reading = "last"
    assert "5 channels" in explorer.figure.layout.title.text


def segmentation():
    x = keras.Input((6, 5, 3))
    return keras.Model(x, layers.Softmax(name="classes")(layers.Conv2D(4, 1)(x))), RNG.normal(size=(2, 6, 5, 3)), 4


def tagging():
    x = keras.Input((5, 8))
    return keras.Model(x, layers.Softmax(name="classes")(layers.Dense(3)(x))), X, 3


def mixed_by_a_product():
    x = keras.Input((5, 8))
    gram = ops.matmul(ops.transpose(x, (0, 2, 1)), layers.Dense(8)(x))
    return keras.Model(x, layers.Identity(name="classes")(gram)), X, 8


@pytest.mark.parametrize("make", [segmentation, tagging, mixed_by_a_product])
def test_a_softmax_of_channels_and_a_product_without_one_are_no_scores(make):
    model, x, count = make()
    explorer = aw.LayerExplorer(model, x, layer="classes")
    assert "head" not in explorer.figure.layout.title.text
    assert explorer.statistics.channels == count
