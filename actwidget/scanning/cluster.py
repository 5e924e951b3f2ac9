"""A scan on a cluster of Dask: each worker counts some shards, and what they counted is merged."""

from __future__ import annotations

import functools
import pickle
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras

from actwidget.capture.access.batches import is_shards, shard_sources, takes_several
from actwidget.capture.structure.selectors import select
from actwidget.capture.trace import trace
from actwidget.errors import MissingPackageError, OptionError, ScanError, error_text, shown
from actwidget.keras_internals.layers import flat_layers
from actwidget.scanning.class_labels import class_labels
from actwidget.scanning.state import State
from actwidget.scanning.storage import as_bytes, from_bytes

if TYPE_CHECKING:
    from actwidget.scanning.counter import Counter
    from actwidget.scanning.scanned_layers import Options

_ONE_AT_A_TIME = threading.Lock()
_TRIES = 5
"""So often a shard is given to a worker before it is an error that each one was lost."""
_SHARDS_EACH = 4
"""Into so many shards for each worker an array is cut."""


def shards_of(data: Any, labels: Any, model: keras.Model, client: Any) -> tuple[list[Any], list[Any] | None]:
    """Data, and its labels, in shards that workers can count.

    Raises:
        OptionError: The data is a stream, of which a part can't be had alone, or the labels are not given by shard.
    """
    if not is_shards(data, model):
        if takes_several(model) or not hasattr(data, "shape"):
            expected = "With a client give the data as a list of shards, arrays or callables that give one"
            message = f"{expected}, got {shown(data)}."
            raise OptionError(message)
        size = max(1, -(-len(data) // max(1, _SHARDS_EACH * len(client.scheduler_info()["workers"]))))
        every = None if labels is None else class_labels(labels, len(data))
        starts = range(0, len(data), size)
        cut = None if every is None else [every[first : first + size] for first in starts]
        return [data[first : first + size] for first in starts], cut
    if labels is None or (isinstance(labels, (list, tuple)) and len(labels) == len(data)):
        return list(data), None if labels is None else list(labels)
    if any(not hasattr(shard, "shape") for shard in data):
        message = f"With a client give labels as a list with an array for each of {len(data)} shards."
        raise OptionError(message)
    every, parts = class_labels(labels, sum(map(len, data))), []
    for shard in data:
        parts.append(every[: len(shard)])
        every = every[len(shard) :]
    return list(data), parts


def paths_of(layers: Any, model: keras.Model) -> Any:
    """Selectors that also hold for a copy of the model: paths in place of the model's own layers.

    Raises:
        LayerNotFoundError: One of the layers is none of the model's.
    """
    listed = layers if isinstance(layers, (list, tuple)) else [layers]
    if not any(isinstance(each, keras.Layer) for each in listed):
        return layers
    graph = trace(model)
    return [select(graph, each).path for each in listed]


def count_on(client: Any, counter: Counter, shards: list[Any], labels: list[Any] | None) -> None:
    """Counts the shards that are not counted yet, in whatever order they are done.

    A worker that is lost loses nothing but its own shard, which another one counts.

    Raises:
        ScanError: A shard could not be counted; the error holds what was.
    """
    distributed = MissingPackageError.unless_imported(
        "distributed", 'A client needs Dask: pip install "actwidget[cluster]".'
    )
    state = counter.state
    tries = dict.fromkeys(range(len(shards)), 0)
    stored = _stored(counter.model, distributed.protocol.pickle.dumps)
    model = client.scatter(stored, broadcast=True, hash=False)
    waiting: dict[Any, int] = {}

    def submit(shard: int) -> Any:
        tries[shard] += 1
        own = None if labels is None else labels[shard]
        future = client.submit(count_shard, model, shards[shard], shard, own, counter.options, pure=False)
        waiting[future] = shard
        return future

    futures = distributed.as_completed([submit(shard) for shard in tries if shard not in state.lengths])
    try:
        for future in futures:
            shard = waiting.pop(future)
            error = future.exception() if future.status == "error" else None
            if future.status == "finished":
                with counter.interrupts.held():
                    counter.merge(from_bytes(future.result()))
                future.release()
                continue
            is_lost = future.status == "cancelled" or isinstance(error, distributed.KilledWorker)
            if not is_lost or tries[shard] >= _TRIES:
                raise counter.failure(_failed(shard, error)) from error
            if model.status != "finished":
                model = client.scatter(stored, broadcast=True, hash=False)
            futures.add(submit(shard))
    finally:
        client.cancel(list(waiting))


def count_shard(stored: bytes, shard: Any, number: int, labels: Any, options: Options) -> bytes:
    """What a worker counts of one shard, as the content of a file; `stored` is what `_stored` gave."""
    from actwidget.scanning.counter import Counter

    with _ONE_AT_A_TIME:  # a worker may have several threads
        model = _loaded(stored)
        counter = Counter(model, options, State(model.name))
        source: Callable[[], Any] = shard_sources([shard], model, options.batch_size)[0]
        counter.count(source(), number, labels)
        return as_bytes(counter.state)


def _stored(model: keras.Model, by_value: Callable[[Any], bytes]) -> bytes:
    """A model pickled, with what a notebook has defined for it, which no worker could import."""
    every = {type(each).__name__: type(each) for each in flat_layers(model)} | keras.saving.get_custom_objects()
    own = {name: each for name, each in every.items() if getattr(each, "__module__", None) == "__main__"}
    return pickle.dumps((by_value(own), pickle.dumps(model)))


@functools.lru_cache(maxsize=1)
def _loaded(stored: bytes) -> keras.Model:
    """The model in this worker, read once for all shards."""
    own, pickled = pickle.loads(stored)  # noqa: S301 - the scan itself has sent it
    with keras.saving.custom_object_scope(pickle.loads(own)):  # noqa: S301 - as above
        model: keras.Model = pickle.loads(pickled)  # noqa: S301 - as above
    return model


def _failed(shard: int, error: BaseException | None) -> ScanError:
    reason = "its workers were lost" if error is None else error_text(error)
    return ScanError(f"Shard {shard} could not be counted on the cluster: {reason}.")
