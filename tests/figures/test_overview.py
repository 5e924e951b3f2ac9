"""A row for each layer."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from actwidget.analysis import statistics
from actwidget.analysis.summary import QUANTILES, summary
from actwidget.figures import overview_spec
from actwidget.figures.parts.palette import ACCENT, WARNING

RNG = np.random.default_rng(0)


def test_the_overview_holds_the_quantiles_of_each_layer_as_shares_of_its_largest_magnitude():
    values = {"one": RNG.normal(size=(4, 9, 5)) * 30, "two": np.maximum(RNG.normal(size=(4, 9, 5)), 0) * 0.01}
    values["two"][..., :2] = 0
    rows = [summary(path, batch, statistics(batch)) for path, batch in values.items()]
    figure = go.Figure(overview_spec(rows, "net", "one"))
    whiskers, boxes, medians, zeros, dead = figure.data
    for row, batch in enumerate(values.values()):
        relative = np.quantile(batch, QUANTILES) / np.abs(batch).max()
        for line, ends in ((whiskers, (0, 4)), (boxes, (1, 3))):
            np.testing.assert_allclose(np.asarray(line.x)[3 * row : 3 * row + 2], relative[list(ends)])
        assert medians.x[row] == pytest.approx(relative[2])
        assert zeros.x[row] == pytest.approx((batch == 0).mean())
    assert list(dead.x) == [0, 0.4]
    assert list(medians.marker.color) == [ACCENT, WARNING]
    assert [each[0] for each in medians.customdata] == ["one", "two"]
    assert "2 of 5 channels dead" in medians.hovertext[1]


def test_the_overview_names_its_layers_apart_also_on_a_narrow_page(rows):
    figure = overview_spec(rows)["layout"]
    for texts in (figure["yaxis"]["ticktext"], figure["meta"]["narrow"]["yaxis.ticktext"]):
        assert len(set(texts)) == len(rows)
    assert max(map(len, figure["meta"]["narrow"]["yaxis.ticktext"])) <= 22


@pytest.fixture
def rows():
    value = np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype("float32")
    names = [f"stage_with_a_long_name_{number}_depthwise_convolution_relu" for number in range(8)]
    return [summary(name, value, statistics(value), "channel") for name in names]
