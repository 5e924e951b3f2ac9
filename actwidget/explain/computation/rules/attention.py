"""Attention: the score of a query and a key, and the values in the shares that the scores give them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from actwidget.capture.run.conversion import Array
from actwidget.explain.computation.arithmetic_result import Index, Products, Source, Step
from actwidget.explain.computation.rules.activation import activated
from actwidget.explain.computation.rules.indices import grid
from actwidget.explain.computation.site import Site, Sum, Tensor, weight_values
from actwidget.keras_internals.layers import axes_of_attention

HEADED = (keras.layers.MultiHeadAttention, keras.layers.GroupQueryAttention)
PLAIN = (keras.layers.Attention, keras.layers.AdditiveAttention)


def attended(site: Site) -> Sum:
    """`Attention` and `AdditiveAttention`: the values, each with the score of its key."""
    values = site.inputs[1]
    sample, query, unit = site.index
    scores = site.at(f"{site.path}/scores")
    shares = scores.array[sample, query].astype("float64")
    mask = site.inputs[0].mask
    if mask is not None and not bool(Tensor(mask, None).array[sample, query]):
        shares = np.zeros_like(shares)  # a query that is padding gets zeros
    indices = [(sample, key, unit) for key in range(values.shape[1])]
    return Sum([values.products(indices, shares, lambda key: (scores.source((sample, query, key)),))])


def scores(site: Site) -> Sum:
    """A score of `Attention` and `AdditiveAttention`: the query with the key, in relation to all keys."""
    layer = site.operation
    queries, keys = site.inputs[0], site.inputs[2 if len(site.inputs) > 2 else 1]
    sample, query, key = site.index
    own, others = queries.array[sample, query].astype("float64"), keys.array[sample].astype("float64")
    size = len(own)
    scale: Any = 1.0 if layer.scale is None else weight_values(layer.scale, site.dtype)
    places = [(sample, query, place) for place in range(size)]
    if isinstance(layer, keras.layers.AdditiveAttention) or layer.score_mode == "concat":
        if isinstance(layer, keras.layers.AdditiveAttention):
            inner, outer = 1.0, np.broadcast_to(scale, size)
        else:
            inner, outer = scale, np.broadcast_to(weight_values(layer.concat_score_weight, site.dtype), size)
        row = (np.tanh(inner * (own + others)) * outer).sum(axis=-1)
        values = np.tanh(inner * (own + others[key]))
        found = Sum([_tanh_terms((queries, keys), (sample, query, key), values, outer)])
    else:
        row = others @ own * scale
        found = Sum([_times(queries, places, others[key], keys, [(sample, key, place) for place in range(size)])])
        if layer.scale is not None:
            found = found.then(Step("scaled", float(row[key])))
    return _softmax(found, row, site.output[sample, query], (key,))


def headed_scores(site: Site) -> Sum:
    """A score of one head: the head's query with its key, scaled, in relation to all keys."""
    layer = site.operation
    queries, keys = site.at(f"{site.path}/query"), site.at(f"{site.path}/key")
    positions, head, sources = _positions(layer, site.index, queries.array.ndim)
    query = (*positions, head)
    own = queries.array[query].astype("float64")
    shared = head // _heads_of_a_key(layer, queries, keys)
    attended_axes = _axes(layer, queries.array.ndim)
    part = keys.array[(*_everywhere(positions, attended_axes), shared)].astype("float64")
    size = len(own)
    row = part @ own / np.sqrt(size)
    key = (*_moved(positions, attended_axes, sources), shared)
    weights = keys.array[key].astype("float64")
    places = [(*query, place) for place in range(size)]
    found = Sum([_times(queries, places, weights, keys, [(*key, place) for place in range(size)])])
    found = found.then(Step("divided by the root of the key's size", float(row[sources])))
    captured = site.output[site.index[: site.output.ndim - len(sources)]]
    return _softmax(found, row, captured, sources)


def headed_softmax(site: Site, layer: Any, path: str) -> Sum:
    """The softmax inside an attention with heads, which gives the scores."""
    return headed_scores(site.elsewhere(operation=layer, path=path))


def projected(site: Site, layer: Any, path: str) -> Sum:
    """The last layer of an attention with heads: all values of all heads, by score and by the weights of the layer.

    Args:
        site: A value of the last layer.
        layer: The attention around it.
        path: The path of the attention.
    """
    values, scored = site.at(f"{path}/value"), site.at(f"{path}/scores")
    *positions, unit = site.index
    axes = _axes(layer, values.array.ndim)
    lengths = [values.shape[axis] for axis in axes]
    kernel = weight_values(keras.ops.convert_to_tensor(site.operation.kernel)[..., unit], site.dtype)
    heads, size = kernel.shape
    repeated = heads // values.shape[-2]
    gate = np.ones((heads, size))
    if getattr(layer, "use_gate", False) or f"{path}/gate" in site.paths:
        gate = site.at(f"{path}/gate").array[tuple(positions)].astype("float64")
    combinations = grid(range(heads), *map(range, lengths), range(size))
    head, sources, place = combinations[:, 0], combinations[:, 1:-1], combinations[:, -1]
    rest = [at for axis, at in enumerate(positions) if axis not in axes]
    query = [positions[axis] for axis in axes]
    prefix = [np.full(len(head), at) for at in rest]
    of_score = np.stack([*prefix, head, *(np.full(len(head), at) for at in query), *sources.T], axis=-1)
    shares = scored.array[tuple(of_score.T)].astype("float64")
    columns = [np.full(len(head), at) for at in positions]
    for axis, column in zip(axes, sources.T, strict=True):
        columns[axis] = column
    indices = np.stack([*columns, head // repeated, place], axis=-1)
    weights = shares * kernel[head, place] * gate[head, place]

    def weight_from(number: int) -> tuple[Source, ...]:
        return (scored.source(of_score[number]),)

    bias = None if site.operation.bias is None else float(weight_values(site.operation.bias[unit], site.dtype))
    found = Sum([values.products(indices, weights, weight_from)], bias)
    return activated(found, site.operation.activation, site)


def _softmax(found: Sum, row: Array, captured: Array, key: Index) -> Sum:
    """A product of query and key with the steps to the score; a key that got no share at all is masked out."""
    counted = np.where(captured == 0, -np.inf, row)
    if not np.isfinite(counted[key]):
        return found.then(Step("masked, or far below the others", 0.0))
    largest = counted.max()
    shares = np.exp(counted - largest)
    total = float(shares.sum() * np.exp(largest))
    steps = (Step("exp", float(np.exp(row[key]))), Step("sum of exp over the keys", total))
    return found.then(*steps, Step("softmax", float(shares[key] / shares.sum())))


def _times(queries: Tensor, places: Any, weights: Array, keys: Tensor, others: Sequence[Index]) -> Products:
    return queries.products(places, weights, lambda number: (keys.source(others[number]),))


def _tanh_terms(given: tuple[Tensor, Tensor], index: Index, values: Array, weights: Any) -> Products:
    """Terms for the tanh of a query and a key together, which no path has."""
    sample, query, key = index

    def weight_from(number: int) -> tuple[Source, ...]:
        return given[0].source((sample, query, number)), given[1].source((sample, key, number))

    reason = "the tanh of a value of the query and one of the key"
    places = np.array([(sample, query, number) for number in range(len(values))])
    return Products(None, reason, places, values, np.asarray(weights, "float64"), weight_from)


def _axes(layer: Any, rank: int) -> list[int]:
    """The axes of the positions that are attended over, in tensors with an axis of heads."""
    axes = axes_of_attention(layer)
    return [1] if axes is None else [axis % (rank - 1) for axis in axes]


def _positions(layer: Any, index: Index, rank: int) -> tuple[tuple[int, ...], int, tuple[int, ...]]:
    """The index of the query without head and feature, the head, and the place of the key on the attended axes."""
    axes = _axes(layer, rank)
    others = [axis for axis in range(rank - 2) if axis not in axes]
    positions = [0] * (rank - 2)
    for axis, at in zip([*others], index, strict=False):
        positions[axis] = at
    head = index[len(others)]
    for axis, at in zip(axes, index[len(others) + 1 :], strict=False):
        positions[axis] = at
    return tuple(positions), head, tuple(index[len(index) - len(axes) :])


def _everywhere(positions: Index, axes: list[int]) -> tuple[Any, ...]:
    return tuple(slice(None) if axis in axes else at for axis, at in enumerate(positions))


def _moved(positions: Index, axes: list[int], sources: Index) -> Index:
    found = list(positions)
    for axis, at in zip(axes, sources, strict=True):
        found[axis] = at
    return tuple(found)


def _heads_of_a_key(_layer: Any, queries: Tensor, keys: Tensor) -> int:
    """How many heads of queries share one of keys."""
    return queries.shape[-2] // keys.shape[-2]
