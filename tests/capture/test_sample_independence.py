"""What is said to be independent of other samples, against what the same samples give alone."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from actwidget.capture.access.forward_pass import capture
from actwidget.capture.run.inputs import prepare
from actwidget.capture.semantics.sample_independence import are_samples_independent
from actwidget.capture.trace import trace
from tests.capture import zoo


@pytest.mark.parametrize("make", zoo.SMALL, ids=lambda make: make.__name__)
def test_what_is_said_to_treat_samples_alike_does(make):
    model, x = make()
    graph = trace(model, x)
    batch = prepare(x, graph.inputs, model.name)
    nodes = [node for node in graph.tree if node.origin != "opaque" and are_samples_independent(graph, [node])]
    whole = capture(graph, batch, nodes)
    for sample in range(batch.size):
        alone = prepare(batch.rows(sample, sample + 1), graph.inputs, model.name)
        for path, found in capture(graph, alone, nodes).items():
            one, other = found.value[0], whole[path].value[sample]
            assert np.array_equal(one, other) or np.allclose(one, other, rtol=1e-4, atol=1e-5), path


def test_keras_s_own_networks_need_no_trial():
    sequence = keras.Sequential(
        [
            keras.Input((6, 8)),
            layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
            layers.LayerNormalization(),
            layers.TimeDistributed(layers.Dense(5, activation="gelu")),
        ]
    )
    query = keras.Input((6, 8))
    attention = keras.Model(query, layers.MultiHeadAttention(2, 4)(query, query) + query)
    for model in (keras.applications.MobileNetV2((32, 32, 3), weights=None), sequence, attention):
        graph = trace(model)
        assert are_samples_independent(graph, [graph.nodes[graph.output]]), model.name
