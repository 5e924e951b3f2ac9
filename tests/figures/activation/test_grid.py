"""The panel of all channels: what it says on hover, and the mark on the chosen one."""

from __future__ import annotations

import numpy as np
import pytest

from actwidget.figures import (
    activation_figure,
)
from actwidget.figures.parts.palette import ACCENT
from tests.figures.activation.contents import SAMPLES, content


@pytest.mark.parametrize("kind", ["maps", "sequence", "many units"])
def test_each_cell_carries_its_channel_and_its_numbers(kind):
    sample = SAMPLES[kind]
    shown = content(sample, order_name="mean")
    over = activation_figure(shown).data[1]
    cells = np.asarray(over.customdata).reshape(-1, 5)[np.isfinite(np.asarray(over.z, float)).ravel()]
    flat = sample.reshape(-1, sample.shape[-1]).astype(float)
    channels = cells[:, 0].astype(int)
    assert channels.tolist() == shown.picture.order.tolist()
    expected = [flat.min(0), flat.max(0), flat.mean(0), 100 * (flat == 0).mean(0)]
    np.testing.assert_allclose(cells[:, 1:], np.stack(expected, -1)[channels], rtol=1e-4, atol=1e-5)


def test_the_outline_is_on_the_chosen_tile():
    shown = content(SAMPLES["maps"], channel=3)
    _, outline = activation_figure(shown).layout.shapes
    assert (outline.x0, outline.y0, outline.x1, outline.y1) == shown.picture.tiles.box(3)
    assert outline.line.color == ACCENT
