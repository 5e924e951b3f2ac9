from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from actwidget.analysis import channels, depths, kind_of, slice_label


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ((), "scalar"),
        ((5,), "units"),
        ((7, 5), "sequence"),
        ((4, 6, 3), "maps"),
        ((2, 4, 6, 3), "volume"),
        ((2, 2, 4, 6, 3), "volume"),
    ],
)
def test_the_number_of_axes_says_the_kind(shape: tuple[int, ...], kind: str) -> None:
    assert kind_of(shape, np.float32) == kind
    assert kind_of(shape, "bfloat16") == kind
    assert kind_of(shape, np.bool_) == kind
    assert kind_of(shape, object) == "values"


def test_maps_become_channels_first_without_a_copy() -> None:
    sample = np.random.default_rng(0).random((4, 6, 3), dtype=np.float32)
    shown = channels(sample)
    assert np.shares_memory(shown, sample)
    for channel in range(3):
        np.testing.assert_array_equal(shown[channel], sample[:, :, channel])


def test_channels_first_maps_stay_as_they_are() -> None:
    sample = np.arange(72).reshape(3, 4, 6)
    np.testing.assert_array_equal(channels(sample, channels_last=False), sample)


def test_units_and_scalars_are_single_cells() -> None:
    np.testing.assert_array_equal(channels(np.array([1.0, 2.0])), [[[1.0]], [[2.0]]])
    np.testing.assert_array_equal(channels(np.array(7)), [[[7]]])


@pytest.mark.parametrize("channels_last", [True, False])
def test_a_sequence_has_one_line_of_steps_for_each_unit(*, channels_last: bool) -> None:
    sequence = np.arange(10.0).reshape(5, 2)
    given = sequence if channels_last else sequence.T
    shown = channels(given, channels_last=channels_last)
    assert shown.shape == (2, 1, 5)
    np.testing.assert_array_equal(shown[1, 0], sequence[:, 1])


@pytest.mark.parametrize("channels_last", [True, False])
def test_a_volume_shows_the_slice_that_slice_label_names(*, channels_last: bool) -> None:
    volume = np.arange(8 * 3 * 4 * 5 * 2).reshape(8, 3, 4, 5, 2)
    given = volume if channels_last else np.moveaxis(volume, -1, 0)
    assert slice_label(given.shape, channels_last=channels_last) == "slice 10 (0 to 23), at 3, 1 of 8 × 3"
    shown = channels(given, channels_last=channels_last)
    np.testing.assert_array_equal(shown, np.moveaxis(volume[3, 1], -1, 0))


@pytest.mark.parametrize("channels_last", [True, False])
def test_every_slice_of_a_volume_can_be_chosen(*, channels_last: bool) -> None:
    volume = np.random.default_rng(0).random((3, 2, 4, 5, 6))
    given = volume if channels_last else np.moveaxis(volume, -1, 0)
    lengths = depths(given.shape, channels_last=channels_last)
    assert lengths == (3, 2)
    for at in np.ndindex(lengths):
        shown = channels(given, channels_last=channels_last, at=at)
        np.testing.assert_array_equal(shown, np.moveaxis(volume[at], -1, 0))
        words = f"slice {2 * at[0] + at[1]} (0 to 5), at {at[0]}, {at[1]} of 3 × 2"
        assert slice_label(given.shape, channels_last=channels_last, at=at) == words
    last = channels(given, channels_last=channels_last, at=(-1, -1))
    np.testing.assert_array_equal(last, np.moveaxis(volume[2, 1], -1, 0))


@pytest.mark.parametrize("at", [(3, 0), (0, -3), (0,), ()])
def test_a_slice_that_is_not_there_is_an_error(at: tuple[int, ...]) -> None:
    with pytest.raises(IndexError, match="slice"):
        channels(np.zeros((3, 2, 4, 5, 6)), at=at)


@pytest.mark.parametrize("shape", [(), (5,), (7, 5), (4, 6, 3), (1, 4, 6, 3)])
def test_where_everything_is_shown_no_slice_is_named(shape: tuple[int, ...]) -> None:
    assert slice_label(shape) == ""


def test_an_empty_volume_has_channels_without_values() -> None:
    assert channels(np.zeros((0, 4, 5, 2))).shape == (2, 0, 0)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_half_precision_is_widened_exactly(dtype: type) -> None:
    sample = np.linspace(-2, 2, 24).astype(dtype).reshape(2, 4, 3)
    shown = channels(sample)
    assert shown.dtype == np.float32
    np.testing.assert_array_equal(shown, np.moveaxis(sample.astype(np.float64), -1, 0))


@pytest.mark.parametrize("dtype", [np.bool_, np.int64, np.uint8, np.float64])
def test_other_dtypes_are_kept(dtype: type) -> None:
    assert channels(np.ones((2, 4, 3), dtype)).dtype == dtype


def test_text_has_no_channels() -> None:
    with pytest.raises(TypeError, match="numeric"):
        channels(np.array(["a", "b"]))
