"""Ablate, Scale and Replace change what they say and nothing else, and refuse what can't hold their numbers."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

import actwidget as aw
from actwidget.errors import ChannelError, OptionError
from actwidget.keras_internals.versions import NO_RAGGED_INPUTS
from tests.capture import zoo
from tests.capture.test_edit import by_hand, residual


@st.composite
def chosen(draw):
    """The shape of an activation, an axis of it, and channels on that axis, counted from either end."""
    shape = draw(st.lists(st.integers(1, 4), min_size=2, max_size=5))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    channels = draw(st.lists(st.integers(-shape[axis], shape[axis] - 1), min_size=1, max_size=4))
    return shape, axis, channels


@settings(max_examples=30)
@given(chosen())
def test_the_chosen_channels_of_any_axis_change_and_no_others(drawn):
    shape, axis, channels = drawn
    x = zoo.noise(*shape)
    ablated, scaled = np.array(x), np.array(x)
    for channel in {channel % shape[axis] for channel in channels}:
        place = (slice(None),) * (axis % len(shape)) + (channel,)
        ablated[place], scaled[place] = 7.5, x[place] * 2
    np.testing.assert_array_equal(aw.Ablate(channels, 7.5, axis=axis)(x), ablated)
    np.testing.assert_array_equal(aw.Scale(channels, 2.0, axis=axis)(x), scaled)


@settings(max_examples=30)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.integers(1, 3))
def test_an_array_for_one_sample_serves_all_and_one_for_a_batch_each_its_own(shape, samples):
    x, one, several = zoo.noise(samples, *shape), zoo.noise(*shape, seed=1), zoo.noise(samples, *shape, seed=2)
    np.testing.assert_array_equal(aw.Replace(one)(x), np.stack([one] * samples))
    np.testing.assert_array_equal(aw.Replace(several)(x), several)


@pytest.mark.parametrize("axis", [-5, 4])
def test_an_axis_that_is_not_there_is_refused(axis):
    with pytest.raises(OptionError, match=f"axis from 0 to 3 for 'cut', got {axis}"):
        aw.Ablate(0, axis=axis, name="cut")(zoo.noise(1, 2, 3, 4))


def test_an_axis_of_open_length_is_refused():
    with pytest.raises(OptionError, match=r"'cut' needs the number of channels, but axis 1 of shape \(None, None, 4\)"):
        aw.Ablate(0, axis=1, name="cut")(keras.Input((None, 4)))


def test_a_channel_beyond_the_last_is_refused():
    for channel in (4, -5):
        with pytest.raises(ChannelError, match=f"channels from 0 to 3 for 'cut', got {channel}"):
            aw.Scale([0, channel], 2.0, name="cut")(zoo.noise(2, 4))


@pytest.mark.parametrize("array", ["text", [1.0, [2.0, 3.0]], None, np.array(["a"])], ids=str)
def test_what_is_no_array_of_numbers_replaces_nothing(array):
    with pytest.raises(OptionError, match="Expected an array of numbers to put in the place of an activation, got"):
        aw.Replace(array)


# As the dtype that comes, what is put there, and what the error says.
OUTSIDE = {
    "uint8": (aw.Ablate(0, 256), "from 0 to 255 .*got 256"),
    "int8": (aw.Ablate(0, -129.0), "from -128 to 127 .*got -129"),
    "bool": (aw.Ablate(0, 2), "from 0 to 1 .*got 2"),
    "uint16": (aw.Scale(0, -1), "from 0 to 65535 .*got -1"),
    "int64": (aw.Ablate(0, 2.0**63), "from -9223372036854775808 to 9223372036854775807 .*got 9.22"),
    "uint32": (aw.Replace(np.array([1, -1], "float16")), "from 0 to 4294967295 .*got -1"),
    "int32": (aw.Replace([0, 2**31]), "from -2147483648 to 2147483647 .*got 2147483648"),
}


@pytest.mark.parametrize(("dtype", "change", "message"), [(of, *more) for of, more in OUTSIDE.items()], ids=OUTSIDE)
def test_a_whole_number_that_the_dtype_does_not_hold_is_refused_and_not_wrapped(dtype, change, message):
    with pytest.raises(OptionError, match=f"numbers {message}"):
        change(np.ones((1, 2), dtype))


def test_the_least_and_the_greatest_number_of_a_dtype_are_held():
    for dtype in ("uint8", "int8", "int64", "uint64"):
        for number in (int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)):
            array = np.array([number, 1], dtype)
            np.testing.assert_array_equal(aw.Replace(array)(np.zeros((1, 2), dtype)), array[np.newaxis])
    assert np.array(aw.Ablate(0, 1)(np.zeros((1, 2), bool))).tolist() == [[True, False]]


def test_each_is_made_again_from_its_config():
    x = zoo.noise(2, 3, 4)
    for layer in (aw.Ablate([0, -1], 2.5, axis=1), aw.Scale(2, -3.0), aw.Replace(zoo.noise(3, 4, seed=1))):
        again = keras.layers.deserialize(keras.layers.serialize(layer))
        np.testing.assert_array_equal(again(x), layer(x))
        assert again.name == layer.name


def test_an_array_for_a_batch_says_how_to_predict_that_batch_at_once():
    model, x = residual(), zoo.noise(70, 3)
    edited = aw.edit(model, {"second": aw.Replace(x)})
    with pytest.raises(OptionError, match=r"batch of 70 samples .*got 32.*predict\(x, batch_size=70\)"):
        edited.predict(x, verbose=0)
    expected = by_hand(model, x, second_change=lambda _: x)
    np.testing.assert_allclose(edited.predict(x, batch_size=70, verbose=0), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("nested", [False, True])
def test_where_an_array_is_for_a_batch_all_samples_go_through_at_once(nested):
    class Outer(keras.Model):
        def __init__(self, inner):
            super().__init__(name="outer")
            self.inner, self.head = inner, layers.Dense(2, name="head")

        def call(self, inputs):
            return self.head(self.inner(inputs))

    model, x = residual(), zoo.noise(70, 3)
    edited = aw.edit(model, {"second": aw.Replace(x)})
    path = "residual_edited/residual/sum" if nested else "sum"
    looked = Outer(edited) if nested else edited
    expected = by_hand(model, x, second_change=lambda _: x)
    for layers_wanted in (path, None):
        found = aw.activations(looked, x, layers_wanted)
        np.testing.assert_allclose(found[path], expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(aw.LayerExplorer(looked, x, layer=path).activation, expected, rtol=1e-5, atol=1e-5)
    with pytest.raises(OptionError, match=r"batch of 70 samples .*got 40"):
        aw.activations(looked, x[:40], path)


def test_channels_of_text_are_refused():
    words = keras.Input((2,), dtype="string", name="words")
    lookup = layers.StringLookup(vocabulary=["a", "b"], name="lookup")
    model = keras.Model(words, lookup(words))
    for change in (aw.Ablate(0), aw.Scale(0, 2.0), aw.Replace([1, 2])):
        with pytest.raises(OptionError, match=f"numbers for '{change.name}' to change, got text"):
            aw.edit(model, {"words": change})


def test_whole_numbers_are_changed_by_whole_numbers_alone():
    tokens = keras.Input((2,), dtype="int32", name="tokens")
    model = keras.Model(tokens, tokens + 0)
    for change, number in (
        (aw.Scale(0, 0.5), "0.5"),
        (aw.Ablate(0, 1.5), "1.5"),
        (aw.Ablate(0, np.nan), "nan"),
        (aw.Replace([1.0, 2.5]), "2.5"),
    ):
        with pytest.raises(OptionError, match=f"whole numbers for '{change.name}' .*'int32', got {number}"):
            aw.edit(model, {"tokens": change})
    x = np.array([[3, 4]], "int32")
    np.testing.assert_array_equal(aw.edit(model, {"tokens": aw.Scale(0, 2.0)})(x), [[6, 4]])
    np.testing.assert_array_equal(aw.edit(model, {"tokens": aw.Ablate(1, 7.0)})(x), [[3, 7]])
    np.testing.assert_array_equal(aw.edit(model, {"tokens": aw.Replace([8.0, 9.0])})(x), [[8, 9]])


@pytest.mark.not_where(NO_RAGGED_INPUTS)
@pytest.mark.parametrize("change", [aw.Ablate(0), aw.Scale(0, 2.0), aw.Replace([1.0, 2.0, 3.0, 4.0])])
def test_numbers_in_a_ragged_tensor_are_refused_when_that_is_known(change):
    with pytest.raises(OptionError, match=f"dense tensor for '{change.name}' to change, got a ragged one"):
        aw.edit(ragged_tokens(), {"embedding": change})


def ragged_tokens():
    x = keras.Input((None,), dtype="int32", ragged=True, name="tokens")
    return keras.Model(x, layers.Embedding(9, 4, name="embedding")(x), name="ragged")
