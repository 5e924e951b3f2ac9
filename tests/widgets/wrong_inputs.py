"""What a person may get wrong: for each thing what is done, the error that is due, and words that must be in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import keras
import numpy as np
import pandas as pd
import plotly.graph_objects as go
import tensorflow as tf
import traitlets
from sklearn.linear_model import LogisticRegression

import actwidget as aw
from actwidget.errors import (
    ChannelError,
    InvalidInputsError,
    LayerNotFoundError,
    MemoryBudgetError,
    ModelNotBuiltError,
    OptionError,
    SampleError,
    UnsupportedModelError,
)
from tests.capture import zoo

if TYPE_CHECKING:
    from pathlib import Path

z = np.zeros
DEEP: list[object] = []
for _ in range(10_000):
    DEEP = [DEEP]
HUGE = "x" * 1_000_000


class Here(NamedTuple):
    """What a row works on."""

    model: keras.Model
    explorer: aw.LayerExplorer
    folder: Path


class Unwilling:
    """Raises at whatever it is asked for: to be printed, compared, counted, read as an array."""

    def _refuse(self, *_args, **_kwargs):
        message = "no"
        raise RuntimeError(message)

    __repr__ = __str__ = __len__ = __iter__ = __eq__ = __bool__ = __array__ = __float__ = __index__ = _refuse
    __hash__ = None


class TorchLike:
    """As a tensor of PyTorch that has a gradient: it has a shape, and no array of numpy can be made of it."""

    shape = (2, 8, 8, 3)

    def __array__(self, *_args, **_kwargs):
        message = "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
        raise RuntimeError(message)


class Module(tf.Module):
    """A module that a person wrote."""

    @tf.function
    def __call__(self, x):
        return x


def network(name="net", units=4):
    x = keras.Input((8, 8, 3), name="image")
    y = keras.layers.Conv2D(6, 3, activation="relu", name="conv")(x)
    y = keras.layers.GlobalAveragePooling2D(name="pool")(y)
    return keras.Model(x, keras.layers.Dense(units, activation="softmax", name="classes")(y), name=name)


def twin():
    """Two layers of one name, in two nested models."""
    x = keras.Input((4,), name="row")
    halves = [keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="dense")], name=name)(x) for name in "ab"]
    return keras.Model(x, keras.layers.Concatenate()(halves), name="twin")


def two_inputs():
    a, b = keras.Input((4,), name="a"), keras.Input((3,), name="b")
    return keras.Model([a, b], keras.layers.Concatenate()([a, b]), name="pair")


def tokens_model():
    x = keras.Input((5,), dtype="int32", name="words")
    return keras.Model(x, keras.layers.Embedding(9, 4, name="embed")(x), name="reader")


IMAGES = zoo.noise(3, 8, 8, 3)


def opening(inputs=IMAGES, model=network, **options):
    """An explorer that should not come to be."""
    return lambda _here: aw.LayerExplorer(model() if callable(model) else model, inputs, **options)


def setting(name, value):
    return lambda here: setattr(here.explorer, name, value)


def state(**values):
    return opening(state=values)


def replacing(path, change):
    return lambda here: aw.edit(here.model, {path: change})


def calling(function, *args, **options):
    return lambda here: function(here.model, *args, **options)


INPUTS = {
    "another size": (
        opening(z((2, 9, 9, 3))),
        InvalidInputsError,
        "image",
        "(None, 8, 8, 3)",
        "(2, 9, 9, 3)",
        "Resize",
    ),
    "channels first": (opening(z((2, 3, 8, 8))), InvalidInputsError, "image", "(2, 3, 8, 8)", "np.moveaxis"),
    "grey": (opening(z((2, 8, 8, 1))), InvalidInputsError, "image", "(2, 8, 8, 1)", "np.repeat"),
    "alpha": (opening(z((2, 8, 8, 4))), InvalidInputsError, "x[..., :3]"),
    "a rank too many": (opening(z((1, 2, 8, 8, 3))), InvalidInputsError, "image", "(1, 2, 8, 8, 3)", "4 axes"),
    "a rank too few": (opening(z((8, 8))), InvalidInputsError, "image", "(8, 8)", "4 axes"),
    "a number": (opening(3.5), InvalidInputsError, "(None, 8, 8, 3)", "()", "4 axes"),
    "an empty batch": (opening(z((0, 8, 8, 3))), InvalidInputsError, "empty", "at least one sample"),
    "an empty list": (opening([]), InvalidInputsError, "image", "(0,)", "4 axes"),
    "a path": (opening("cat.png"), InvalidInputsError, "image", "float32", "'cat.png'", "load"),
    "texts": (opening(np.full((2, 8, 8, 3), "cat")), InvalidInputsError, "image", "float32", "text"),
    "nothing in a list": (opening([None]), InvalidInputsError, "image", "numbers", "a list of 1"),
    "complex numbers": (
        opening(z((2, 8, 8, 3), complex)),
        InvalidInputsError,
        "image",
        "real numbers",
        "complex128",
        "np.abs(x)",
    ),
    "dates": (opening(z((2, 8, 8, 3), "datetime64[s]")), InvalidInputsError, "image", "numbers", "datetime64[s]"),
    "objects": (opening(np.full((2, 8, 8, 3), object())), InvalidInputsError, "image", "numbers", "object"),
    "a generator that raises": (
        opening(1 / 0 for _ in range(2)),
        InvalidInputsError,
        "first batch",
        "ZeroDivisionError",
    ),
    "an empty generator": (opening(iter([])), InvalidInputsError, "is empty", "at least one batch"),
    "a keras Sequence without batches": (opening(keras.utils.PyDataset()), InvalidInputsError, "can't be read"),
    "a tensor with a gradient": (opening(TorchLike()), InvalidInputsError, "TorchLike", "detach"),
    "an unwilling object": (opening(Unwilling()), InvalidInputsError, "Unwilling"),
    "a list of unwilling objects": (opening([Unwilling()]), InvalidInputsError, "image", "can't read", "a list of 1"),
    "a deep list": (opening(DEEP), InvalidInputsError, "image", "Stack equal ones"),
    "a frame of texts": (
        opening(pd.DataFrame({"name": ["a", "b"], "n": [1, 2]}), model=twin),
        InvalidInputsError,
        "DataFrame",
        "numbers",
    ),
    "a frame of other width": (opening(pd.DataFrame(z((3, 7))), model=twin), InvalidInputsError, "(None, 4)", "(3, 7)"),
    "a ragged tensor": (
        opening(tf.ragged.constant([[1.0, 2.0, 3.0, 4.0], [5.0]]), model=twin),
        InvalidInputsError,
        "row",
        "dense",
        "ragged",
        "to_tensor()",
    ),
    "a ragged list": (opening([[1.0, 2.0], [3.0]], model=twin), InvalidInputsError, "differ in shape"),
    "a sparse tensor of another width": (
        opening(tf.sparse.from_dense(z((2, 3))), model=twin),
        InvalidInputsError,
        "(None, 4)",
        "(2, 3)",
    ),
    "a function": (opening(lambda: IMAGES), InvalidInputsError, "image", "numbers", "function"),
    "a model": (opening(network()), InvalidInputsError, "image", "numbers", "Functional"),
    "symbolic": (opening(keras.Input((8, 8, 3))), InvalidInputsError, "image", "can't read", "KerasTensor", "symbolic"),
    "a set": (opening({1, 2}), InvalidInputsError, "image", "numbers", "set"),
    "one of two inputs": (opening(z((2, 4)), model=two_inputs), InvalidInputsError, "2 inputs", "'a', 'b'", "list"),
    "three of two inputs": (opening([z((2, 4))] * 3, model=two_inputs), InvalidInputsError, "2 inputs", "a list of 3"),
    "unlike batches": (opening([z((2, 4)), z((3, 3))], model=two_inputs), InvalidInputsError, "'a' has 2", "'b' has 3"),
    "unknown names": (
        opening({"a": z((2, 4)), "c": z((2, 3))}, model=two_inputs),
        InvalidInputsError,
        "missing ['b']",
        "unknown ['c']",
    ),
    "fractions for tokens": (
        opening(np.full((2, 5), 0.5), model=tokens_model),
        InvalidInputsError,
        "whole numbers",
        "float64",
    ),
    "texts for tokens": (opening([["a"] * 5] * 2, model=tokens_model), InvalidInputsError, "int32", "text"),
    "tokens that are in no vocabulary": (
        lambda _here: aw.activations(tokens_model(), [[99] * 5]),
        InvalidInputsError,
        "reader",
        "token 99 in input 'words' is outside 0 to 8",
        "'embed'",
    ),
    "huge numbers for tokens": (
        opening([[2**40] * 5], model=tokens_model),
        InvalidInputsError,
        "words",
        "to 2147483647",
        "int32",
        "1099511627776",
    ),
    "nan for tokens": (opening(np.full((2, 5), np.nan), model=tokens_model), InvalidInputsError, "whole numbers"),
}

MODELS = {
    "a class": (
        lambda _here: aw.LayerExplorer(keras.Sequential, IMAGES),
        UnsupportedModelError,
        "class",
        "Sequential(...)",
    ),
    "an own class": (lambda _here: aw.LayerExplorer(int, IMAGES), UnsupportedModelError, "type", "keras.Model"),
    "a function": (
        lambda _here: aw.LayerExplorer(network, IMAGES),
        UnsupportedModelError,
        "function",
        "keras.Model",
        "call it",
    ),
    "a path string": (opening(model="model.keras"), UnsupportedModelError, "load_model"),
    "nothing": (opening(model=None), UnsupportedModelError, "NoneType", "keras.Model"),
    "an array": (opening(model=IMAGES), UnsupportedModelError, "ndarray", "keras.Model"),
    "a layer": (
        lambda _here: aw.LayerExplorer(keras.layers.Dense(3), IMAGES),
        UnsupportedModelError,
        "single layer",
        "Sequential",
    ),
    "an estimator": (opening(model=LogisticRegression()), UnsupportedModelError, "LogisticRegression", "keras.Model"),
    "a module of TensorFlow": (
        lambda _here: aw.LayerExplorer(Module(), IMAGES),
        UnsupportedModelError,
        "TensorFlow object",
        "load_model",
    ),
    "a list of models": (opening(model=[]), UnsupportedModelError, "list"),
    "an unwilling object": (opening(model=Unwilling()), UnsupportedModelError, "Unwilling"),
    "unbuilt without inputs": (
        lambda _here: aw.LayerExplorer(keras.Sequential([keras.layers.Dense(2)], name="raw")),
        ModelNotBuiltError,
        "raw",
        "inputs",
        "keras.Input",
    ),
}

LAYERS = {
    "unknown": (setting("layer", "cnv"), LayerNotFoundError, "cnv", "Closest: 'conv'", "layer_tree"),
    "empty": (setting("layer", ""), LayerNotFoundError, "Layer ''", "net", "layer_tree"),
    "out of range": (setting("layer", 99), LayerNotFoundError, "99", "-4 to 3"),
    "a fraction": (setting("layer", 1.5), LayerNotFoundError, "1.5", "path"),
    "a bool": (setting("layer", True), LayerNotFoundError, "bool", "path"),
    "none": (setting("layer", None), LayerNotFoundError, "NoneType", "path"),
    "a list": (setting("layer", ["conv"]), LayerNotFoundError, "list", "path"),
    "a layer of another model": (
        setting("layer", keras.layers.Dense(2, name="alien")),
        LayerNotFoundError,
        "alien",
        "no part of model 'net'",
    ),
    "bytes": (setting("layer", b"conv"), LayerNotFoundError, "bytes", "path"),
    "a path above": (setting("layer", "../../etc/passwd"), LayerNotFoundError, "etc/passwd", "net"),
    "a script": (setting("layer", "<script>alert(1)</script>"), LayerNotFoundError, "net"),
    "colours": (setting("layer", "\x1b[31mconv\x1b[0m\n"), LayerNotFoundError, "conv"),
    "a million characters": (setting("layer", HUGE), LayerNotFoundError, "xxx...xxx", "net"),
    "half a character": (setting("layer", "conv\ud800"), LayerNotFoundError, "conv"),
    "slashes": (setting("layer", "/" * 5000), LayerNotFoundError, "net"),
    "an unwilling object": (setting("layer", Unwilling()), LayerNotFoundError, "Unwilling"),
    "a deep list": (setting("layer", DEEP), LayerNotFoundError, "list"),
    "ambiguous": (
        opening(z((1, 4)), model=twin, layer="dense"),
        LayerNotFoundError,
        "'a/dense'",
        "'b/dense'",
        "whole path",
    ),
    "unknown at the start": (opening(layer="nothing"), LayerNotFoundError, "nothing", "net"),
    "an unknown call": (setting("layer", "conv@7"), LayerNotFoundError, "conv@7", "'conv'"),
}

NUMBERS = {
    f"{name} {value!r}"[:40]: (setting(name, value), error, name, "from 0 to", expected)
    for name, error, expected in (
        ("channel", ChannelError, "conv"),
        ("sample", SampleError, "batch has 3"),
        ("compare", SampleError, "batch has 3"),
    )
    for value in (6, -7, True, 1.0, "1", b"1", [1], np.float32(1), np.array([0, 1]), 10**400, float("nan"), 1j)
} | {
    "channel of an unwilling object": (setting("channel", Unwilling()), ChannelError, "channel", "from 0 to 5"),
    "compare with an unwilling object": (setting("compare", Unwilling()), SampleError, "compare=model"),
    "compare with a model that was not given": (setting("compare", "model"), SampleError, "compare=model"),
    "sample none": (setting("sample", None), SampleError, "from 0 to 2"),
    "a sample at the start": (opening(sample=3), SampleError, "from 0 to 2", "3"),
    "a channel at the start": (opening(layer="pool", channel=6), ChannelError, "pool", "from 0 to 5"),
}

OPTIONS = {
    f"{name} {str(type(value).__name__) if not isinstance(value, str) else value[:12]}": (
        setting(name, value),
        OptionError,
        name,
        known,
    )
    for name, known in (("show", "'overview'"), ("scaling", "'robust'"), ("sort", "'standard_deviation'"))
    for value in ("nothing", None, 3, ["index"], {"a": 1}, HUGE, Unwilling(), DEEP)
} | {
    "too few class names": (opening(class_names=["a"]), OptionError, "4 class_names", "net", "got 1"),
    "a number for class names": (opening(class_names=4), OptionError, "class_names", "list"),
    "a text for class names": (opening(class_names="abcd"), OptionError, "class_names", "list"),
    "class names of a dict": (
        opening(class_names={"a": 0, "b": 1, "c": 2, "d": 3}),
        OptionError,
        "class_names",
        "list",
    ),
    "too few labels": (opening(labels=[1]), OptionError, "labels", "3 numbers", "from 0 to 3"),
    "labels out of range": (opening(labels=[0, 1, 4]), OptionError, "labels", "from 0 to 3"),
    "labels that are texts": (opening(labels=["a", "b", "c"]), OptionError, "labels", "'a'"),
    "labels that are fractions": (opening(labels=[0.5, 1.5, 2.5]), OptionError, "labels", "0.5"),
    "labels that are nan": (opening(labels=[np.nan] * 3), OptionError, "labels", "nan"),
    "shares for labels": (
        opening(labels=np.full((3, 4), 0.25)),
        OptionError,
        "one-hot labels",
        "argmax",
        "array([[0.25",
    ),
    "labels of several classes": (opening(labels=np.ones((3, 4))), OptionError, "one-hot labels", "argmax"),
    "one-hot labels of other classes": (opening(labels=np.eye(5)[:3]), OptionError, "labels", "one-hot", "from 0 to 3"),
    "complex labels": (opening(labels=[1j, 2j, 3j]), OptionError, "labels", "3 numbers", "1j"),
    "labels of nothing": (opening(labels=[None] * 3), OptionError, "labels", "None"),
    "unwilling labels": (opening(labels=Unwilling()), OptionError, "labels"),
    "tokens for one sample of three": (opening(tokens=[["a"]]), OptionError, "tokens", "3 samples"),
    "a text for tokens": (opening(tokens="a b c"), OptionError, "tokens", "list of texts"),
    "a number for tokens": (opening(tokens=3), OptionError, "tokens", "list of texts"),
    "numbers for tokens": (opening(tokens=[1, 2, 3]), OptionError, "tokens", "list of texts"),
    "unwilling tokens": (opening(tokens=Unwilling()), OptionError, "tokens"),
    "a budget of text": (opening(max_bytes="1 GB"), OptionError, "max_bytes", "1 GB"),
    "a budget below zero": (opening(max_bytes=-1), OptionError, "max_bytes", "-1"),
    "no budget": (opening(max_bytes=None), OptionError, "max_bytes", "None"),
    "a grouping of text": (opening(grouped="yes"), traitlets.TraitError, "grouped", "boolean", "'yes'"),
    "an unknown option": (opening(colour="red"), TypeError, "colour"),
}

STATES = {
    "a list": (opening(state=["conv"]), OptionError, "state", "explorer.state()", "got "),
    "a text": (opening(state="{}"), OptionError, "state", "explorer.state()", "got "),
    "a number": (opening(state=3), OptionError, "state", "explorer.state()", "got "),
    "unknown keys": (state(__class__="x"), OptionError, "state", "'layer'", "__class__"),
    "keys that are no names": (opening(state={3: 1, None: 2}), OptionError, "state", "explorer.state()", "got "),
    "ten thousand keys": (
        opening(state={f"key{n}": n for n in range(10_000)}),
        OptionError,
        "state",
        "explorer.state()",
        "got ",
    ),
    "a layer that is not there": (state(layer="nothing"), LayerNotFoundError, "nothing", "net"),
    "a layer of another type": (state(layer={"$ref": "conv"}), LayerNotFoundError, "dict", "path"),
    "a deep layer": (state(layer=DEEP), LayerNotFoundError, "list", "path"),
    "a huge layer": (state(layer=HUGE), LayerNotFoundError, "xxx...xxx", "net"),
    "a channel of text": (state(channel="2"), ChannelError, "channel", "from 0 to 5"),
    "a huge channel": (state(channel=10**400), ChannelError, "channel", "from 0 to 5"),
    "a deep channel": (state(channel=DEEP), ChannelError, "channel", "from 0 to 5"),
    "a sample of another batch": (state(sample=12), SampleError, "from 0 to 2", "12"),
    "a sample of nothing": (state(sample=None), SampleError, "from 0 to 2"),
    "a wrong show": (state(show="<script>"), OptionError, "show", "'overview'"),
    "a wrong scaling": (state(scaling=["layer"]), OptionError, "scaling", "'robust'"),
    "a wrong sort": (state(sort={}), OptionError, "sort", "'index'"),
    "a wrong comparison": (state(compare="model"), SampleError, "compare=model"),
}

CODE = {
    "edit with no dict": (calling(aw.edit, ["conv"]), OptionError, "dict", "edit(model"),
    "edit of an unknown layer": (replacing("cnv", aw.Ablate(0)), LayerNotFoundError, "cnv", "'conv'"),
    "edit by a number": (replacing("conv", 3), OptionError, "conv", "callable", "Ablate"),
    "edit by a class": (replacing("conv", aw.Ablate), OptionError, "conv", "Ablate"),
    "edit by an unwilling object": (replacing("conv", Unwilling()), OptionError, "conv", "Ablate"),
    "ablation of a missing channel": (replacing("conv", aw.Ablate(6)), ChannelError, "0 to 5", "6"),
    "ablation of text": (lambda _here: aw.Ablate("all"), ChannelError, "channel", "'all'"),
    "ablation of a fraction": (lambda _here: aw.Ablate(1.5), ChannelError, "channel", "1.5"),
    "ablation of fractions": (lambda _here: aw.Ablate([0.5]), ChannelError, "channel", "0.5"),
    "ablation of a bool": (lambda _here: aw.Ablate(True), ChannelError, "channel", "True"),
    "ablation of nothing": (lambda _here: aw.Ablate(None), ChannelError, "channel", "None"),
    "ablation along a missing axis": (replacing("conv", aw.Ablate(0, axis=7)), OptionError, "axis", "7"),
    "ablation along an axis of text": (lambda _here: aw.Ablate(0, axis="channels"), OptionError, "axis"),
    "ablation to a text": (lambda _here: aw.Ablate(0, value="zero"), OptionError, "value", "zero"),
    "a factor of text": (lambda _here: aw.Scale(0, "twice"), OptionError, "factor", "twice"),
    "a factor of nothing": (lambda _here: aw.Scale(0, None), OptionError, "factor", "None"),
    "scaling of a missing channel": (replacing("conv", aw.Scale([0, -7], 2)), ChannelError, "0 to 5", "-7"),
    "another shape": (replacing("conv", aw.Replace(z((5, 5, 6)))), OptionError, "(6, 6, 6)", "(5, 5, 6)"),
    "a replacement of text": (lambda _here: aw.Replace("zeros"), OptionError, "array", "zeros"),
    "a ragged replacement": (lambda _here: aw.Replace([[1], [2, 3]]), OptionError, "array"),
    "an unwilling replacement": (lambda _here: aw.Replace(Unwilling()), OptionError, "array"),
    "a layer that changes the shape": (
        replacing("conv", keras.layers.Flatten(name="flat")),
        OptionError,
        "keep its shape",
        "flat",
    ),
    "activations of an unknown layer": (calling(aw.activations, IMAGES, "cnv"), LayerNotFoundError, "'conv'"),
    "activations of no inputs": (calling(aw.activations, None), InvalidInputsError, "image", "None"),
    "activations in batches of none": (calling(aw.activations, IMAGES, batch_size=0), OptionError, "batch_size", "0"),
    "activations in batches of text": (
        calling(aw.activations, IMAGES, batch_size="2"),
        OptionError,
        "batch_size",
        "'2'",
    ),
    "activations in batches of a fraction": (
        calling(aw.activations, IMAGES, batch_size=1.5),
        OptionError,
        "batch_size",
        "1.5",
    ),
    "activations beyond the bytes": (
        calling(aw.activations, IMAGES, max_bytes=10),
        MemoryBudgetError,
        "max_bytes",
        "conv",
        "fewer",
    ),
    "activations within bytes of text": (
        calling(aw.activations, IMAGES, max_bytes="10"),
        OptionError,
        "max_bytes",
        "'10'",
    ),
    "activations of a dict of layers": (calling(aw.activations, IMAGES, {"a": "conv"}), LayerNotFoundError, "dict"),
    "activations of a function": (
        lambda _here: aw.activations(len, IMAGES),
        UnsupportedModelError,
        "builtin_function",
        "call it",
    ),
    "an activation that was not asked for": (
        lambda here: aw.activations(here.model, IMAGES, "conv")["pool"],
        LayerNotFoundError,
        "pool",
    ),
    "a sub-model to nothing": (calling(aw.submodel, None), LayerNotFoundError, "NoneType", "path"),
    "a sub-model to no layers": (calling(aw.submodel, []), LayerNotFoundError, "at least one"),
    "a sub-model of a text": (lambda _here: aw.submodel("net", "conv"), UnsupportedModelError, "load_model"),
    "a sub-model to an unknown layer in a list": (
        calling(aw.submodel, ["conv", "cnv"]),
        LayerNotFoundError,
        "cnv",
        "'conv'",
    ),
    "a comparison with another architecture": (
        calling(aw.compare, IMAGES, twin()),
        UnsupportedModelError,
        "twin",
        "checkpoints",
    ),
    "a comparison with other inputs": (
        calling(aw.compare, IMAGES, z((3, 9, 9, 3))),
        InvalidInputsError,
        "(3, 9, 9, 3)",
    ),
    "a comparison with fewer samples": (
        calling(aw.compare, IMAGES, IMAGES[:2]),
        InvalidInputsError,
        "3",
        "2",
        "samples",
    ),
    "a comparison with a text": (
        calling(aw.compare, IMAGES, "other.keras"),
        InvalidInputsError,
        "image",
        "'other.keras'",
        "load",
    ),
    "an explorer beside another architecture": (opening(compare=twin()), UnsupportedModelError, "twin", "checkpoints"),
    "an explorer beside a text": (opening(compare="other.keras"), SampleError, "compare=model"),
    "a look-up in the tree": (lambda here: here.explorer.tree["cnv"], LayerNotFoundError, "cnv", "'conv'"),
    "a look-up of a number in the tree": (lambda here: here.explorer.tree[3], LayerNotFoundError, "3", "path"),
    "a file in no folder": (
        lambda here: here.explorer.to_html(here.folder / "none" / "view.html"),
        FileNotFoundError,
        "none",
    ),
    "a folder for a file": (lambda here: here.explorer.to_html(here.folder), IsADirectoryError, "directory"),
    "a number for a file": (lambda here: here.explorer.to_html(3), TypeError, "PathLike", "int"),
    "a file of unknown layers": (
        lambda here: here.explorer.to_html(here.folder / "a.html", layers=["cnv"]),
        LayerNotFoundError,
        "'conv'",
    ),
    "a file of one layer, not in a list": (
        lambda here: here.explorer.to_html(here.folder / "a.html", layers=3),
        OptionError,
        "layers",
        "list",
    ),
    "a file of no layer": (
        lambda here: here.explorer.to_html(here.folder / "a.html", layers=[]),
        OptionError,
        "layers",
        "[]",
    ),
    "a file of a text": (
        lambda here: here.explorer.to_html(here.folder / "a.html", layers="conv"),
        OptionError,
        "layers",
        "list",
    ),
    "a file of bytes of text": (
        lambda here: here.explorer.to_html(here.folder / "a.html", max_bytes="1 MB"),
        OptionError,
        "max_bytes",
        "1 MB",
    ),
}

ALONE = {
    "a view of a dict": (lambda _here: aw.PlotView({"data": []}), OptionError, "plotly.graph_objects.Figure", "dict"),
    "a view of none, set": (lambda _here: setattr(aw.PlotView(), "figure", None), OptionError, "Figure", "NoneType"),
    "a view of a text": (lambda _here: aw.PlotView("figure"), OptionError, "Figure", "str"),
    "a twin that is no text": (lambda _here: aw.PlotView(go.Figure(), alt=3), traitlets.TraitError, "alt", "string"),
    "a callback that is none": (lambda _here: aw.PlotView().on_click(3), OptionError, "callable"),
    "a tree of a model": (lambda here: aw.LayerTree(here.model), OptionError, "layer_tree(model)", "Functional"),
    "a tree of nothing": (lambda _here: aw.LayerTree(None), OptionError, "layer_tree(model)", "NoneType"),
    "a tree of a text": (lambda _here: aw.LayerTree("net"), OptionError, "layer_tree(model)", "str"),
    "a selection that is no text": (
        lambda here: aw.LayerTree(here.explorer.tree, selected=3),
        traitlets.TraitError,
        "selected",
    ),
    "a selection that is not there": (
        lambda here: aw.LayerTree(here.explorer.tree, selected="nothing"),
        LayerNotFoundError,
        "nothing",
    ),
    "a grouping of text in a tree": (
        lambda here: aw.LayerTree(here.explorer.tree, grouped="yes"),
        traitlets.TraitError,
        "grouped",
    ),
    "a label of numbers": (lambda here: aw.LayerTree(here.explorer.tree, label=3), traitlets.TraitError, "label"),
}
TABLES = {
    "inputs": INPUTS,
    "model": MODELS,
    "layer": LAYERS,
    "number": NUMBERS,
    "option": OPTIONS,
    "state": STATES,
    "code": CODE,
    "alone": ALONE,
}
WRONG = {
    f"{table}: {name}": (act, error, words)
    for table, rows in TABLES.items()
    for name, (act, error, *words) in rows.items()
}
