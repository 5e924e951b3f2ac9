"""An ideal input excites its channel more with each step, and its numbers are those of the model itself."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

import actwidget as aw
from actwidget.errors import (
    ActwidgetError,
    ChannelError,
    LayerNotFoundError,
    ModelNotBuiltError,
    NotCapturableError,
    OptionError,
    UnsupportedModelError,
)
from actwidget.explain.excitation.frequencies import FEW, MANY, Filter, waves
from actwidget.explain.excitation.gradient_ascent import excitation_steps
from actwidget.explain.excitation.picture_input import picture_input


def small_net(size: int | None = 16, *start: keras.Layer, activation: str = "softmax") -> keras.Model:
    seeded = keras.initializers.GlorotUniform
    x = y = keras.Input((size, size, 3), name="image")
    for layer in start:
        y = layer(y)
    y = layers.Conv2D(6, 3, activation="relu", kernel_initializer=seeded(0), name="conv")(y)
    y = layers.MaxPooling2D(name="pool")(y)
    y = layers.Conv2D(8, 3, kernel_initializer=seeded(1), name="second")(y)
    y = layers.GlobalAveragePooling2D(name="mean")(y)
    y = layers.Dense(12, activation="relu", kernel_initializer=seeded(2), name="hidden")(y)
    return keras.Model(x, layers.Dense(4, activation, kernel_initializer=seeded(3), name="top")(y), name="small")


def nested() -> keras.Model:
    x = keras.Input((16, 16, 3))
    return keras.Model(x, layers.Dense(2, name="head")(small_net()(x)), name="outer")


class Subclassed(keras.Model):
    def __init__(self) -> None:
        super().__init__(name="subclassed")
        self.conv = layers.Conv2D(5, 3, activation="relu", name="conv")
        self.flat = layers.Flatten()
        self.top = layers.Dense(3, activation="softmax", name="top")

    def call(self, inputs: Any) -> Any:
        return self.top(self.flat(self.conv(inputs)))


def subclassed() -> keras.Model:
    model = Subclassed()
    model(np.zeros((1, 12, 12, 1), "float32"))
    return model


def half() -> keras.Model:
    x = keras.Input((16, 16, 3))
    y = layers.Conv2D(6, 3, activation="relu", dtype="mixed_float16", name="conv")(x)
    y = layers.Flatten()(y)
    return keras.Model(x, layers.Dense(3, activation="softmax", dtype="mixed_float16", name="top")(y))


def shared() -> keras.Model:
    x = keras.Input((12, 12, 3))
    conv = layers.Conv2D(3, 3, padding="same", name="conv")
    return keras.Model(x, layers.GlobalMaxPooling2D()(conv(layers.ReLU()(conv(x)))), name="shared")


def attending() -> keras.Model:
    x = keras.Input((8, 8, 3))
    y = layers.Reshape((16, 12))(x)
    y = layers.MultiHeadAttention(2, 4, name="attention")(y, y)
    return keras.Model(x, layers.Dense(2, activation="sigmoid", name="top")(layers.Flatten()(y)))


def in_a_dict() -> keras.Model:
    x = keras.Input((12, 12, 1), name="image")
    return keras.Model({"image": x}, layers.Conv2D(3, 3, name="conv")(x))


def edited() -> keras.Model:
    return aw.edit(small_net(), {"conv": aw.Ablate(0)})


KINDS = [
    (small_net, "conv", 5),
    (small_net, "hidden", 7),
    (small_net, "top", 2),
    (nested, "small/second", 1),
    (subclassed, "conv", 2),
    (subclassed, "top", 1),
    (half, "conv", 3),
    (half, "top", 1),
    (shared, "conv@1", 2),
    (attending, "attention", 4),
    (in_a_dict, "conv", 0),
    (edited, "second", 2),
]


@pytest.mark.parametrize(("build", "path", "channel"), KINDS, ids=lambda value: getattr(value, "__name__", value))
def test_the_activation_is_that_of_the_model_on_the_image_and_it_has_risen(build, path, channel):
    keras.utils.set_random_seed(4)
    model = build()
    made = aw.excite(model, path, channel, steps=12)
    inputs = {"image": made.image} if build is in_a_dict else made.image
    own = aw.activations(model, inputs, path)[path][..., channel].mean(dtype=np.float64)
    np.testing.assert_allclose(made.activation, own, rtol=2e-3, atol=1e-6)
    assert made.history.shape == (12,)
    assert made.history[-1] == np.float32(made.activation)
    if path != "top":  # of a class the logit rises, and not always the probability
        assert made.activation > made.history[0]
    assert made.image.shape[0] == 1
    assert made.image.min() >= 0
    assert made.image.max() <= 1


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_of_a_class_the_logit_is_climbed(activation):
    model, same = small_net(activation=activation), small_net(activation="linear")
    same.set_weights(model.get_weights())
    made, climbed = (aw.excite(each, "top", 1, steps=6) for each in (model, same))
    np.testing.assert_allclose(made.image, climbed.image, atol=1e-5)
    assert climbed.history[-1] > climbed.history[0]
    np.testing.assert_allclose(made.activation, model(made.image)[0, 1], rtol=1e-5)


def test_one_step_goes_up_the_filtered_gradient_of_the_model():
    """With all waves taken apart, by Fourier's transform, and a gradient of finite differences."""
    weights = np.random.default_rng(3).standard_normal((9, 9, 1)).astype("float32")
    x = keras.Input((9, 9, 1))
    model = keras.Model(x, layers.Dense(1, name="sum")(layers.Flatten()(x)))
    model.set_weights([weights.reshape(81, 1), np.zeros(1)])
    (step,) = excitation_steps(model, "sum", 0, steps=1, seed=5)
    filtering = Filter.of(9, 9, 1)
    coarse, fine = filtering.gains(0.0)
    frequency = np.hypot(np.fft.fftfreq(9)[:, None], np.fft.fftfreq(9)[None])
    known = {round(float(f), 6): gain for f, gain in zip(filtering.frequencies.ravel(), coarse.ravel(), strict=True)}
    gains = np.vectorize(lambda f: known[round(float(f), 6)])(frequency) + fine
    change = np.fft.ifft2(np.fft.fft2(weights[..., 0]) * gains).real
    ascent = step.result.image[0, ..., 0]
    start = np.random.default_rng(np.random.SeedSequence(5).spawn(2)[0]).standard_normal((9, 9, 1))[..., 0]
    start = np.clip(0.5 + 0.02 * start, 0, 1)
    expected = np.clip(0.99 * start + 0.005 + 0.06 * change / np.sqrt(np.mean(change**2)), 0, 1)
    np.testing.assert_allclose(ascent, expected, atol=1e-5)


def test_waves_are_orthonormal_and_what_they_leave_has_the_other_gain():
    basis, frequencies = waves(100, FEW)
    assert basis.shape == (100, FEW)
    assert frequencies.max() == FEW // 2 / 100
    np.testing.assert_allclose(basis.T @ basis, np.eye(FEW), atol=1e-5)
    assert waves(10, MANY)[0].shape == (10, 9)


def test_channels_of_a_list_are_made_as_each_by_itself():
    model = small_net()
    together = aw.excite(model, "conv", [4, 1], steps=4, seed=2)
    assert together.image.shape == (2, 16, 16, 3)
    assert together.activation.shape == (2,)
    assert together.history.shape == (4, 2)
    assert together.channel == (4, 1)
    alone = aw.excite(model, "conv", -5, steps=4, seed=2)
    assert alone.channel == 1
    np.testing.assert_allclose(together.image[1:], alone.image, atol=1e-5)
    np.testing.assert_allclose(together.activation[1], alone.activation, rtol=1e-5)


def test_more_channels_than_fit_into_memory_at_once_are_made_in_equal_groups(monkeypatch):
    model = small_net()
    whole = aw.excite(model, "conv", range(5), steps=3)
    monkeypatch.setattr("actwidget.explain.excitation.ascent.MOST_AT_ONCE", 2)
    parts = aw.excite(model, "conv", range(5), steps=3)
    np.testing.assert_allclose(parts.image, whole.image, atol=1e-5)
    np.testing.assert_allclose(parts.history, whole.history, rtol=1e-4, atol=1e-6)


def test_equal_seeds_give_equal_pictures_and_global_seeds_stay_as_they_are():
    model = small_net()
    np.random.seed(1)  # noqa: NPY002 - it is that state which must stay
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    one, same, other = (aw.excite(model, "conv", 1, steps=3, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.image, same.image)
    assert not np.array_equal(one.image, other.image)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_the_model_stays_as_it_was_and_trained_weights_count():
    model = small_net()
    weights, layer = [each.copy() for each in model.get_weights()], model.get_layer("conv")
    nodes = len(layer._inbound_nodes)
    first = aw.excite(model, "conv", 1, steps=2)
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert len(layer._inbound_nodes) == nodes
    layer.set_weights([-each for each in layer.get_weights()])
    assert not np.allclose(aw.excite(model, "conv", 1, steps=2).image, first.image)


@pytest.mark.parametrize(
    ("start", "given", "expected"),
    [
        ([layers.Rescaling(1 / 255)], None, (0, 255)),
        ([layers.Rescaling(1 / 127.5, -1)], (0, 1), (0, 255)),
        ([layers.Normalization(mean=[0.5] * 3, variance=[0.05] * 3)], (-1, 1), (0, 1)),
        ([], None, (0, 1)),
        ([], (-1, 1), (-1, 1)),
        ([], (0, 255), (0, 255)),
    ],
)
def test_values_are_within_the_range_that_the_model_expects(start, given, expected):
    made = aw.excite(small_net(8, *start), "conv", 0, steps=3, range=given)
    assert made.range == expected
    assert made.image.min() >= expected[0]
    assert made.image.max() <= expected[1]
    assert np.ptp(made.image) > 0.05 * (expected[1] - expected[0])


def test_a_unit_that_is_off_at_the_start_is_found_all_the_same():
    x = keras.Input((8, 8, 1))
    model = keras.Model(x, layers.Dense(1, activation="relu", name="off")(layers.Flatten()(x)))
    weights = np.where(np.arange(64) < 32, 1.0, -1.0).reshape(64, 1)
    model.set_weights([weights, np.array([-4.0])])
    made = aw.excite(model, "off", 0, steps=40)
    assert made.history[0] == 0
    assert made.activation > 5


def test_the_size_is_chosen_where_the_model_takes_any():
    made = aw.excite(small_net(None), "conv", 0, steps=1, size=(20, 24))
    assert made.image.shape == (1, 20, 24, 3)
    assert aw.excite(small_net(None), "conv", 0, steps=1, size=12).image.shape == (1, 12, 12, 3)


def test_steps_can_be_looked_at_and_left_out():
    steps = excitation_steps(small_net(), "conv", 1, steps=5)
    first = next(steps)
    assert (first.done, first.total) == (1, 5)
    assert len(first.result.history) == 1
    second = next(steps)
    assert len(second.result.history) == 2
    steps.close()
    whole = aw.excite(small_net(), "conv", 1, steps=2)
    assert whole.image.shape == second.result.image.shape


def test_a_progress_bar_is_printed_if_asked_for(capsys):
    aw.excite(small_net(), "conv", 1, steps=2, progress=True)
    assert "2/2" in capsys.readouterr().out


def two_inputs() -> keras.Model:
    x, y = keras.Input((8, 8, 3), name="photo"), keras.Input((2,), name="place")
    both = layers.Concatenate()([layers.Flatten()(x), y])
    return keras.Model([x, y], layers.Dense(2, name="top")(both), name="both")


def whole_numbers() -> keras.Model:
    x = keras.Input((8, 8, 3), dtype="uint8")
    return keras.Model(x, layers.Conv2D(2, 3, name="conv")(layers.Rescaling(1 / 255)(x)))


def rounded() -> keras.Model:
    x = keras.Input((8, 8, 3))
    y = layers.Lambda(lambda value: ops.cast(ops.cast(value, "int32"), "float32"), output_shape=(8, 8, 3))(x)
    return keras.Model(x, layers.Conv2D(2, 3, name="conv")(y))


def tabular() -> keras.Model:
    return keras.Sequential([keras.Input((4,)), layers.Dense(2, name="conv")])


@pytest.mark.parametrize(
    ("build", "given", "more", "error", "says"),
    [
        (small_net, ("conv", 6), {}, ChannelError, "0 to 5"),
        (small_net, ("conv", 1.5), {}, ActwidgetError, "channel"),
        (small_net, ("conv", []), {}, ActwidgetError, "list of numbers"),
        (small_net, ("conv", True), {}, ActwidgetError, "channel"),
        (small_net, ("nothing", 0), {}, LayerNotFoundError, "nothing"),
        (small_net, ("conv", 0), {"steps": 0}, OptionError, "steps"),
        (small_net, ("conv", 0), {"seed": -1}, OptionError, "seed"),
        (small_net, ("conv", 0), {"seed": "a"}, OptionError, "seed"),
        (small_net, ("conv", 0), {"size": 20}, OptionError, "16 by 16"),
        (small_net, ("conv", 0), {"size": "large"}, OptionError, "size"),
        (small_net, ("conv", 0), {"range": (1, 0)}, OptionError, "range"),
        (small_net, ("conv", 0), {"range": 255}, OptionError, "range"),
        (two_inputs, ("top", 0), {}, UnsupportedModelError, "photo, place"),
        (tabular, ("conv", 0), {}, UnsupportedModelError, "pictures"),
        (whole_numbers, ("conv", 0), {}, NotCapturableError, "uint8"),
        (Subclassed, ("conv", 0), {}, ModelNotBuiltError, "called"),
        (lambda: "model", ("conv", 0), {}, UnsupportedModelError, "model"),
    ],
)
def test_what_is_wrong_is_said_before_the_first_step(build, given, more, error, says):
    with pytest.raises(error, match=says):
        excitation_steps(build(), *given, **more)


@pytest.mark.backend("tensorflow")
def test_a_layer_without_a_gradient_to_the_picture_is_an_error_that_says_so():
    with pytest.raises(NotCapturableError, match="No gradient goes"):
        aw.excite(rounded(), "conv", 0, steps=1)


def test_a_model_that_gives_nan_is_an_error():
    model = small_net()
    model.get_layer("conv").set_weights([np.full((3, 3, 3, 6), np.nan), np.zeros(6)])
    with pytest.raises(NotCapturableError, match="NaN"):
        aw.excite(model, "conv", 0, steps=1)


def test_channels_first_pictures_are_recognised():
    x = keras.Input((3, 12, 14))
    found = picture_input(keras.Model(x, layers.Flatten()(x)))
    assert (found.height, found.width, found.channels, found.is_channels_first) == (12, 14, 3, True)
    assert found.as_input(np.zeros((2, 12, 14, 3))).shape == (2, 3, 12, 14)


def test_the_figure_shows_the_picture_and_the_steps_of_one_of_the_channels():
    made = aw.excite(small_net(), "conv", [4, 1], steps=3)
    figure = made.figure(1)
    assert {trace.type for trace in figure.data} == {"image", "scatter"}
    assert "channel 1" in figure.layout.title.text
    curve = next(
        trace for trace in figure.data if trace.type == "scatter" and trace.y is not None and len(trace.y) == 3
    )
    np.testing.assert_allclose(np.asarray(curve.y, float), made.history[:, 1], rtol=1e-5)
    np.testing.assert_array_equal(made.picture(0), made.image[0])
    with pytest.raises(aw.errors.ChannelError, match="number from 0 to 1"):
        made.figure(2)
