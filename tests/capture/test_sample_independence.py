"""What is said to be independent of other samples, against what the same samples give alone."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from actwidget.capture.access.forward_pass import capture
from actwidget.capture.run.inputs import prepare
from actwidget.capture.semantics.sample_independence import are_samples_independent
from actwidget.capture.trace import trace
from tests.capture import zoo
from tests.rounding import assert_close


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


ALONE = {
    "grouped attention": lambda x: layers.GroupQueryAttention(4, 2, 1)(x, x),
    "a relu with a greatest value": lambda x: keras.activations.relu(x, max_value=0.5),
    "a logarithm of a softmax": ops.log_softmax,
    "a softsign": ops.softsign,
    "an equation that leaves the samples": layers.EinsumDense("abc,cd->abd", (None, 3)),
}


@pytest.mark.parametrize("name", ALONE)
def test_one_sample_alone_is_as_it_is_among_others(name):
    x = keras.Input((6, 8))
    model = keras.Model(x, layers.Identity(name="end")(ALONE[name](x)))
    graph, values = trace(model), zoo.noise(4, 6, 8)
    assert are_samples_independent(graph, [graph.nodes["end"]]) is True
    for sample in range(4):
        assert_close(model(values)[sample], model(values[[sample]])[0])


AMONG_OTHERS = {
    "a softmax over the samples": lambda x: ops.softmax(x, axis=0),
    "a logarithm of one": lambda x: ops.log_softmax(x, axis=0),
    "an equation that takes the samples first, and gives them last": layers.EinsumDense("abc,cd->bad", (None, 3)),
}


@pytest.mark.parametrize("name", AMONG_OTHERS)
def test_what_works_along_the_samples_is_not_said_to_keep_them_apart(name):
    x = keras.Input((6, 8))
    model = keras.Model(x, layers.Identity(name="end")(AMONG_OTHERS[name](x)))
    graph = trace(model)
    assert not are_samples_independent(graph, [graph.nodes["end"]])
