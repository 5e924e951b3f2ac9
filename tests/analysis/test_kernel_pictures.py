"""Which part of a kernel is shown."""

from __future__ import annotations

import numpy as np
import pytest

from actwidget.analysis.kernels.pictures import kernel_pictures, unknown_pictures

RNG = np.random.default_rng(0)
KERNEL = RNG.normal(size=(3, 5, 4, 6)).astype("float32")


def test_without_a_choice_the_inputs_are_averaged():
    shown = kernel_pictures(KERNEL)
    np.testing.assert_allclose(shown.values, KERNEL.mean(2), rtol=1e-6)
    assert shown.words == "mean over 4 input channels"


@pytest.mark.parametrize("channel", range(4))
def test_one_input_channel_of_every_output(channel):
    shown = kernel_pictures(KERNEL, input_channel=channel)
    np.testing.assert_array_equal(shown.values, KERNEL[:, :, channel])
    assert shown.words == f"input channel {channel} of 4"


def test_a_depthwise_kernel_shows_all_its_channels():
    shown = kernel_pictures(KERNEL, depthwise=True)
    assert shown.values.shape == (3, 5, 24)
    np.testing.assert_array_equal(shown.values[..., 2 * 6 + 3], KERNEL[:, :, 2, 3])


def test_steps_are_a_row_and_a_volume_shows_its_middle():
    line, volume = RNG.normal(size=(7, 2, 3)), RNG.normal(size=(4, 3, 3, 2, 5))
    np.testing.assert_array_equal(kernel_pictures(line, input_channel=1).values, line[np.newaxis, :, 1])
    shown = kernel_pictures(volume, input_channel=0)
    np.testing.assert_array_equal(shown.values, volume[1, :, :, 0])
    assert shown.words == "input channel 0 of 2, depth 2 of 4"


def test_half_precision_is_averaged_in_single():
    kernel = np.full((1, 1, 3000, 1), 30, np.float16)
    shown = kernel_pictures(kernel)
    assert shown.values.dtype == np.float32
    assert shown.values.item() == 30


@pytest.mark.parametrize("shape", [(), (3,), (3, 4)])
def test_what_is_no_kernel_has_no_pictures(shape):
    assert kernel_pictures(np.zeros(shape)) is None


@pytest.mark.parametrize("channel", [4, -1])
def test_a_channel_that_is_not_there_is_an_error(channel):
    with pytest.raises(IndexError, match="channel from 0 to"):
        kernel_pictures(KERNEL, input_channel=channel)


def test_the_groups_of_a_convolution_are_in_the_words():
    assert kernel_pictures(KERNEL, groups=3).words == "mean over 4 input channels of each of 3 groups"
    assert kernel_pictures(KERNEL, groups=3, input_channel=1).words == "input channel 1 of 4 of each of 3 groups"
    assert kernel_pictures(KERNEL[:, :, :1], groups=6).words == "the only input channel of each of 6 groups"
    np.testing.assert_array_equal(kernel_pictures(KERNEL, groups=3).values, kernel_pictures(KERNEL).values)


@pytest.mark.parametrize("shape", [(7, 2, 3), (3, 4, 2, 5), (4, 3, 3, 2, 5), (3, 3, 1, 2)])
def test_of_a_weight_that_is_not_known_the_axes_are_told_by_number(shape):
    weight = RNG.normal(size=shape)
    shown = unknown_pictures(weight)
    assert (
        shown.words
        == {
            3: "mean over axis 1",
            4: "mean over axis 2",
            5: "middle of axis 0, mean over axis 3",
        }[weight.ndim]
    )
    planes = {3: weight[np.newaxis], 4: weight, 5: weight[(len(weight) - 1) // 2]}[weight.ndim]
    np.testing.assert_allclose(shown.values, planes.mean(axis=2))


@pytest.mark.parametrize("shape", [(), (3,), (3, 4), (1, 1, 1, 1, 1, 1)])
def test_a_weight_of_fewer_or_more_axes_has_no_pictures(shape):
    assert unknown_pictures(np.zeros(shape)) is None
