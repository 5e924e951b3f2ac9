"""Models whose `call` takes several arguments are given them as a tuple, a list or a dict by name."""

from __future__ import annotations

import inspect

import keras
import numpy as np
import pytest
from keras import layers, ops

import actwidget as aw
from actwidget.capture.structure.call_arguments import Signature, arguments
from actwidget.errors import InvalidInputsError
from tests.capture import zoo
from tests.capture.deep_witness import as_array
from tests.capture.test_every_way import in_every_way
from tests.rounding import assert_close

SRC, TGT = zoo.noise(3, 4), zoo.noise(3, 5, seed=1)


def holding(call, **more):
    """A model of two dense layers with a `call` of its own."""

    def init(self):
        keras.Model.__init__(self, name="pair")
        self.a, self.b = layers.Dense(3, name="a"), layers.Dense(3, name="b")

    return type("Pair", (keras.Model,), {"__init__": init, "call": call, **more})()


def plain(self, src, tgt, training=False):  # noqa: ARG001, FBT002 - as people write it
    return self.a(src) + self.b(tgt)


def by_keyword(self, src, *, tgt):
    return self.a(src) + self.b(tgt)


def with_default(self, src, tgt=None, mask=None):  # noqa: ARG001 - only its name matters
    return self.a(src) if tgt is None else self.a(src) + self.b(tgt)


def training_between(self, src, training=None, tgt=None):  # noqa: ARG001 - only its place matters
    return self.a(src) + self.b(tgt)


def any_number(self, *inputs):
    return self.a(inputs[0]) + self.b(inputs[1])


def any_name(self, **features):
    return self.a(features["src"]) + self.b(features["tgt"])


def one_tuple(self, inputs):
    return self.a(inputs[0]) + self.b(inputs[1])


def one_dict(self, src):
    return self.a(src["src"]) + self.b(src["tgt"])


def dict_like_the_arguments(self, src, tgt=None):  # noqa: ARG001 - only its name matters
    return self.a(src["src"]) + self.b(src["tgt"])


NAMED = {"src": SRC, "tgt": TGT}
TAKEN = {
    "a tuple": (plain, (SRC, TGT)),
    "a list": (plain, [SRC, TGT]),
    "a dict": (plain, NAMED),
    "a dict in another order": (plain, {"tgt": TGT, "src": SRC}),
    "a tuple of lists of numbers": (plain, (SRC.tolist(), TGT.tolist())),
    "a keyword alone": (by_keyword, NAMED),
    "optional ones in a tuple": (with_default, (SRC, TGT)),
    "optional ones in a dict": (with_default, NAMED),
    "training between them": (training_between, (SRC, TGT)),
    "training between them, by name": (training_between, NAMED),
    "any number": (any_number, (SRC, TGT)),
    "any name": (any_name, NAMED),
    "one tuple": (one_tuple, (SRC, TGT)),
    "one dict": (one_dict, NAMED),
    "one dict with the names of the arguments": (dict_like_the_arguments, NAMED),
}


@pytest.mark.parametrize(("call", "inputs"), TAKEN.values(), ids=TAKEN)
def test_the_layers_get_their_own_inputs(call, inputs):
    model = holding(call)
    values = aw.activations(model, inputs)
    np.testing.assert_allclose(values["a"], SRC @ model.a.kernel, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(values["b"], TGT @ model.b.kernel, rtol=1e-4, atol=1e-5)
    for path in "ab":
        parts = aw.activations(model, inputs, path, batch_size=2)[path]
        np.testing.assert_allclose(parts, values[path], rtol=1e-4, atol=1e-5)
        assert aw.layer_tree(model, inputs)[path].output_shape == (None, 3)
    np.testing.assert_allclose(aw.compare(model, inputs, inputs)["a"], 0, atol=1e-6)


@pytest.mark.parametrize(("call", "inputs"), TAKEN.values(), ids=TAKEN)
def test_an_explorer_gives_them_in_every_way(call, inputs):
    assert in_every_way(aw.LayerExplorer(holding(call), inputs)) == (2, 0)


def test_what_was_left_out_stays_out():
    model = holding(with_default)
    for inputs in (SRC, (SRC, None), {"src": SRC}, {"src": SRC, "tgt": None}):
        values = aw.activations(model, inputs)
        assert list(values) == ["a"]
        np.testing.assert_allclose(values["a"], SRC @ model.a.kernel, rtol=1e-4, atol=1e-5)


def test_an_edited_model_is_called_as_the_model_is():
    model = holding(plain)
    want = as_array(model(SRC, TGT))
    edited = aw.edit(model, {"a": aw.Ablate([0, 1, 2])})
    expected = TGT @ model.b.kernel
    np.testing.assert_allclose(edited(SRC, TGT), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(edited(src=SRC, tgt=TGT), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(aw.activations(edited, NAMED, "b")["b"], expected, rtol=1e-4, atol=1e-5)
    assert_close(model(SRC, TGT), want)


def test_a_flag_goes_to_the_model_as_it_is():
    def call(self, src, *, twice=False, factor=1.0):
        assert isinstance(twice, bool)
        return self.a(self.a(src) if twice else src) * factor

    model = holding(call)
    model.a.units = 4
    assert list(aw.activations(model, {"src": SRC, "twice": True, "factor": 2.0}, batch_size=2)) == ["a", "a@1"]
    assert list(aw.activations(model, {"src": SRC, "twice": False})) == ["a"]


WRONG = {
    "an array": (
        SRC,
        r"call\(src, tgt\).*\(src, tgt\), or a dict by name, \{'src': \.\.\., 'tgt': \.\.\.\}; got ndarray",
    ),
    "a list of one": ([SRC], "got a list of 1"),
    "three": ((SRC, TGT, TGT), "got a tuple of 3"),
    "a name missing": ({"src": SRC}, r"missing \['tgt'\]"),
    "a name unknown": ({"src": SRC, "target": TGT}, r"missing \['tgt'\], unknown \['target'\]"),
    "of another width": ((SRC[:, :3], TGT), "can't take these inputs"),
}


@pytest.mark.parametrize(("inputs", "message"), WRONG.values(), ids=WRONG)
def test_what_is_no_set_of_arguments_is_refused_with_their_names(inputs, message):
    model = holding(plain)
    model(SRC, TGT)
    for look in (aw.layer_tree, aw.activations, aw.LayerExplorer):
        with pytest.raises(InvalidInputsError, match=message):
            look(model, inputs)


def any_other_name(self, src, tgt, **more):  # noqa: ARG001 - only its place matters
    return self.a(src) + self.b(tgt)


@pytest.mark.parametrize("call", [plain, any_other_name])
def test_training_is_no_input(call):
    with pytest.raises(InvalidInputsError, match=r"got a dict of .*: unknown \['training'\]\.$"):
        aw.activations(holding(call), {**NAMED, "training": True})


SPREAD = {
    "one argument": (one_tuple, (SRC, TGT), [""]),
    "a tuple that may be one argument": (with_default, (SRC, TGT), ["", "positions"]),
    "a dict of several names": (with_default, NAMED, ["names", ""]),
    "a dict of one name": (with_default, {"src": SRC}, ["", "names"]),
    "an array": (with_default, SRC, [""]),
    "several that are needed": (plain, (SRC, TGT), ["positions"]),
    "with training between them": (training_between, (SRC, TGT), ["", "names"]),
    "more than there are": (with_default, (SRC, TGT, TGT, TGT), [""]),
    "any number of them": (any_number, (SRC, TGT, TGT), ["positions", ""]),
}


@pytest.mark.parametrize(("call", "inputs", "ways"), SPREAD.values(), ids=SPREAD)
def test_the_ways_in_which_inputs_may_be_meant_come_with_the_likeliest_first(call, inputs, ways):
    signature, model = Signature(holding(call)), holding(call)
    found = signature.ways(inputs)
    assert [spread for spread, _ in found] == ways
    for spread, value in found:
        args, kwargs = arguments(value, spread)
        inspect.signature(model.call).bind(*args, **kwargs)  # as Python has it


def test_a_budget_is_checked_before_such_a_model_runs():
    ran = []

    def call(self, src, tgt):
        ran.append(not isinstance(src, keras.KerasTensor) and hasattr(src, "numpy"))
        return self.a(src) + self.b(tgt)

    model = holding(call, build=lambda self, src_shape, tgt_shape: (self.a.build(src_shape), self.b.build(tgt_shape)))
    model(SRC, TGT)
    ran.clear()
    with pytest.raises(aw.errors.MemoryBudgetError, match="take 72 bytes"):
        aw.activations(model, (SRC, TGT), max_bytes=71)
    assert not any(ran)


# A model of nodes and edges: no input has a batch axis, and they differ in length.
NODES, EDGES = zoo.noise(5, 4), np.array([[0, 1], [1, 2], [4, 0]])


class Graph(keras.Model):
    def __init__(self):
        super().__init__(name="graph")
        self.embed, self.read = layers.Dense(3, name="embed"), layers.Dense(2, name="read")

    def call(self, inputs):
        nodes, edges = inputs
        y = self.embed(nodes)
        return self.read(ops.take(y, edges[:, 0], axis=0) * ops.take(y, edges[:, 1], axis=0))


def in_two_arguments():
    class Two(Graph):
        def call(self, nodes, edges):
            return super().call((nodes, edges))

    return Two()


@pytest.mark.parametrize("build", [Graph, in_two_arguments])
def test_inputs_of_different_lengths_are_one_sample_in_one_pass(build):
    model = build()
    values = aw.activations(model, (NODES, EDGES), batch_size=1)
    embedded = NODES @ model.embed.kernel
    np.testing.assert_allclose(values["embed"], embedded, rtol=1e-4, atol=1e-5)
    read = (embedded[EDGES[:, 0]] * embedded[EDGES[:, 1]]) @ model.read.kernel
    np.testing.assert_allclose(values["read"], read, rtol=1e-4, atol=1e-5)
    tree = aw.layer_tree(model, (NODES, EDGES))
    assert [tree["embed"].output_shape, tree["read"].output_shape] == [(5, 3), (3, 2)]
    explorer = aw.LayerExplorer(model, (NODES, EDGES))
    assert in_every_way(explorer) == (2, 0)
    with pytest.raises(aw.errors.SampleError):
        explorer.sample = 1
    assert "one sample" in explorer._screen.status.value
    with pytest.raises(aw.errors.MemoryBudgetError, match="take 84 bytes"):
        aw.activations(model, (NODES, EDGES), max_bytes=83)


def test_no_edges_are_edges_too():
    values = aw.activations(Graph(), (NODES, EDGES[:0]))
    assert (values["embed"].shape, values["read"].shape) == ((5, 3), (0, 2))


def test_a_functional_model_takes_them_where_it_runs_on_them():
    x, memory = keras.Input((4,), name="x"), keras.Input((4,), name="memory")
    near = ops.softmax(ops.matmul(layers.Dense(3, name="of_x")(x), ops.transpose(layers.Dense(3, name="m")(memory))))
    model = keras.Model([x, memory], layers.Dense(2, name="out")(ops.matmul(near, memory)), name="net")
    given = [zoo.noise(2, 4), zoo.noise(7, 4, seed=1)]
    values = aw.activations(model, given, batch_size=1)
    np.testing.assert_allclose(values["out"], model(given), rtol=1e-4, atol=1e-5)
    assert values["m"].shape == (7, 3)
    assert in_every_way(aw.LayerExplorer(model, given))[1] == 0


def test_a_model_that_does_not_run_on_them_says_how_long_each_is():
    def added(self, src, tgt):
        return self.a(src) + self.b(tgt)

    with pytest.raises(InvalidInputsError, match=r"same number of samples: 'src' has 3, 'tgt' has 2\. It does not run"):
        aw.activations(holding(added), {"src": SRC, "tgt": TGT[:2]})
