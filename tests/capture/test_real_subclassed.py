"""Real subclassed networks: every node against the observer, every node alone, and in the explorer."""

from __future__ import annotations

import numpy as np
import pytest

import actwidget as aw
from tests.capture.deep_witness import deep_witness
from tests.capture.real_subclassed import NETWORKS, real


@pytest.mark.parametrize("name", NETWORKS)
def test_every_node_has_the_value_that_was_observed(name):
    model, x = real(name)
    expected = deep_witness(model, x)
    found = aw.activations(model, x)
    assert set(found) == set(expected)
    assert len(found) > 30
    for path, value in found.items():
        np.testing.assert_array_equal(value, expected[path], err_msg=path)
    assert [node.path for node in aw.layer_tree(model, x) if node.origin == "opaque"] == []


@pytest.mark.parametrize("name", NETWORKS)
def test_one_node_alone_a_sub_model_and_the_explorer_give_the_same(name):
    model, x = real(name)
    expected = aw.activations(model, x)
    explorer = aw.LayerExplorer(model, x)
    for path in list(expected)[::9]:
        np.testing.assert_array_equal(aw.activations(model, x, path)[path], expected[path])
        np.testing.assert_array_equal(np.asarray(aw.submodel(model, path)(x, training=False)), expected[path])
        explorer.layer = path
        assert 'actw-alert"></div>' in explorer._screen.alert.value
        np.testing.assert_array_equal(explorer.activation, expected[path])
