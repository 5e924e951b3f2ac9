"""The figure of an ideal input: the picture in its own range, the sample and its map, and the curve of the steps."""

from __future__ import annotations

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from actwidget.figures.ideal_input import IdealInput, ideal_input_figure, ideal_input_spec

RNG = np.random.default_rng(0)
CONTENT = IdealInput(
    title="block/conv",
    name="channel 3",
    image=RNG.uniform(-1, 1, (8, 10, 3)).astype("float32"),
    limits=(-1.0, 1.0),
    history=np.array([0.5, 1.0, 2.0]),
    steps=8,
    sample=RNG.random((8, 10, 3)).astype("float32"),
    values=RNG.random((4, 5)).astype("float32"),
    mean=0.75,
)


def pixels(trace):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(trace["source"].split(",")[1]))).convert("RGB"))


@pytest.mark.parametrize("limits", [(-1.0, 1.0), (0.0, 255.0), (0.0, 1.0)])
def test_black_and_white_are_the_ends_of_the_models_range(limits):
    low, high = limits
    image = np.full((4, 4, 3), low, "float32")
    image[0], image[1] = high, (low + high) / 2
    drawn = pixels(ideal_input_spec(replace(CONTENT, image=image, limits=limits))["data"][0])
    assert drawn[0].min() == 255
    assert set(np.unique(drawn[1])) <= {127, 128}
    assert drawn[2:].max() == 0


def test_the_curve_has_a_point_for_each_step_and_a_line_at_what_the_sample_gives():
    curve, level = ideal_input_spec(CONTENT)["data"][-2:]
    assert np.array_equal(curve["x"], [1, 2, 3])
    assert np.array_equal(curve["y"], CONTENT.history)
    assert level["y"] == [0.75, 0.75]
    assert ideal_input_spec(CONTENT)["layout"]["xaxis4"]["range"] == [0.5, 8.5]


def test_the_title_says_how_far_it_is_until_it_is_done():
    text = ideal_input_spec(CONTENT)["layout"]["title"]["text"].replace("<br>", " ")
    assert "block/conv" in text
    assert "channel 3" in text
    assert "step 3 of 8" in text
    assert "step" not in ideal_input_spec(replace(CONTENT, steps=3))["layout"]["title"]["text"]


def test_the_map_of_the_sample_is_a_heatmap_of_its_values():
    (heatmap,) = [trace for trace in ideal_input_spec(CONTENT)["data"] if trace["type"] == "heatmap"]
    np.testing.assert_array_equal(heatmap["z"], CONTENT.values)


def test_plotly_takes_the_figure_with_and_without_the_sample():
    assert len(ideal_input_figure(CONTENT).data) == 5
    bare = replace(CONTENT, sample=None, values=None, mean=None)
    assert [trace.type for trace in ideal_input_figure(bare).data] == ["image", "scatter"]
