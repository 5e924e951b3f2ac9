"""Whatever the graph: unique paths, and the values that the model computes."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keras import layers, ops

import actwidget as aw
from tests.capture import zoo
from tests.capture.deep_witness import deep_witness
from tests.capture.random_graphs import random_models
from tests.capture.test_values import assert_as_observed

WIDTH = 4

# How a tensor (or two), of shape `(batch, WIDTH)`, is made from two that are there and the shared layers.
KINDS = {
    "dense": lambda left, _right, _shared: layers.Dense(WIDTH, activation="tanh")(left),
    "shared": lambda left, _right, shared: shared["dense"](left),
    "norm": lambda left, _right, shared: shared["norm"](left),
    "tower": lambda left, _right, shared: shared["tower"](left),
    "add": lambda left, right, _shared: layers.Add()([left, right]),
    "concatenate": lambda left, right, _shared: layers.Dense(WIDTH)(layers.Concatenate()([left, right])),
    "multiply": lambda left, right, _shared: ops.tanh(left * right) - 0.5,
    "exp": lambda left, _right, _shared: ops.exp(-ops.square(left)),
    "slice": lambda left, right, _shared: ops.concatenate([left[:, 2:], right[:, :2]], axis=-1),
    "split": lambda left, _right, _shared: ops.concatenate(ops.split(left, 2, axis=-1)[::-1], axis=-1),
    "recurrent": lambda left, _right, _shared: layers.GRU(WIDTH, return_state=True)(ops.expand_dims(left, 1)),
}


@dataclass(frozen=True)
class Plan:
    """What a random graph is made of; plain values, so that hypothesis can shrink it."""

    inputs: tuple[int, ...]  # their order in the model
    steps: list[tuple[str, int, int]]
    outputs: list[int]
    shared_name: str

    def build(self):
        inputs = [keras.Input((WIDTH,)) for _ in self.inputs]
        a = keras.Input((WIDTH,))
        shared = {
            "dense": layers.Dense(WIDTH, activation="tanh", name=self.shared_name),
            "norm": layers.LayerNormalization(),
            "tower": keras.Model(a, [layers.Dense(WIDTH)(a), layers.ReLU()(a)], name="tower"),
        }
        tensors = list(inputs)
        for kind, left, right in self.steps:
            pair = (tensors[left % len(tensors)], tensors[right % len(tensors)])
            tensors += keras.tree.flatten(KINDS[kind](*pair, shared))
        # One output uses every input: Keras takes no model with an input that leads nowhere.
        total = ops.sum(ops.stack(inputs), axis=0)
        outputs = [tensors[-1], total, *(tensors[index % len(tensors)] for index in self.outputs)]
        ordered = [inputs[index] for index in self.inputs]
        return keras.Model(ordered if len(ordered) > 1 else ordered[0], outputs)


INDEX = st.integers(0, 30)
PLANS = st.builds(
    Plan,
    inputs=st.integers(1, 3).flatmap(lambda count: st.permutations(range(count))).map(tuple),
    steps=st.lists(st.tuples(st.sampled_from(sorted(KINDS)), INDEX, INDEX), min_size=1, max_size=10),
    outputs=st.lists(INDEX, max_size=2),
    shared_name=st.sampled_from(["shared", "norm@1", "tower:1", "a b"]),
)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(plan=PLANS, samples=st.integers(1, 5), batch_size=st.sampled_from([2, 32]))
def test_paths_are_unique_and_values_are_what_the_witness_saw(plan, samples, batch_size):
    model = plan.build()
    batches = [zoo.noise(samples, WIDTH, seed=seed) for seed in range(len(model.inputs))]
    paths = [node.path for node in aw.layer_tree(model)]
    assert len(paths) == len(set(paths))
    assert_as_observed(model, batches if len(batches) > 1 else batches[0], batch_size=batch_size)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(drawn=random_models(), chosen=st.integers(0, 99))
def test_whatever_is_nested_in_whatever_paths_and_values_are_the_witness_own(drawn, chosen):
    model, inputs = drawn
    expected = deep_witness(model, inputs)
    values = aw.activations(model, inputs)
    assert list(values) == list(expected)
    for path, value in values.items():
        np.testing.assert_allclose(value, expected[path], rtol=1e-4, atol=1e-5, err_msg=path)
    path = list(values)[chosen % len(values)]
    np.testing.assert_allclose(aw.activations(model, inputs, path)[path], expected[path], rtol=1e-4, atol=1e-5)
    # A nested model called `a@1` can't be put in a TensorFlow graph: what is called again is then only seen eagerly.
    if path in aw.layer_tree(model):
        np.testing.assert_allclose(aw.submodel(model, path)(inputs), expected[path], rtol=1e-4, atol=1e-5)
    else:
        assert "@" in path
