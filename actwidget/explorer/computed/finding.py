"""The arithmetic of a value in an explorer: from activations that are computed once and kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from actwidget.capture.access.cache import Key
from actwidget.capture.run.batch_parts import alone
from actwidget.explain.computation import Computations
from actwidget.explain.computation.arithmetic_result import Terms
from actwidget.explorer.computed.place import Index, has_samples, has_samples_at

if TYPE_CHECKING:
    from actwidget.explain.computation import Arithmetic
    from actwidget.explain.computation.arithmetic_result import Given, Products
    from actwidget.explorer.layer_data import LayerData

COMPUTATIONS, LAST = "computations", "arithmetic"
"""The kind of the cache's entry that holds the activations, and the key of the last arithmetic among the results."""


def found_at(data: LayerData, index: Index) -> Arithmetic:
    """How a value is computed.

    Where samples do not depend on one another, only the one on screen goes through the model.

    Args:
        data: The layer.
        index: The index of the value in the layer's activation, the sample first.

    Raises:
        ActwidgetError: The value can't be had; the message says why.
    """
    results = data.sources.results
    key = data.path, index, data.sample
    known, found = results.get(LAST, (None, None))
    if known == key:
        return cast("Arithmetic", found)
    session = data.sources.session
    batch = session.batch
    is_alone = batch is not None and batch.size > 1 and session.alike(data.path) is True and not batch.lengths
    name = Key("", COMPUTATIONS, data.sample if is_alone else None)
    computations: Any = session.kept.get(name)
    if computations is None:
        part = alone(batch, [data.sample]) if is_alone and batch is not None else batch
        computations = Computations(session.graph, part, kept=int(min(session.budget / 2, MOST_BYTES)))
    there = (index[0] - data.sample, *index[1:]) if is_alone and has_samples(data) else index
    found = cast("Arithmetic", computations.arithmetic(data.path, there))
    if is_alone:
        terms = Terms([_in_batch(data, group) for group in found.terms.groups])
        found = replace(found, index=index, terms=terms, inputs=tuple(_of_batch(data, each) for each in found.inputs))
    session.kept.put(name, computations, computations.nbytes)
    results.put(LAST, (key, found))
    if not is_alone:
        # What the terms take is what a person looks at next.
        for path in {given.path for given in found.inputs}:
            if path is not None and (tensor := computations.kept_value(path)) is not None:
                session.take(path, tensor)
    return found


def _in_batch(data: LayerData, group: Products) -> Products:
    """Terms of a sample that went through the model alone, with its number in the batch."""
    if group.path is not None and not has_samples_at(data.sources.session, group.path, data.sample):
        return group
    return group.moved(lambda index: (index[0] + data.sample, *index[1:]) if index else index)


def _of_batch(data: LayerData, given: Given) -> Given:
    """What a layer was given for a sample that went through alone, with the size of the whole batch."""
    if not given.shape:
        return given
    if given.path is not None and not has_samples_at(data.sources.session, given.path, data.sample):
        return given
    return replace(given, shape=(data.batch_size, *given.shape[1:]))


MOST_BYTES = 256_000_000
"""Activations of more bytes are not kept: then each value that is asked for needs a pass of its own."""
