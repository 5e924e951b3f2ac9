"""The effect of a channel is what the answer loses when the channel is set to a value, found by editing each alone."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

import actwidget as aw
from actwidget.errors import InvalidInputsError, LayerNotFoundError, OptionError
from actwidget.explain.downstream import Downstream
from actwidget.explain.effects import effect_steps
from tests.capture import odd_zoo, zoo


def softmax_net() -> keras.Model:
    x = keras.Input((6, 6, 2), name="x")
    y = layers.Conv2D(5, 3, activation="relu", name="conv")(x)
    y = layers.BatchNormalization(name="norm")(y)
    side = layers.Conv2D(5, 1, name="side")(y)
    y = layers.Add(name="sum")([y, side])
    return keras.Model(x, layers.Dense(3, activation="softmax", name="top")(layers.Flatten()(y)), name="net")


def total(outputs: Any) -> Any:
    """A score of any model: the sum of all numbers that it gives for a sample."""
    flat = [ops.cast(each, "float32") for each in keras.tree.flatten(outputs)]
    return sum(ops.sum(ops.reshape(each, (ops.shape(each)[0], -1)), axis=-1) for each in flat)


def by_editing(model: keras.Model, x: Any, path: str, score: Callable[[Any], Any], value: float = 0.0) -> np.ndarray:
    """The effect of each channel on the last axis, by one edited model for each."""

    def run(edited: keras.Model) -> np.ndarray:
        outputs = edited(*x, training=False) if isinstance(x, tuple) else edited(x, training=False)
        return np.asarray(ops.convert_to_numpy(ops.cast(score(outputs), "float32")))

    same = run(aw.edit(model, {path: lambda v: v}, inputs=x))
    count = aw.activations(model, x, path)[path].shape[-1]
    falls = [same - run(aw.edit(model, {path: aw.Ablate(each, value)}, inputs=x)) for each in range(count)]
    return np.stack(falls, axis=-1)


def editable(model: keras.Model, x: Any) -> Iterator[str]:
    """Paths with float channels on the last axis behind which something can be put, one of each class of layer."""
    classes = set()
    for node in aw.layer_tree(model, x):
        is_plain = node.origin != "opaque" and node.dtype.startswith(("float", "bfloat")) and node.output_shape
        if is_plain and len(node.output_shape) > 1 and node.class_name not in classes:
            try:
                aw.edit(model, {node.path: aw.Ablate(0)}, inputs=x)
            except OptionError:
                continue
            classes.add(node.class_name)
            yield node.path


def of_one_number_a_sample(model: keras.Model, x: Any) -> bool:
    size = len(keras.tree.flatten(x)[0])
    outputs = keras.tree.flatten(model(x, training=False))
    return all(len(each.shape) > 0 and each.shape[0] == size and each.dtype != "string" for each in outputs)


KINDS = [
    zoo.dense,
    zoo.convolutional,
    zoo.one_dimensional,
    zoo.unet,
    zoo.siamese,
    zoo.lstm_translator,
    zoo.masked,
    zoo.transformer,
    zoo.attention_scores,
    zoo.dict_inputs,
    zoo.nested_inputs,
    zoo.nested,
    zoo.half_precision,
    zoo.shared_elsewhere,
    odd_zoo.functional_in_functional,
    odd_zoo.sequential_around_a_base,
    odd_zoo.doubly_nested,
    odd_zoo.nested_called_twice,
    odd_zoo.nested_with_two_of_each,
    odd_zoo.nested_with_a_dict,
    odd_zoo.subclassed_in_functional,
    odd_zoo.functional_in_subclassed,
    odd_zoo.masks_through_nested,
    odd_zoo.masking_before_nested,
    odd_zoo.custom_layer,
    odd_zoo.gives_a_dict,
    odd_zoo.half_precision_nested,
    odd_zoo.control_flow,
]


@pytest.mark.parametrize("made", KINDS, ids=lambda made: made.__name__)
def test_the_effect_is_the_fall_of_the_score_in_a_model_with_that_channel_set_to_the_value(made: Any) -> None:
    keras.utils.set_random_seed(0)
    model, x = made()
    tolerance = 2e-2 if "half" in made.__name__ else 2e-4
    checked = 0
    for path in [*editable(model, x)][:3]:
        found = aw.channel_effects(model, x, path, total, value=0.5)
        expected = by_editing(model, x, path, total, 0.5)
        if found.shape == expected.shape:  # of channels on another axis there is a test of its own
            np.testing.assert_allclose(found, expected, atol=tolerance, rtol=tolerance, err_msg=path)
            checked += 1
    assert checked


PICTURES = np.random.default_rng(0).normal(size=(5, 6, 6, 2)).astype("float32")


def test_without_a_target_it_is_the_top_class_of_each_sample() -> None:
    model = softmax_net()
    top = np.asarray(model(PICTURES)).argmax(axis=-1)
    found = aw.channel_effects(model, PICTURES, "conv")
    np.testing.assert_array_equal(found, aw.channel_effects(model, PICTURES, "conv", top))
    expected = by_editing(model, PICTURES, "conv", lambda outputs: ops.take_along_axis(outputs, top[:, None], 1)[:, 0])
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_on_logits_it_is_that_of_the_model_without_its_softmax() -> None:
    model = softmax_net()
    bare = keras.Model(model.input, layers.Dense(3, name="bare")(model.layers[-1].input))
    bare.layers[-1].set_weights(model.layers[-1].get_weights())
    found = aw.channel_effects(model, PICTURES, "conv", 1, logits=True)
    np.testing.assert_allclose(found, aw.channel_effects(bare, PICTURES, "conv", 1), atol=1e-5)


def test_the_first_class_of_one_sigmoid_unit_is_the_opposite_of_the_second() -> None:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="hidden"), layers.Dense(1, activation="sigmoid")])
    x = np.random.default_rng(1).normal(size=(2, 4)).astype("float32")
    yes, no = (aw.channel_effects(model, x, "hidden", target) for target in (1, 0))
    np.testing.assert_allclose(yes, -no, atol=1e-6)
    np.testing.assert_array_equal(yes, aw.channel_effects(model, x, "hidden"))


@pytest.mark.parametrize("batch_size", [1, 2, 7, 64])
def test_the_size_of_the_batches_changes_nothing(batch_size: int) -> None:
    model = softmax_net()
    expected = aw.channel_effects(model, PICTURES, "norm", 2)
    found = aw.channel_effects(model, PICTURES, "norm", 2, batch_size=batch_size)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_channels_first_are_the_channels() -> None:
    x = keras.Input((3, 4, 4))
    y = layers.BatchNormalization(axis=1, name="norm")(x)
    model = keras.Model(x, layers.Dense(2)(layers.Flatten()(y)))
    value = np.random.default_rng(2).normal(size=(2, 3, 4, 4)).astype("float32")
    found = aw.channel_effects(model, value, "norm", 0)
    same = np.asarray(model(value))[:, 0]
    edits = [aw.edit(model, {"norm": aw.Ablate(channel, axis=1)}) for channel in range(3)]
    expected = np.stack([same - np.asarray(each(value))[:, 0] for each in edits], axis=-1)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_model_that_mixes_the_samples_of_a_batch_gets_all_of_them_at_once() -> None:
    x = keras.Input((4,))
    y = layers.Dense(3, name="hidden")(x)
    model = keras.Model(x, layers.Dense(2)(y - ops.mean(y, axis=0, keepdims=True)))
    value = np.random.default_rng(3).normal(size=(5, 4)).astype("float32")
    expected = by_editing(model, value, "hidden", lambda outputs: outputs[:, 1], 2.0)
    np.testing.assert_allclose(aw.channel_effects(model, value, "hidden", 1, value=2.0), expected, atol=1e-5)


def test_each_step_knows_more_until_the_last_one_knows_all() -> None:
    model = softmax_net()
    steps = list(effect_steps(model, PICTURES, "conv", 1, batch_size=5))
    known = [int(np.isfinite(step.values).sum()) for step in steps]
    assert [step.done for step in steps] == known == [5, 10, 15, 20, 25]
    np.testing.assert_allclose(steps[-1].values, aw.channel_effects(model, PICTURES, "conv", 1), atol=1e-6)


def test_a_second_call_compiles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    model = softmax_net()
    aw.channel_effects(model, PICTURES, "conv", 1)
    traces = []
    monkeypatch.setattr(Downstream, "computed", lambda *_, **__: traces.append("traced"))
    aw.channel_effects(model, PICTURES, "conv", 1)
    assert traces == []


def test_new_weights_and_another_activation_function_are_used() -> None:
    model = softmax_net()
    before = aw.channel_effects(model, PICTURES, "conv", 1)
    side = model.get_layer("side")
    side.set_weights([2 * weight for weight in side.get_weights()])
    scaled = aw.channel_effects(model, PICTURES, "conv", 1)
    side.activation = keras.activations.tanh
    bent = aw.channel_effects(model, PICTURES, "conv", 1)
    assert not np.allclose(before, scaled)
    assert not np.allclose(scaled, bent)
    expected = by_editing(model, PICTURES, "conv", lambda outputs: outputs[:, 1])
    np.testing.assert_allclose(bent, expected, atol=1e-5)


def test_a_model_is_freed_after_its_effects_were_computed() -> None:
    model = softmax_net()
    aw.channel_effects(model, PICTURES, "conv", 1)
    freed = weakref.ref(model)
    del model
    gc.collect()
    assert freed() is None


def test_the_model_is_as_it_was() -> None:
    model = softmax_net()
    before = [np.array(weight) for weight in model.get_weights()]
    nodes = [len(layer._inbound_nodes) for layer in model.layers]
    aw.channel_effects(model, PICTURES, "conv", 1)
    assert [len(layer._inbound_nodes) for layer in model.layers] == nodes
    for weight, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, now)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"target": 3}, OptionError, "from 0 to 2"),
        ({"target": -1}, OptionError, "from 0"),
        ({"target": [0, 1]}, OptionError, "5 of them"),
        ({"target": "espresso"}, OptionError, "callable"),
        ({"target": lambda outputs: outputs}, OptionError, "one number a sample"),
        ({"value": "zero"}, OptionError, "value"),
        ({"batch_size": 0}, OptionError, "batch_size"),
        ({"layer": "nowhere"}, LayerNotFoundError, "nowhere"),
        ({"layer": "top", "logits": True}, OptionError, "logits=False"),
        ({"inputs": np.ones((2, 3))}, InvalidInputsError, "shape"),
        ({"inputs": None}, InvalidInputsError, "got none"),
    ],
)
def test_wrong_arguments_are_errors_that_say_what_was_expected(options: Any, error: Any, text: str) -> None:
    given = {"inputs": PICTURES, "layer": "conv", **options}
    with pytest.raises(error, match=text):
        aw.channel_effects(softmax_net(), **given)


def test_several_outputs_need_a_callable() -> None:
    model, x = zoo.list_inputs()
    with pytest.raises(OptionError, match="2 outputs"):
        aw.channel_effects(model, x, model.layers[-1])
