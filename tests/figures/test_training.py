"""The figure of a training: what each of its panels shows, by numbers and pixels."""

from __future__ import annotations

import base64
import io
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image

from actwidget.analysis.histogram import histogram
from actwidget.figures.boxes import rooms
from actwidget.figures.training.content import QUANTITIES, Channels, LayerOverTime, TrainingContent
from actwidget.figures.training.figure import training_alt, training_figure, training_spec
from actwidget.figures.training.places import HEIGHTS, cell_edges

RNG = np.random.default_rng(0)
STEPS = np.array([0, 10, 20, 40])
VALUES = [RNG.normal(place, 1 + place, 400) for place in range(4)]
PICTURES = RNG.normal(size=(2, 5, 4, 4)).astype("float32")
CONTENT = TrainingContent(
    title="After step 40 · epoch 4 · 4 moments",
    steps=STEPS,
    epochs=np.arange(4),
    layers=["image", "block/conv", "out"],
    quantity="zeros",
    numbers=np.array([[0.5] * 4, [0.1, 0.2, 0.3, 0.4], [0.0, 0.0, np.nan, 1.0]]),
    curves={"accuracy": np.array([np.nan, 0.5, 0.6, 0.7]), "loss": np.array([np.nan, 3.0, 2.0, 1.5])},
    layer=LayerOverTime(
        path="block/conv",
        histograms=[histogram(each) for each in VALUES],
        quantiles=np.array([np.quantile(each, [0.01, 0.25, 0.5, 0.75, 0.99]) for each in VALUES]),
        then=Channels(10, PICTURES[0]),
        now=Channels(40, PICTURES[1]),
    ),
    moment=1,
)
LAYERS, LOSS, METRICS, SPREAD = 0, 1, 2, 3


def trace(content, place):
    return training_spec(content)["data"][place]


def test_plotly_takes_the_figure_in_each_form_and_with_each_quantity():
    assert [each.type for each in training_figure(CONTENT).data] == [
        "heatmap",
        "scatter",
        "scatter",
        "heatmap",
        *["scatter"] * 3,
        *["image", "heatmap"] * 2,
    ]
    for quantity in QUANTITIES:
        assert len(training_figure(replace(CONTENT, quantity=quantity, form="ridge")).data) == 11


def test_the_cells_of_all_layers_are_their_numbers_at_their_steps():
    cells = trace(CONTENT, LAYERS)
    np.testing.assert_allclose(cells["z"], CONTENT.numbers, rtol=1e-6)
    assert cells["y"] == ["image", "block/conv", "out"]
    assert cells["x"].tolist() == [-5.0, 5.0, 15.0, 30.0, 50.0]
    assert cells["customdata"][1, 2].tolist() == [1, 2, 20, pytest.approx(0.3)]


def test_numbers_of_any_magnitude_are_coloured_by_their_logarithm():
    numbers = np.array([[1.0, 10.0, 100.0, np.inf], [0.0, -1.0, 1e-3, np.nan], [1.0] * 4])
    shown = trace(replace(CONTENT, numbers=numbers, quantity="norm"), LAYERS)["z"]
    np.testing.assert_allclose(shown[0, :3], [0, 1, 2])
    assert shown[1, 2] == pytest.approx(-3)
    assert np.isnan(shown[[0, 1, 1, 1], [3, 0, 1, 3]]).all()


def test_where_nothing_was_recorded_the_figure_says_so():
    spec = training_spec(replace(CONTENT, numbers=np.full((3, 4), np.nan), quantity="gradient"))
    assert "not recorded" in spec["layout"]["annotations"][0]["text"]
    go.Figure(spec)


def test_losses_and_metrics_have_panels_of_their_own():
    assert trace(CONTENT, LOSS)["y"].tolist()[1:] == [3.0, 2.0, 1.5]
    assert trace(CONTENT, METRICS)["y"].tolist()[1:] == [0.5, 0.6, 0.7]
    texts = [each["text"] for each in training_spec(CONTENT)["layout"]["annotations"]]
    assert any("loss" in text and "1.5" in text for text in texts)
    go.Figure(training_spec(replace(CONTENT, curves={})))


def test_the_heatmap_of_a_layer_has_the_shares_of_its_values():
    cells = trace(CONTENT, SPREAD)
    low, high = cells["y"][0], cells["y"][-1]
    for column, values in enumerate(VALUES):
        shares = cells["z"][:, column].astype(float) ** 2
        assert shares.sum() == pytest.approx(((values >= low) & (values <= high)).mean(), abs=0.02)
        middles = (cells["y"][1:] + cells["y"][:-1]) / 2
        assert (shares * middles).sum() / shares.sum() == pytest.approx(
            values[(values >= low) & (values <= high)].mean(), abs=0.3
        )
    median = trace(CONTENT, SPREAD + 2)
    np.testing.assert_array_equal(median["y"], CONTENT.layer.quantiles[:, 2])


def test_ridges_stand_at_their_rows_and_the_chosen_one_is_marked():
    spec = training_spec(replace(CONTENT, form="ridge"))
    ridges = spec["data"][SPREAD : SPREAD + 4]
    assert [each["y"][0] for each in ridges] == [0, 1, 2, 3]
    assert all(each["y"].min() < each["y"][0] for each in ridges)
    assert [each["line"]["width"] for each in ridges] == [1, 2, 1, 1]
    peak = ridges[0]["x"][ridges[0]["y"].argmin()]
    assert abs(peak - np.median(VALUES[0])) < 1
    assert spec["layout"]["yaxis4"]["ticktext"] == ["0", "<b>10</b>", "20", "40"]


def pixels(picture):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(picture["source"].split(",")[1]))).convert("RGB"))


def test_channels_then_and_now_have_the_same_colours():
    same = replace(CONTENT.layer, now=Channels(40, PICTURES[0] * 2))
    then, now = (
        pixels(each) for each in training_spec(replace(CONTENT, layer=same))["data"] if each["type"] == "image"
    )
    assert then.shape == now.shape
    # Zero is the middle of both; what has doubled is further from it.
    middle = pixels(
        next(
            each
            for each in training_spec(
                replace(CONTENT, layer=replace(same, then=Channels(0, PICTURES[0] * 0), now=Channels(1, PICTURES[0])))
            )["data"]
            if each["type"] == "image"
        )
    )[0, 0].astype(int)
    apart = [np.abs(each[:4, :4].astype(int) - middle).sum() for each in (then, now)]
    assert apart[0] < apart[1]


def test_a_layer_without_pictures_or_finite_values_is_told_in_words():
    layer = replace(
        CONTENT.layer,
        histograms=[None] * 4,
        quantiles=np.full((4, 5), np.nan),
        then=Channels(10, None),
        now=Channels(40, None),
    )
    texts = [each["text"] for each in training_spec(replace(CONTENT, layer=layer))["layout"]["annotations"]]
    assert any("no finite values" in text for text in texts)
    assert sum("no picture was kept" in text for text in texts) == 2
    go.Figure(training_spec(replace(CONTENT, layer=layer)))


def test_a_fault_stands_above_the_figure_with_its_markup_shown_literally():
    title = training_spec(replace(CONTENT, fault="A weight of '<b>x' was not finite"))["layout"]["title"]["text"]
    assert "&lt;b&gt;x" in title


def test_all_panels_fit_into_the_heights_of_the_figure():
    layout = training_spec(CONTENT)["layout"]
    assert (layout["height"], layout["meta"]["narrow"]["height"]) == HEIGHTS
    domains = [layout[name]["domain"] for name in layout if name.startswith("yaxis")]
    domains += [value for name, value in layout["meta"]["narrow"].items() if "domain" in name]
    assert all(0 <= low < high <= 1 for low, high in domains)
    assert min(rooms(HEIGHTS)) > 500


def test_many_layers_have_some_names_and_the_chosen_one_among_them():
    names = [f"block_{number}/conv" for number in range(120)]
    many = replace(CONTENT, layers=[*names, "block/conv"], numbers=np.zeros((121, 4)))
    axis = training_spec(many)["layout"]["yaxis"]
    assert len(axis["ticktext"]) <= 18
    assert "<b>block/conv</b>" in axis["ticktext"]


def test_cells_lie_around_their_steps():
    edges = cell_edges(STEPS)
    assert all(low < step < high for low, step, high in zip(edges, STEPS, edges[1:], strict=False))


def test_the_alt_text_says_what_has_become_of_the_layer():
    text = training_alt(CONTENT)
    assert "block/conv: 10 % at first, 40 % now" in text
    assert "loss 1.5" in text
