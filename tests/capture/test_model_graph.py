"""What a graph tells beside the tree: inputs, tensors, which edits matter where, and whether the model has changed."""

from __future__ import annotations

import keras
import pytest
from keras import layers

import actwidget as aw
from actwidget.capture.trace import trace
from actwidget.errors import UnsupportedModelError
from tests.capture import zoo
from tests.capture.test_tap import Stack
from tests.rounding import assert_close


def chain():
    """Three layers, the middle one inside a nested model."""
    x = keras.Input((4,), name="x")
    nested = keras.Sequential([keras.Input((4,)), layers.Dense(4, name="dense")], name="nested")
    return keras.Model(x, layers.Dense(4, name="last")(nested(layers.Dense(4, name="first")(x))), name="chain")


EDITS = {"first": aw.Ablate(0), "nested/dense": aw.Ablate(1), "last": aw.Ablate(2)}


def test_of_a_functional_model_the_edits_up_to_a_path_are_those_that_can_change_it():
    model, x = chain(), zoo.noise(3, 4)
    graph = trace(aw.edit(model, EDITS))
    for path, expected in {"x": 0, "first": 1, "nested": 2, "nested/dense": 2, "last": 3}.items():
        before = graph.edits_before([path])
        assert list(before) == list(EDITS)[:expected]
        # The others change nothing there.
        with_these = aw.edit(model, {each: EDITS[each] for each in before}) if before else model
        value = aw.activations(graph.model, x, path)[path]
        assert_close(aw.activations(with_these, x, path)[path], value)
    assert list(graph.edits_before(["x", "nested"])) == list(EDITS)[:2]


def test_of_a_model_without_a_graph_any_edit_can_change_any_value():
    model = Stack()
    model(zoo.noise(2, 3))
    graph = trace(aw.edit(model, {"block_1": aw.Ablate(0), "block_0": aw.Ablate(1)}))
    assert graph.edits_before(["block_0"]).keys() == {"block_0", "block_1"}


def test_a_model_whose_layers_have_changed_since_is_refused():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(4, name="dense")], name="inner")
    x = keras.Input((4,))
    for model, changed in ((inner, inner), (keras.Model(x, inner(x), name="outer"), inner)):
        graph = trace(model)
        graph.check()
        changed.add(layers.Dense(4, name="added"))
        with pytest.raises(UnsupportedModelError, match=rf"layers of model '{model.name}' have changed\. Make a new"):
            graph.check()
        changed.pop()


def test_inputs_are_named_in_the_order_in_which_keras_flattens_them():
    inputs = {name: keras.Input((2,), name=name) for name in ("words", "age", "late")}
    graph = trace(keras.Model(inputs, layers.Add(name="add")(list(inputs.values()))))
    assert graph.input_names == ["age", "late", "words"]
    assert trace(Stack(), zoo.noise(2, 3)).input_names == []


def test_the_symbolic_tensors_are_those_of_the_models_own_graph():
    model = chain()
    assert list(trace(model).tensors) == ["x", "first", "nested", "last"]
    assert trace(model).tensors["first"] is model.get_layer("first").output
    assert "nested/dense" in trace(model).places


def test_a_value_inside_a_layer_that_runs_for_each_time_step_has_an_axis_of_steps_more():
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(2, name="dense")], name="inner")
    x = keras.Input((5, 6, 3))
    once = layers.TimeDistributed(layers.TimeDistributed(inner, name="each"), name="outer")(x)
    graph = trace(keras.Model(x, layers.Dense(2, name="after")(once)))
    steps = {path: graph.steps(path) for path in graph.nodes}
    assert {path: steps[path] for path in ("outer", "outer/each", "outer/each/inner", "outer/each/inner/dense")} == {
        "outer": 0,
        "outer/each": 1,
        "outer/each/inner": 2,
        "outer/each/inner/dense": 2,
    }
    assert steps["after"] == 0


def test_a_model_is_stateful_where_a_layer_anywhere_in_it_is():
    def stack(*, stateful):
        return keras.Sequential([keras.Input((5, 3), batch_size=2), layers.GRU(2, stateful=stateful)])

    x = keras.Input((5, 3), batch_size=2)
    assert [trace(keras.Model(x, stack(stateful=each)(x))).stateful for each in (True, False)] == [True, False]


# Counted by hand: input layers of functional models count, as `model.layers` has them.
LAYERS = {
    "dense": 4,
    "convolutional": 6,
    "unet": 12,
    "siamese": 5,
    "lstm_translator": 6,
    "bidirectional": 5,
    "transformer": 10,
    "attention_scores": 2,
    "operations": 1,
    "nested": 11,
    "shared_elsewhere": 2,
}


@pytest.mark.parametrize("name", LAYERS)
def test_the_layers_are_those_of_the_summary_without_cells_gates_and_operations(name):
    model, _ = getattr(zoo, name)()
    lines: list[str] = []
    model.summary(expand_nested=True, line_length=400, print_fn=lambda text, **_options: lines.extend(text.split("\n")))
    rows = [line for line in lines if line.startswith("│")]
    graph = trace(model)
    found = graph.layers
    assert graph.tree.layer_count == len(found) == LAYERS[name] == len(rows) - len(operations_of(model))
    assert len({id(layer) for layer in found}) == len(found)


def operations_of(model):
    """The operations of a functional model that are no layers, of which the summary has rows, too."""
    here = [each for each in getattr(model, "operations", []) if not isinstance(each, keras.Layer)]
    inner = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    return sum(map(operations_of, inner), here)


def test_what_a_layer_computes_on_the_way_belongs_to_it_and_an_operation_to_none():
    graph = trace(zoo.lstm_translator()[0])
    gates = [path for path in graph.nodes if path.startswith("encoder/")]
    assert len(gates) > 4
    assert {graph.layer_of(path).name for path in gates} == {"encoder"}
    operations = [path for path in graph.nodes if path.startswith("not_equal")]
    assert [graph.layer_of(path) for path in operations] == [None, None]
    nested = trace(zoo.nested()[0])
    tower = next(node for node in nested.tree if node.name == "tower")
    assert [nested.layer_of(node.path).name for node in (tower, *tower)] == [node.name for node in (tower, *tower)]


def test_a_subclassed_model_has_its_own_layers_and_an_edited_one_those_of_the_model_inside():
    model = Stack()
    model(zoo.noise(2, 3))
    assert trace(model).layers == tuple(model.layers)
    edited = trace(aw.edit(chain(), EDITS))
    assert [layer.name for layer in edited.layers] == ["x", "first", "nested", "dense", "last"]
    assert (edited.tree.layer_count, edited.tree["nested"].layer_count, edited.tree["first"].layer_count) == (5, 1, 0)
