"""The histogram of a layer and of its chosen channel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from actwidget.analysis import histogram
from actwidget.figures import activation_figure
from actwidget.figures.activation.closeup import closeup_color
from tests.figures.activation.contents import RNG, SAMPLES, content


def test_the_histogram_holds_all_values_and_writes_exact_zeros_out():
    sample = SAMPLES["rectified maps"]
    figure = activation_figure(content(sample, channel=1))
    layer, channel, cells = figure.data[3:6]
    zero, own_zero = (sample == 0).mean(), (sample[..., 1] == 0).mean()
    for outline, told, share in ((layer, cells.z, zero), (channel, cells.customdata, own_zero)):
        assert np.sum(told) == pytest.approx(1 - share)
        np.testing.assert_array_equal(np.ravel(told), outline.y[:-1])
    low, high = sample[sample != 0].min(), sample.max()
    assert (layer.x0, layer.x0 + layer.dx * (len(layer.y) - 1)) == pytest.approx((low, high))
    assert (cells.x0 - cells.dx / 2, cells.dx) == pytest.approx((layer.x0, layer.dx))
    assert max(layer.y.max(), channel.y.max()) < cells.y[1] == figure.layout.yaxis3.range[1]
    assert figure.layout.annotations[1].text.endswith("layer, no zeros")


def test_the_strip_of_colours_is_the_axis_of_the_histogram():
    sample = RNG.normal(size=(20, 20, 3)).astype("float32")
    sample[..., 1] /= 4
    given = content(sample, channel=1)
    color = closeup_color(given)
    counted = histogram(sample, channel_values=sample[..., 1], within=(color.low, color.high))
    figure = activation_figure(replace(given, histogram=counted))
    (strip,) = (trace for trace in figure.data if trace.yaxis == "y4")
    axis = figure.layout.xaxis3
    assert (strip.xaxis, strip.coloraxis, axis.anchor) == ("x3", "coloraxis", "y4")
    assert list(axis.range) == pytest.approx([color.low, color.high])
    assert (strip.z[0][0], strip.z[0][-1]) == pytest.approx((color.low, color.high))
    assert figure.layout.yaxis4.domain[1] < figure.layout.yaxis3.domain[0]
    outside = 100 * (np.abs(sample) > color.high).mean()
    assert f"{outside:.0f} % of the layer outside" in figure.layout.annotations[1].text
    assert not [trace for trace in figure.data if getattr(trace, "showscale", False)]
