"""`edit` changes what flows, and only that."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import actwidget as aw
from actwidget.errors import ChannelError, LayerNotFoundError, NotCapturableError, OptionError
from actwidget.keras_internals.versions import NAMED_INPUTS_NEEDED, PREDICT_NEEDS_ALL_INPUTS
from tests.capture import zoo
from tests.capture.deep_witness import as_array
from tests.rounding import assert_close


def residual():
    """Two layers with a way around the second; the sums are easy by hand."""
    x = keras.Input((3,), name="x")
    first = layers.Dense(3, name="first")(x)
    second = layers.Dense(3, name="second")(first)
    return keras.Model(x, layers.Add(name="sum")([first, second]), name="residual")


def by_hand(model, x, first_change=lambda v: v, second_change=lambda v: v):
    (k1, b1), (k2, b2) = (model.get_layer(name).get_weights() for name in ("first", "second"))
    first = first_change(x @ k1 + b1)
    return first + second_change(first @ k2 + b2)


def ablated(channels, value=0.0):
    def change(values):
        values = values.copy()
        values[..., channels] = value
        return values

    return change


CHANGES = {
    "ablate": (lambda: aw.Ablate([0, 2]), ablated([0, 2])),
    "ablate to a value": (lambda: aw.Ablate(1, value=2.5), ablated([1], 2.5)),
    "ablate from the end": (lambda: aw.Ablate([-1]), ablated([2])),
    "scale": (lambda: aw.Scale([1], 3.0), lambda v: v * np.array([1, 3, 1])),
    "replace by one sample": (
        lambda: aw.Replace(np.array([1.0, 2.0, 3.0])),
        lambda v: np.broadcast_to([1, 2, 3], v.shape),
    ),
    "replace by a batch": (lambda: aw.Replace(np.ones((1, 3))), np.ones_like),
    "a keras layer": (layers.ReLU, lambda v: np.maximum(v, 0)),
    "a callable": (lambda: lambda v: v * 2 + 1, lambda v: v * 2 + 1),
    "decided at run time": (
        lambda: lambda v: keras.ops.where(keras.ops.mean(v, axis=-1, keepdims=True) > 0, v, -v),
        lambda v: np.where(v.mean(axis=-1, keepdims=True) > 0, v, -v),
    ),
}


@pytest.mark.parametrize(
    "run", [lambda m, x: as_array(m(x)), lambda m, x: m.predict(x, verbose=0)], ids=["call", "predict"]
)
@pytest.mark.parametrize("layer", ["first", "second"])
@pytest.mark.parametrize(("make", "change"), CHANGES.values(), ids=CHANGES)
def test_what_goes_on_is_changed_through_skip_connections(make, change, layer, run):
    model, x = residual(), zoo.noise(5, 3)
    edited = aw.edit(model, {layer: make()})
    np.testing.assert_allclose(run(edited, x), by_hand(model, x, **{f"{layer}_change": change}), rtol=1e-5, atol=1e-5)


def test_selectors_of_all_kinds_are_taken():
    model, x = residual(), zoo.noise(2, 3)
    expected = by_hand(model, x, first_change=ablated([0]))
    for selector in ("first", 1, -3, model.get_layer("first"), "first@0", "first:0"):
        np.testing.assert_allclose(aw.edit(model, {selector: aw.Ablate(0)})(x), expected, rtol=1e-5, atol=1e-5)


def test_the_model_itself_is_as_before():
    model, x = residual(), zoo.noise(4, 3)
    before = as_array(model(x))
    nodes = [(op.name, len(op._inbound_nodes), len(op._outbound_nodes)) for op in model.operations]
    edited = aw.edit(model, {"first": aw.Ablate(0), "second": lambda v: v * 2})
    edited(x)
    edited.predict(x, verbose=0)
    np.testing.assert_array_equal(as_array(model(x)), before)
    assert [(op.name, len(op._inbound_nodes), len(op._outbound_nodes)) for op in model.operations] == nodes
    assert [layer.name for layer in model.layers] == ["x", "first", "second", "sum"]


def test_only_the_chosen_call_of_a_shared_layer_changes():
    x = keras.Input((3,), name="x")
    shared = layers.Dense(3, name="shared", use_bias=False)
    model = keras.Model(x, [first := shared(x), shared(first)])
    value = zoo.noise(2, 3)
    (kernel,) = shared.get_weights()
    once = value @ kernel

    second = aw.edit(model, {"shared@1": aw.Ablate(0)})(value)
    assert_close(second[0], once)
    assert_close(second[1], ablated([0])(once @ kernel))

    both = aw.edit(model, {"shared": aw.Ablate(0)})(value)
    assert_close(both[0], ablated([0])(once))
    assert_close(both[1], ablated([0])(once) @ kernel)


def test_an_input_can_be_edited():
    model, x = residual(), zoo.noise(2, 3)
    assert_close(aw.edit(model, {"x": aw.Scale([0, 1, 2], 2.0)})(x), model(x * 2))


def difference():
    """Two inputs, of which the first declared is the last by name."""
    z, a = keras.Input((1,), name="z"), keras.Input((1,), name="a")
    return keras.Model([z, a], layers.Subtract(name="subtract")([z, a]), name="difference")


@pytest.mark.filterwarnings("ignore:The structure of `inputs`:UserWarning")
@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize(
    "more", [{}, {"unused": np.array([[9.0]], "float32")}], ids=["as declared", "with one too many"]
)
def test_inputs_given_by_name_keep_their_places_when_one_is_edited(more, nested):
    class Outer(keras.Model):
        def __init__(self):
            super().__init__(name="outer")
            self.inner = difference()

        def call(self, inputs):
            others = keras.tree.map_structure(keras.ops.convert_to_tensor, more)
            return self.inner({"z": inputs["z"], "a": inputs["a"], **others})

    model, x = (Outer(), {}) if nested else (difference(), more)
    x = {"z": np.array([[5.0]], "float32"), "a": np.array([[1.0]], "float32"), **x}
    model(x)
    edited = aw.edit(model, {"difference/z" if nested else "z": aw.Scale(0, 2.0)})
    np.testing.assert_array_equal(edited(x), [[9.0]])


def test_inside_nested_and_subclassed_models():
    class Outer(keras.Model):
        def __init__(self):
            super().__init__(name="outer")
            self.inner = residual()
            self.head = layers.Dense(2, name="head", use_bias=False)

        def call(self, inputs):
            return self.head(self.inner(inputs))

    model, x = Outer(), zoo.noise(4, 3)
    model(x)
    edited = aw.edit(model, {"residual/first": aw.Ablate([1])})
    expected = by_hand(model.inner, x, first_change=ablated([1])) @ model.head.get_weights()[0]
    np.testing.assert_allclose(edited(x), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(edited.predict(x, verbose=0), expected, rtol=1e-5, atol=1e-5)


def test_masks_go_on():
    tokens = keras.Input((5,), dtype="int32")
    y = layers.Embedding(9, 4, mask_zero=True, name="embedding")(tokens)
    model = keras.Model(tokens, layers.LSTM(3, name="lstm")(y))
    x = np.array([[1, 2, 0, 0, 0], [3, 4, 5, 6, 7]])
    same = aw.edit(model, {"embedding": lambda v: v * 1})
    assert_close(same(x), model(x))
    doubled = aw.edit(model, {"embedding": aw.Scale(range(4), 2.0)})(x)
    table = model.get_layer("embedding").get_weights()[0] * 2
    masked = model.get_layer("lstm")(keras.ops.convert_to_tensor(table[x]), mask=keras.ops.convert_to_tensor(x != 0))
    assert_close(doubled, masked)


def test_attention_is_edited_per_head_projection():
    x = keras.Input((4, 6))
    model = keras.Model(x, layers.MultiHeadAttention(2, 3, name="attention")(x, x))
    value = zoo.noise(2, 4, 6)
    silent = aw.edit(model, {"attention/value": lambda v: v * 0})(value)
    bias = model.get_layer("attention").get_weights()[-1]
    np.testing.assert_allclose(silent, np.broadcast_to(bias, silent.shape), atol=1e-6)


def test_an_edited_model_is_explored_under_the_same_paths():
    model, x = residual(), zoo.noise(2, 3)
    edited = aw.edit(model, {"first": aw.Ablate([0])})
    assert [node.path for node in aw.layer_tree(edited)] == [node.path for node in aw.layer_tree(model)]
    values = aw.activations(edited, x)
    np.testing.assert_array_equal(values["first"][:, 0], 0)
    assert_close(values["sum"], edited(x))
    assert_close(aw.submodel(edited, "second").predict(x, verbose=0), values["second"])


def within(edited, shape=(3,)):
    """An edited model that works inside another one."""
    x = keras.Input(shape, name="outer_input")
    return keras.Model(x, edited(x), name="big")


def test_an_edited_model_in_another_shows_what_flows():
    model, x = residual(), zoo.noise(4, 3)
    big = within(aw.edit(model, {"x": aw.Scale(0, 2.0), "first": aw.Ablate(0), "second": lambda v: v + 1}))
    values = aw.activations(big, x)
    inside = {path.rpartition("/")[2]: value for path, value in values.items()}
    doubled = x * np.array([2, 1, 1])
    assert_close(inside["x"], doubled)
    first = ablated([0])(doubled @ model.get_layer("first").get_weights()[0])
    np.testing.assert_allclose(inside["first"], first, rtol=1e-5, atol=1e-5)
    second = first @ model.get_layer("second").get_weights()[0] + 1
    np.testing.assert_allclose(inside["second"], second, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(inside["sum"], first + second, rtol=1e-5, atol=1e-5)
    for path, value in values.items():  # each by itself, when the pass ends early
        assert_close(aw.activations(big, x, path)[path], value)
    wanted = "residual_edited/residual/first"
    np.testing.assert_allclose(aw.submodel(big, wanted).predict(x, verbose=0), first, rtol=1e-5, atol=1e-5)


def test_the_tree_of_a_model_with_an_edited_one_inside_shows_no_edits():
    tree = aw.layer_tree(within(aw.edit(residual(), {"first": aw.Ablate(0), "second": lambda v: v + 1})))
    assert [(node.path, node.origin) for node in tree] == [
        ("outer_input", "functional"),
        ("residual_edited", "functional"),
        ("residual_edited/residual", "tapped"),
        ("residual_edited/residual/x", "tapped"),
        ("residual_edited/residual/first", "tapped"),
        ("residual_edited/residual/second", "tapped"),
        ("residual_edited/residual/sum", "tapped"),
    ]


def test_an_edited_model_in_an_edited_model_is_changed_by_both_in_turn():
    model, x = residual(), zoo.noise(4, 3)
    big = within(aw.edit(model, {"first": lambda v: v + 1}))
    twice = aw.edit(big, {"residual_edited/residual/first": aw.Scale(0, 2.0)})
    expected = by_hand(model, x, lambda v: (v + 1) * np.array([2, 1, 1]))
    np.testing.assert_allclose(twice(x), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(twice.predict(x, verbose=0), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("nested", [False, True])
def test_attention_scores_follow_from_the_edits_inside(nested):
    x = keras.Input((4, 6))
    model = keras.Model(x, layers.MultiHeadAttention(2, 3, name="attention")(x, x))
    edited = aw.edit(model, {"attention/query": lambda v: v * 0})
    values = aw.activations(within(edited, (4, 6)) if nested else edited, zoo.noise(2, 4, 6))
    scores = next(value for path, value in values.items() if path.endswith("attention/scores"))
    assert_close(scores, np.full((2, 2, 4, 4), 0.25))  # all keys are alike to no query


def test_edits_add_up():
    model, x = residual(), zoo.noise(2, 3)
    twice = aw.edit(aw.edit(model, {"first": aw.Ablate(0)}), {"second": aw.Ablate(1), "first": aw.Scale(1, 2.0)})
    expected = by_hand(model, x, lambda v: ablated([0])(v) * np.array([1, 2, 1]), ablated([1]))
    np.testing.assert_allclose(twice(x), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "make", [lambda: aw.Ablate([0, 1], 0.5), lambda: aw.Scale(2, -1.0), lambda: aw.Replace(np.arange(3.0))]
)
def test_edited_models_are_saved_and_loaded(make, tmp_path):
    model, x = residual(), zoo.noise(3, 3)
    edited = aw.edit(model, {"second": make()})
    expected = as_array(edited(x))
    edited.save(tmp_path / "edited.keras")
    again = keras.saving.load_model(tmp_path / "edited.keras")
    assert_close(again.predict(x, verbose=0), expected)


def test_an_edited_model_can_be_trained_and_trains_the_models_own_weights():
    model, x = residual(), zoo.noise(16, 3)
    edited = aw.edit(model, {"first": aw.Ablate([0])})
    before = [weight.copy() for weight in model.get_weights()]
    edited.compile("sgd", "mse")
    edited.fit(x, np.ones((16, 3)), verbose=0)
    kernel, after = before[0], model.get_weights()[0]
    np.testing.assert_array_equal(after[:, 0], kernel[:, 0])  # no gradient through what is ablated
    assert np.abs(after[:, 1:] - kernel[:, 1:]).max() > 0


def test_a_layer_with_weights_of_its_own_is_built_in():
    model, x = residual(), zoo.noise(3, 3)
    inserted = layers.Dense(3, kernel_initializer="zeros", bias_initializer="ones", name="inserted")
    edited = aw.edit(model, {2: inserted})
    np.testing.assert_allclose(edited(x), by_hand(model, x, second_change=np.ones_like), rtol=1e-5, atol=1e-5)
    assert len(edited.trainable_weights) == len(model.trainable_weights) + 2


class Blind:
    """A callable of which Python can't tell the arguments, as of some that are written in C."""

    __signature__ = "none"

    def __call__(self, values):
        return values


WRONG = {
    "a channel too high": ({"first": lambda: aw.Ablate([3])}, ChannelError, r"channels from 0 to 2 .*got 3"),
    "a channel too low": ({"first": lambda: aw.Scale(-4, 2.0)}, ChannelError, r"channels from 0 to 2 .*got -4"),
    "no such layer": ({"frist": lambda: aw.Ablate(0)}, LayerNotFoundError, "Closest: 'first'"),
    "another shape": ({"first": lambda: layers.Dense(5)}, OptionError, r"must keep its shape \(None, 3\).*\(None, 5\)"),
    "an array that does not fit": ({"first": lambda: aw.Replace(np.ones(4))}, OptionError, r"shape \(3,\).*got \(4,\)"),
    "no layer": ({"first": lambda: 3.0}, OptionError, "Keras layer or a callable to put behind 'first', got 3.0"),
    "a callable of unknown arguments": ({"first": Blind}, OptionError, r"lambda v: f\(v\)"),
    "a class": ({"first": lambda: layers.ReLU}, OptionError, "Keras layer or a callable"),
}


@pytest.mark.parametrize(("edits", "error", "text"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_put_in_is_refused_at_once(edits, error, text):
    with pytest.raises(error, match=text):
        aw.edit(residual(), {selector: make() for selector, make in edits.items()})


def test_no_dict_of_edits_is_refused():
    with pytest.raises(OptionError, match="Expected a dict"):
        aw.edit(residual(), [aw.Ablate(0)])


def test_what_runs_inside_a_loop_is_refused():
    class Own(layers.LSTMCell):
        pass

    model = keras.Sequential([keras.Input((4, 3)), layers.RNN(Own(2, name="own"), name="loop")])
    with pytest.raises(NotCapturableError, match="once a time step, inside the loop of 'loop'"):
        aw.edit(model, {"loop/own": aw.Ablate(0)})
    model = keras.Sequential([keras.Input((4, 3)), layers.LSTM(2, name="lstm")])
    with pytest.raises(OptionError, match="the loop of 'lstm' computes these values itself"):
        aw.edit(model, {"lstm/lstm_cell": aw.Ablate(0)})


def test_attention_scores_are_refused_since_nothing_takes_them_from_there():
    x = keras.Input((4, 6))
    model = keras.Model(x, layers.MultiHeadAttention(2, 3, name="attention")(x, x))
    with pytest.raises(OptionError, match=r"got 'attention/scores'.*Put the change behind 'attention'"):
        aw.edit(model, {"attention/scores": aw.Ablate(0)})


# One product need not be rounded alike twice: that hangs on where its numbers lie in memory. Single precision would
# be off by 1e-8 and more.
DOUBLE = {"rtol": 1e-12, "atol": 1e-13}
NO_CHANGE = {
    "ablate": lambda: aw.Ablate([]),
    "scale": lambda: aw.Scale([0, 1, 2], 1.0),
    "a callable": lambda: lambda v: v,
    "a keras layer": lambda: layers.Activation("linear"),
}


@pytest.fixture
def policy():
    """Sets the global dtype policy for one test."""
    before = keras.config.dtype_policy()
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy(before)


@pytest.mark.backend("tensorflow", "torch")
@pytest.mark.parametrize("make", [NO_CHANGE[name] for name in ("ablate", "scale", "a callable")])
def test_a_model_in_double_precision_keeps_it(make, policy):
    policy("float64")
    model, x = residual(), np.random.default_rng(0).normal(size=(4, 3))
    policy("float32")
    edited = aw.edit(model, {"x": make(), "first": make()})
    np.testing.assert_allclose(edited(x), model(x), **DOUBLE)
    seen = []
    aw.edit(model, {"first": lambda v: (seen.append(keras.backend.standardize_dtype(v.dtype)), v)[1]})(x)
    assert set(seen) == {"float64"}
    array = np.random.default_rng(1).normal(size=(4, 3))
    replaced = aw.edit(model, {"second": aw.Replace(array)})(x)
    np.testing.assert_allclose(replaced, aw.activations(model, x, "first")["first"] + array, **DOUBLE)


@pytest.mark.parametrize("make", NO_CHANGE.values(), ids=NO_CHANGE)
def test_a_model_keeps_its_dtype_under_another_global_policy(make, policy):
    model, x = residual(), zoo.noise(4, 3)
    policy("mixed_float16")
    output = aw.edit(model, {"second": make()})(x)
    assert keras.backend.standardize_dtype(output.dtype) == "float32"
    rounding = 1e-2 if isinstance(make(), layers.Activation) else 1e-6  # which casts by the policy
    np.testing.assert_allclose(output, model(x), rtol=rounding, atol=rounding)


@pytest.mark.parametrize("make", NO_CHANGE.values(), ids=NO_CHANGE)
def test_a_model_in_half_precision_goes_on_in_it(make):
    class Half(keras.Model):
        def __init__(self):
            super().__init__(name="half")
            self.a, self.b = (layers.Dense(3, dtype="mixed_float16", name=name) for name in "ab")

        def call(self, inputs):
            return tf.matmul(self.a(inputs), self.b(inputs), transpose_b=True)

    model, x = Half(), zoo.noise(4, 3)
    model(x)
    edited = aw.edit(model, {"a": make()})
    np.testing.assert_allclose(edited(x), model(x), rtol=2e-3, atol=2e-3)
    assert keras.backend.standardize_dtype(edited(x).dtype) == "float16"


@keras.saving.register_keras_serializable(package="test_edit")
def flip_if_negative(values):
    """Decides on the value, as only Python can."""
    if float(values[0, 0]) < 0:
        return -values
    return values


def test_a_layer_of_several_outputs_is_refused_at_once():
    x = keras.Input((4, 3))
    model = keras.Model(x, layers.Dense(3, name="dense")(x))
    with pytest.raises(OptionError, match=r"must keep its shape \(None, 4, 3\); 'lstm' gives"):
        aw.edit(model, {"dense": layers.LSTM(3, return_state=True, name="lstm")})


@pytest.mark.backend("tensorflow")
def test_text_that_only_a_run_shows_is_refused_when_it_runs():
    class Words(keras.Model):
        def __init__(self):
            super().__init__(name="words")
            self.text = layers.Lambda(tf.strings.as_string, name="text")
            self.built = True

        def call(self, inputs):
            return tf.strings.length(self.text(inputs))

    edited = aw.edit(Words(), {"text": aw.Ablate(0)})
    with pytest.raises(OptionError, match="to change, got text"):
        edited(zoo.noise(2, 3))


@pytest.mark.parametrize("kind", [list, pytest.param(dict, marks=pytest.mark.not_where(NAMED_INPUTS_NEEDED))])
def test_an_optional_input_can_be_left_out_of_an_edited_model_too(kind):
    class Sum(layers.Layer):
        def call(self, a, b=None):
            return a if b is None else a + b

    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b", optional=True)
    inputs = kind([a, b]) if kind is list else {"a": a, "b": b}
    model = keras.Model(inputs, Sum(name="sum")(a, b))
    value = zoo.noise(2, 3)
    without = [value, None] if kind is list else {"a": value, "b": None}
    edited = aw.edit(model, {"sum": aw.Scale(0, 2.0)})
    expected = value * [2, 1, 1]
    runs = [edited, lambda x: aw.activations(edited, x)["sum"]]
    if not PREDICT_NEEDS_ALL_INPUTS.applies:
        runs.append(lambda x: edited.predict(x, verbose=0))
    for run in runs:
        assert_close(run(without), expected)
    assert set(aw.activations(edited, without)) == {"a", "sum"}
    with pytest.raises(NotCapturableError, match=r"edit of 'b' .*'b' gave no tensor for this batch"):
        aw.edit(model, {"b": aw.Ablate(0)})(without)
    allowed = aw.edit(model, {"b": aw.Ablate(0)}, allow_unreached=True)
    assert_close(allowed(without), value)
