"""Of a model whose class has no `call()` the models that it holds are named, as Python reaches them."""

from __future__ import annotations

import keras
import pytest
from keras import layers

import actwidget as aw
from actwidget.errors import UnsupportedModelError
from tests.capture import zoo
from tests.capture.test_every_way import in_every_way
from tests.rounding import assert_close

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
        assert_close(inside.activation, model.encoder(X))
