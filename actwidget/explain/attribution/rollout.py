"""Attention rollout: how attention of all layers together mixes the positions of a sequence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from actwidget.capture.access.forward_pass import capture
from actwidget.capture.semantics.attention_scores import are_scores
from actwidget.errors import NotCapturableError
from actwidget.explain.attribution.job import Job, Partial
from actwidget.explain.differentiation.compiled_pass import Pass

Array = np.ndarray[Any, Any]
ROUNDING = 1e-2


def rollout_steps(job: Job) -> Iterator[Partial]:
    """The product over all layers of their attention scores, with residual connections (Abnar and Zuidema 2020)."""
    passes = job.passes
    size = passes.batch.size
    graph = passes.graph
    nodes = [
        node
        for node in graph.tree
        if node.origin != "opaque"
        and node.output_shape is not None
        and (node.class_name == "AttentionScores" or are_scores(graph.operations[node.path], node.output_shape))
    ]
    captured = capture(graph, passes.batch, nodes, batch_size=job.settings.batch_size)
    layers: list[Array] = []
    for each in captured.values():
        value = np.asarray(each.value, np.float64)
        rows = value.mean(axis=1) if value.ndim == 4 else value
        is_new = not layers or rows.shape != layers[-1].shape or not np.array_equal(rows, layers[-1])
        if rows.ndim == 3 and rows.shape[1] == rows.shape[2] and _are_shares(value) and is_new:
            layers.append(rows)
    if not layers or len({each.shape for each in layers}) > 1:
        what = (
            "no attention scores of positions to themselves"
            if not layers
            else "attention over sequences of different lengths"
        )
        message = (
            f"Model {passes.model.name!r} has {what}, so there is nothing to roll out. Use another method, for example "
            'method="integrated_gradients".'
        )
        raise NotCapturableError(message)
    rolled = rollout(layers)
    shape = graph.tree.output_shape
    is_sequence = passes.target.kind == "top" and shape is not None and len(shape) > 2
    if is_sequence:
        found, scores, classes = rolled.mean(axis=1), np.full(size, np.nan, np.float32), None
    else:
        result = passes.run(Pass((), (), gradients=False))
        found, scores, classes = rolled[:, 0], result.scores, result.classes
    yield Partial(size, size, lambda: job.result([found.astype(np.float32)], scores, classes))


def rollout(layers: list[Array]) -> Array:
    """The attention of all layers together.

    Args:
        layers: The scores of each layer, heads averaged, shape `(samples, positions, positions)`; each row sums to 1.

    Returns:
        How much of each position (last axis) is in each position behind the last layer, of the same shape. Each row
        sums to 1.

    >>> rollout([np.array([[[0.0, 1.0], [1.0, 0.0]]])])
    array([[[0.5, 0.5],
            [0.5, 0.5]]])
    """
    total = np.broadcast_to(np.eye(layers[0].shape[-1]), layers[0].shape)
    for scores in layers:
        mixed = scores + np.eye(scores.shape[-1])
        total = mixed / mixed.sum(axis=-1, keepdims=True) @ total
    return total


def _are_shares(scores: Array) -> bool:
    """Whether scores are behind the softmax: not negative, and each row sums to 1."""
    return bool(scores.min() >= 0 and np.all(np.abs(scores.sum(axis=-1) - 1) < ROUNDING))
