"""The histogram of a layer and of its chosen channel."""

from __future__ import annotations

import numpy as np
import pytest

from actwidget.figures import (
    activation_figure,
)
from tests.figures.activation.contents import SAMPLES, content


def test_the_histogram_holds_all_values_and_writes_exact_zeros_out():
    sample = SAMPLES["rectified maps"]
    figure = activation_figure(content(sample, channel=1))
    layer, channel, cells = figure.data[3:]
    zero, own_zero = (sample == 0).mean(), (sample[..., 1] == 0).mean()
    for outline, told, share in ((layer, cells.z, zero), (channel, cells.customdata, own_zero)):
        assert np.sum(told) == pytest.approx(1 - share)
        np.testing.assert_array_equal(np.ravel(told), outline.y[:-1])
    low, high = sample[sample != 0].min(), sample.max()
    assert (layer.x0, layer.x0 + layer.dx * (len(layer.y) - 1)) == pytest.approx((low, high))
    assert (cells.x0 - cells.dx / 2, cells.dx) == pytest.approx((layer.x0, layer.dx))
    assert max(layer.y.max(), channel.y.max()) < cells.y[1] == figure.layout.yaxis3.range[1]
    text = figure.layout.annotations[1].text
    assert text == f"zeros {100 * zero:.0f} % of the layer,<br>{100 * own_zero:.0f} % of the channel"
