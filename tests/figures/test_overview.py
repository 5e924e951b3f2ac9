"""A row for each layer."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import plotly.graph_objects as go
import pytest

from actwidget.analysis import statistics
from actwidget.analysis.summary import QUANTILES, summary
from actwidget.figures import overview_spec
from actwidget.figures.overview.rows import WORDS, Column, Pictures, warning_text
from actwidget.figures.parts.layout import HEIGHT, NARROW_HEIGHT
from actwidget.figures.parts.palette import ACCENT, MUTED, WARNING
from actwidget.figures.parts.text import visible_length

RNG = np.random.default_rng(0)
PNG = "data:image/png;base64,AA=="


def summaries(count, name="layer_{}"):
    """Layers of which each third one is dead in part."""
    found = []
    for number in range(count):
        value = RNG.normal(size=(2, 4, 4, 3)).astype("float32")
        if number % 3 == 0:
            value[..., :2] = 0
        found.append(summary(name.format(number), value, statistics(value), "channel"))
    return found


def test_the_overview_holds_the_quantiles_of_each_layer_as_shares_of_its_largest_magnitude():
    values = {"one": RNG.normal(size=(4, 9, 5)) * 30, "two": np.maximum(RNG.normal(size=(4, 9, 5)), 0) * 0.01}
    values["two"][..., :2] = 0
    rows = [summary(path, batch, statistics(batch)) for path, batch in values.items()]
    figure = go.Figure(overview_spec(rows, "net", "one"))
    whiskers, boxes, medians, zeros, dead, words, _, cells = figure.data
    for row, batch in enumerate(values.values()):
        relative = np.quantile(batch, QUANTILES) / np.abs(batch).max()
        for line, ends in ((whiskers, (0, 4)), (boxes, (1, 3))):
            np.testing.assert_allclose(np.asarray(line.x)[3 * row : 3 * row + 2], relative[list(ends)])
        assert medians.x[row] == pytest.approx(relative[2])
        share = (batch == 0).mean()
        np.testing.assert_allclose(np.asarray(zeros.x)[3 * row : 3 * row + 2], [0, share or np.nan])
    np.testing.assert_allclose(np.asarray(dead.x).reshape(2, 3)[:, 1], [np.nan, 0.4])
    assert list(words.text) == [warning_text(["2 of 5 channels dead"])]
    assert list(words.y) == [1]
    assert [row[0][0] for row in cells.customdata] == ["one", "two"]
    assert "2 of 5 channels dead" in cells.hovertext[1][0]


def test_the_selected_row_has_a_band_behind_it_and_keeps_its_warning():
    rows = summaries(6)
    plain, marked = (overview_spec(rows, "net", selected) for selected in ("", "layer_3"))
    assert plain["data"][2]["marker"]["color"] == marked["data"][2]["marker"]["color"] == [WARNING, MUTED, MUTED] * 2
    assert plain["layout"]["shapes"] == []
    (band,) = marked["layout"]["shapes"]
    assert (band["y0"], band["y1"], band["fillcolor"], band["layer"]) == (2.5, 3.5, ACCENT, "below")
    assert band["opacity"] < 0.4
    assert marked["layout"]["yaxis"]["ticktext"][3] == "<b>layer_3</b>"
    assert list(marked["data"][5]["y"]) == [0, 3]
    assert "reveal" not in plain["layout"]["meta"]


MORE = {
    "statistics": {},
    "with cost": {"columns": [Column("bytes", [0.1] * 60), Column("time", [None] * 60)]},
    "with pictures": {"pictures": Pictures(PNG)},
}


@pytest.mark.parametrize("more", MORE)
def test_each_row_has_its_pixels_and_reveal_is_the_middle_of_the_selected_one(more):
    layout = overview_spec(summaries(60), "net", "layer_50", **MORE[more])["layout"]
    wide = {name: layout[name]["range"] for name in ("yaxis", "yaxis2", "yaxis3", "yaxis4")}
    narrow = layout["meta"]["narrow"]
    for ranges, height, top, reveal in (
        (wide, layout["height"], layout["margin"]["t"], layout["meta"]["reveal"]),
        (
            {name: narrow[f"{name}.range"] for name in wide},
            narrow["height"],
            narrow["margin.t"],
            narrow["meta.reveal"],
        ),
    ):
        bottom, start = ranges["yaxis2"]
        pixels = (height - top - layout["margin"]["b"]) / (bottom - start)
        assert reveal == pytest.approx(top + (50 - start) * pixels, abs=1)
        assert start == -0.5
        # Names, words and bars keep to their own row.
        for low, high in ranges.values():
            assert low - high == pytest.approx(bottom - start)
            assert abs(high - start) < 0.4
    assert (layout["meta"]["sticky"], narrow["meta.sticky"]) == (layout["margin"]["t"], narrow["margin.t"])


def test_few_rows_stand_at_the_top_of_a_figure_that_fills_its_panel():
    layout = overview_spec(summaries(3), "net")["layout"]
    assert (layout["height"], layout["meta"]["narrow"]["height"]) == (HEIGHT, NARROW_HEIGHT)
    assert layout["yaxis"]["range"][0] > 10


@pytest.mark.parametrize("more", MORE)
def test_columns_do_not_overlap(more):
    layout = overview_spec(summaries(60), "net", **MORE[more])["layout"]
    narrow = layout["meta"]["narrow"]
    names = ["xaxis", "xaxis2", *(name for name in ("xaxis5", "xaxis6") if name in layout)]
    shown = [name for name in names if narrow.get(f"{name}.visible", True)]
    for name in set(names) - set(shown):  # what is hidden on a narrow page is out of sight, and its heading with it
        assert narrow[f"{name}.range"] == [2, 3]
        assert narrow[f"annotations[{names.index(name)}].visible"] is False
    for domains, images in (
        ([layout[name]["domain"] for name in names], layout["images"][0]["x"] if layout["images"] else 1),
        ([narrow[f"{name}.domain"] for name in shown], narrow.get("images[0].x", 1)),
    ):
        for (_, end), (start, _) in pairwise([*domains, [images, 1]]):
            assert end < start or start == 1


def test_a_further_column_is_as_long_as_its_largest_share_and_empty_where_nothing_is_known():
    rows = summaries(3)
    spec = overview_spec(rows, "net", columns=[Column("bytes", [0.1, None, 0.4])])
    bars = spec["data"][-2]
    np.testing.assert_allclose(np.asarray(bars["x"]).reshape(3, 3)[:, 1], [0.1, np.nan, 0.4])
    assert bars["xaxis"] == "x5"
    assert spec["layout"]["xaxis5"]["range"][1] == pytest.approx(0.4, rel=0.05)
    assert spec["layout"]["annotations"][-1]["text"] == "bytes<br>≤ 40 %"


def test_the_overview_names_its_layers_apart():
    rows = summaries(8, "stage_with_a_long_name_{}_depthwise_convolution_relu")
    names = overview_spec(rows)["layout"]["yaxis"]["ticktext"]
    assert len(set(names)) == len(rows)
    assert max(map(len, names)) <= 23


def test_words_of_a_warning_fit_into_their_column():
    long = warning_text(["1,234,567,890,123 of 1,234,567,890,123 channels dead in one sample", "1 NaN", "2 infinite"])
    assert visible_length(long) <= WORDS + 2
    assert long.endswith("… +2")
    assert warning_text(["<b>"]).endswith("&lt;b&gt;")


def test_the_whole_warning_stands_in_the_hover_text():
    rows = summaries(1)
    cells = overview_spec(rows, hover={"layer_0": "1.2 MB"})["data"][-1]
    assert rows[0].warnings[0] in cells["hovertext"][0][0]
    assert cells["hovertext"][0][0].endswith("<br>1.2 MB")
