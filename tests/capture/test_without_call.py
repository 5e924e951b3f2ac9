"""Models that have no `call()`, and looks that fail: what a person is told, and that the model is as it was."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

import actwidget as aw
from actwidget.errors import ActwidgetError, InvalidInputsError, ModelNotBuiltError, UnsupportedModelError
from tests.capture import zoo
from tests.capture.test_every_way import in_every_way

X = zoo.noise(3, 4)


class Auto(keras.Model):
    """As the VAE, GAN and diffusion classes of keras.io, with a `train_step` alone."""

    def __init__(self):
        super().__init__(name="auto")
        self.encoder = keras.Sequential([keras.Input((4,)), layers.Dense(2, name="code")], name="encoder")
        self.stages = [keras.Sequential([keras.Input((2,)), layers.Dense(4)], name="decoder")]
        self.noise = layers.GaussianNoise(0.1, name="noise")

    def train_step(self, _data):
        return {}


class Bare(keras.Model):
    def __init__(self):
        super().__init__(name="bare")
        self.dense = layers.Dense(2, name="dense")


LOOKS = {
    "layer_tree": lambda model: aw.layer_tree(model, X),
    "layer_tree without inputs": aw.layer_tree,
    "activations": lambda model: aw.activations(model, X),
    "one activation": lambda model: aw.activations(model, X, "encoder"),
    "within a budget": lambda model: aw.activations(model, X, max_bytes=10),
    "submodel": lambda model: aw.submodel(model, "encoder"),
    "edit": lambda model: aw.edit(model, {"encoder": aw.Ablate(0)}),
    "compare": lambda model: aw.compare(model, X, X),
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_the_error_names_the_models_inside_as_python_reaches_them(look):
    message = r"'auto' \(Auto\) has no call\(\).* it holds, model\.encoder, model\.stages\[0\]"
    with pytest.raises(UnsupportedModelError, match=message):
        look(Auto())
    with pytest.raises(UnsupportedModelError, match=r"'bare' \(Bare\) has no call\(\).* Give the class a call"):
        look(Bare())


@pytest.mark.parametrize("inputs", [X, None], ids=["inputs", "none"])
def test_an_explorer_lists_what_the_model_holds_and_says_what_to_open(inputs):
    model = Auto()
    explorer = aw.LayerExplorer(model, inputs)
    assert [node.path for node in explorer.tree][-1] == "noise"
    assert explorer.tree["encoder/code"].reason == explorer.tree["encoder"].reason
    assert "open LayerExplorer(model.encoder, x)" in explorer.tree["encoder"].reason
    assert "open LayerExplorer(model.stages[0], x)" in explorer.tree["decoder"].reason
    assert "keras.Sequential([model.noise])" in explorer.tree["noise"].reason
    assert all(node.origin == "opaque" for node in explorer.tree)
    for path in explorer._explorer.session.graph.nodes:
        explorer.layer = path
        assert explorer.tree[path].reason in explorer._screen.plot.alt
    for show in ("overview", "weights", "comparison", "table", "activation"):
        explorer.show = show
    if inputs is not None:
        assert in_every_way(explorer) == (0, len(list(explorer.tree)))
        inside = aw.LayerExplorer(model.encoder, inputs, layer="code")
        np.testing.assert_allclose(inside.activation, model.encoder(X), rtol=1e-5)


def test_where_nothing_was_called_the_explorer_opens_and_says_so():
    class Idle(keras.Model):
        def __init__(self):
            super().__init__(name="idle")
            self.spare = layers.Dense(2, name="spare")

        def call(self, inputs):
            return inputs * 2

    explorer = aw.LayerExplorer(Idle(), X)
    assert explorer.layer == "spare"
    assert in_every_way(explorer) == (0, 1)


def test_a_model_without_any_layer_is_refused_in_words():
    class Empty(keras.Model):
        def call(self, inputs):
            return inputs * 2

    for look in (aw.layer_tree, aw.activations, aw.LayerExplorer):
        with pytest.raises(UnsupportedModelError, match=r"'empty.*has no layers"):
            look(Empty(name="empty"), X)
        with pytest.raises(UnsupportedModelError, match="'bare' is a Sequential without layers"):
            look(keras.Sequential(name="bare"), X)


class Late(keras.Model):
    """Makes weights and layers when it is built, in every kind of place, and fails after."""

    def __init__(self, *, fails):
        super().__init__(name="late")
        self.first, self.steps, self.named, self.fails = layers.Dense(3, name="first"), [], {}, fails

    def build(self, shape):
        self.scale = self.add_weight(shape=shape[1:], name="scale")
        self.steps.append(layers.Dense(4, name="step"))
        self.named["b"] = layers.BatchNormalization(name="b")
        self.input_spec = keras.InputSpec(ndim=len(shape))
        self.first.build(shape)
        if self.fails == "build":
            message = "not like this"
            raise ValueError(message)

    def call(self, inputs):
        if self.fails == "call":
            message = "not like this"
            raise ValueError(message)
        return self.named["b"](self.steps[0](self.first(inputs * self.scale)))


def chain(*parts):
    class Chain(keras.Model):
        def __init__(self):
            super().__init__(name="chain")
            self.parts = list(parts)

        def call(self, inputs):
            for part in self.parts:
                inputs = part(inputs)
            return inputs

    return Chain()


class Uncopied(keras.Layer):
    """Can't be copied, so that a Sequential with it can't be tried out before it is built."""

    def __init__(self, table):
        super().__init__(name="uncopied")
        self.dense = layers.Dense(2)
        self.table = table

    def build(self, shape):
        self.dense.build(shape)
        self.table[len(shape)]

    def call(self, inputs):
        return self.dense(inputs)


def everything(model):
    """All that the layers of a model hold, as far as it can change, by what it is."""
    held = {}

    def note(value, where):
        held[where] = id(value)
        if isinstance(value, dict):
            for key, each in value.items():
                note(each, f"{where}[{key!r}]")
        elif isinstance(value, (list, tuple)):
            for place, each in enumerate(value):
                note(each, f"{where}[{place}]")
        elif isinstance(value, set):
            held[f"{where}{{}}"] = sorted(map(repr, value))

    for layer in model._flatten_layers():
        note(vars(layer), layer.name)
        note(vars(layer._tracker), f"{layer.name}.tracker")
    return held


FAILING = {
    "its build": lambda: Late(fails="build"),
    "its call": lambda: Late(fails="call"),
    "the first layer": lambda: chain(layers.Conv2D(2, 3, name="conv"), layers.Dense(2)),
    "the first layer's build": lambda: chain(Late(fails="build")),
    "a Sequential that can't be tried": lambda: keras.Sequential([Uncopied(table=[])]),
    "a Sequential that can": lambda: keras.Sequential([layers.Dense(3), layers.Conv2D(2, 3)]),
}


@pytest.mark.parametrize("build", FAILING.values(), ids=FAILING)
def test_a_failed_look_leaves_the_model_as_it_was(build):
    model = build()
    before, weights = everything(model), len(model.weights)
    for look in (aw.layer_tree, aw.activations, aw.LayerExplorer):
        with pytest.raises(InvalidInputsError):
            look(model, X)
        assert everything(model) == before
        assert (model.built, len(model.weights)) == (False, weights)
    for look in (aw.layer_tree, aw.LayerExplorer, lambda it: aw.submodel(it, 0)):
        with pytest.raises(ModelNotBuiltError):
            look(model)


def test_after_a_failed_look_what_fits_builds_it_and_is_had():
    model = chain(layers.Dense(3, name="dense"), layers.Dense(2, name="last"))
    with pytest.raises(InvalidInputsError):
        aw.activations(model, np.array(["no", "numbers"]))
    values = aw.activations(model, X)
    np.testing.assert_allclose(values["last"], model(X), rtol=1e-5)
    again = Late(fails="build")
    with pytest.raises(ActwidgetError):
        aw.activations(again, X)
    again.fails = ""
    values = aw.activations(again, X)
    np.testing.assert_allclose(values["first"], again.first(ops.multiply(X, again.scale)), rtol=1e-5)
    assert [weight.name for weight in again.weights].count("scale") == 1
