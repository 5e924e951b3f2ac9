"""`scan`: counts a model's layers over a whole data set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from actwidget.capture.access.batches import (
    RawBatch,
    Source,
    is_shards,
    known_length,
    shard_sources,
    source_of,
)
from actwidget.capture.structure.supported_models import check_is_keras_model
from actwidget.errors import InvalidInputsError, ScanError
from actwidget.options import at_least, one_of
from actwidget.scanning.class_labels import class_labels, labels_by_shard
from actwidget.scanning.cluster import count_on, paths_of, shards_of
from actwidget.scanning.counter import Counter, foreign
from actwidget.scanning.counting.tally import Settings
from actwidget.scanning.identity import Identity, differences, of_model, of_values
from actwidget.scanning.result import Scan
from actwidget.scanning.sample_data import SampleData
from actwidget.scanning.scanned_layers import Options
from actwidget.scanning.state import State
from actwidget.scanning.storage import load


def scan(
    model: keras.Model,
    data: Any,
    layers: Any = None,
    *,
    labels: Any = None,
    top: int = 9,
    keep: int = 2000,
    batch_size: int = 32,
    max_bytes: float = 256_000_000,
    on_error: str = "raise",
    file: Any = None,
    client: Any = None,
    progress: bool = True,
    seed: int = 0,
) -> Scan:
    """Counts what a model's layers give over a whole data set, in one pass and in memory that does not grow with it.

    Statistics, quantiles, histograms, the samples that excite each channel most, means by class, and the output of some
    samples, all of which can be merged. The model does not change.

    Args:
        model: A Keras model.
        data: An array of shape `(samples, ...)`, in memory or an `np.memmap`; a list or dict of arrays for a model with
            several inputs; a `tf.data.Dataset`, a `keras.utils.PyDataset`, a PyTorch `DataLoader`, or any iterable of
            batches, each in one of Keras's forms: inputs, `(inputs,)`, `(inputs, labels)` or `(inputs, labels,
            weights)`; or a list of shards: arrays, or callables that give one. The scan refers to it.
        layers: A selector (a path, a unique name, an index into `model.layers`, or a layer), a list of them, or `None`
            for every layer with numbers.
        labels: Whole numbers of shape `(samples,)` or `(samples, 1)`, or one-hot; for shards also a list of them.
            By default those in the batches, if they are classes.
        top: How many samples are kept for each channel.
        keep: Of how many samples the output is kept, fewer if they take more than `max_bytes`.
        batch_size: How many samples go through the model at a time, where the data has no batches of its own.
        max_bytes: An upper bound on the bytes of all that is counted.
        on_error: `"raise"`, or `"skip"` to leave out a batch that can't be read or counted; `Scan.skipped` lists them.
        file: Where progress is kept, at least every 2 seconds. A scan that was killed goes on from it; one that is
            complete is returned at once. It is refused if it is of another model, other weights or other data.
        client: A `dask.distributed.Client`, on whose workers the shards are counted; an array is cut into shards.
        progress: Whether to show a progress bar, if tqdm is installed.
        seed: Chooses the kept samples, and the values from which quantiles are computed.

    Returns:
        What was found. After Ctrl-C it is what was counted until then, with `complete` false.

    Raises:
        UnsupportedModelError: `model` can't be explored.
        InvalidInputsError: The data is empty, or does not fit the model.
        LayerNotFoundError: A selector matches no layer, or several.
        NotCapturableError: A layer can't be captured, or its value for one sample depends on the others.
        MemoryBudgetError: The counts alone take more than `max_bytes`.
        OptionError: An option, or the labels, are not as described.
        CaptureError: A forward pass failed.
        ScanError: The data could not be read, or the weights changed; its `scan` holds what was counted.
        MissingPackageError: Apache DataSketches is not installed.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="hidden")])
        >>> found = scan(model, np.ones((100, 4)), "hidden", progress=False)
        >>> found.count, found.statistics["hidden"].samples, found.top("hidden", 0)[0].sample
        (100, 100, 0)
    """
    check_is_keras_model(model)
    _check(on_error, top=top, keep=keep, batch_size=batch_size, max_bytes=max_bytes, seed=seed)
    given = SampleData(data, State(model.name), in_shards=is_shards(data, model))
    if client is not None:
        (data, labels), layers = shards_of(data, labels, model, client), paths_of(layers, model)
    sources, length = _opened(model, data, batch_size)
    settings = Settings(top, keep, seed, length)
    options = Options(layers, settings, batch_size, max_bytes, on_error == "skip")
    state = _known(model, options, file, sources, labels)
    counter = Counter(model, options, state, file=file)
    if state.complete:
        counter.check_first(sources[0])
    else:
        with _bar(length, state.seen, shown=progress) as advance, counter.interrupts.watched():
            counter.after_batch = advance
            _count(counter, sources, data, labels, client)
    return Scan(counter.state, replace(given, state=counter.state))


def _check(on_error: Any, **numbers: Any) -> None:
    """Makes sure that `on_error` is known, and that numbers are from 0, or from 1 for the size of a batch.

    Raises:
        OptionError: One is not.
    """
    one_of(on_error, ("raise", "skip"), "on_error")
    for name, value in numbers.items():
        at_least(1 if name == "batch_size" else 0, value, name)


def _known(model: keras.Model, options: Options, file: Any, sources: list[Callable[[], Source]], labels: Any) -> State:
    """The state to begin with: that in the file, if there is one of the same model and data.

    Raises:
        ScanError: It is of another.
    """
    state = State(model.name)
    own = of_model(model)
    if file is None:
        state.identity |= own
        return state
    settings = options.settings
    here = own | {
        "layers": "all" if options.layers is None else _named(options.layers),
        "shards": len(sources),
        "samples": settings.expected,
        "top": settings.top,
        "keep": settings.keep,
        "seed": settings.seed,
        "batch_size": options.batch_size,
        "labels": of_values(labels),
        **_ends(sources, are_known=settings.expected is not None),
    }
    if Path(file).exists():
        state = load(file)
        if differ := differences(state.identity, here):
            raise ScanError(foreign(file, differ))
    state.identity |= {name: value for name, value in here.items() if value is not None}
    return state


def _named(layers: Any) -> str:
    """Selectors in words."""
    listed = layers if isinstance(layers, (list, tuple)) else [layers]
    return ", ".join(each.name if isinstance(each, keras.Layer) else str(each) for each in listed)


def _ends(sources: list[Callable[[], Source]], *, are_known: bool) -> Identity:
    """The first and the last batch, as far as they can be had without reading all others."""
    source = sources[0]()
    if source.last is None or source.length == 0:
        return {}  # a stream, of which the first batch is looked at when it comes
    first = next(source.read(0), None)
    found: Identity = {"first batch": of_values(first.inputs) if isinstance(first, RawBatch) else None}
    if len(sources) == 1 or are_known:
        last = sources[-1]()
        found["last batch"] = None if last.last is None or last.length == 0 else of_values(last.last())
    return found


def _count(counter: Counter, sources: list[Callable[[], Source]], data: Any, labels: Any, client: Any) -> None:
    """Counts all shards, here or on a cluster, until an interrupt comes; what is counted stays in the file."""
    state = counter.state
    try:
        if client is None:
            _count_here(counter, sources, labels)
        else:
            count_on(client, counter, data, labels)
        _check_not_empty(state)
        state.complete = True
    except KeyboardInterrupt:
        if counter.interrupts.broke_in:  # a batch may be half counted
            raise
    except ScanError:
        raise
    except Exception:
        counter.save()
        raise
    with suppress(KeyboardInterrupt), counter.interrupts.held():
        counter.save()


def _check_not_empty(state: State) -> None:
    """Makes sure that there was something to count.

    Raises:
        InvalidInputsError: There was nothing.
    """
    if not (state.count or state.skips):
        message = f"The data to scan with model {state.model_name!r} is empty: expected at least one sample."
        raise InvalidInputsError(message)


def _count_here(counter: Counter, sources: list[Callable[[], Source]], labels: Any) -> None:
    """Counts one shard after the other."""
    state = counter.state
    given = None if labels is None else labels_by_shard(labels, len(sources))
    for shard, opened in enumerate(sources):
        if shard not in state.lengths:
            source = opened()
            counter.count(source, shard, _labels_of(given, shard, state, source, len(sources)))


def _opened(model: keras.Model, data: Any, batch_size: int) -> tuple[list[Callable[[], Source]], int | None]:
    """What gives the data of each shard, and how many samples there are, if that is known."""
    if is_shards(data, model):
        return shard_sources(data, model, batch_size), known_length(data)
    source = source_of(data, model, batch_size)
    return [lambda: source], source.length


def _labels_of(given: list[Any] | None, shard: int, state: State, source: Source, shards: int) -> Any:
    """The labels of a shard."""
    if given is None or len(given) == shards:
        return None if given is None else given[shard]
    start = sum(state.lengths[each] for each in range(shard))
    every = class_labels(given[0])
    return every[start:] if source.length is None else every[start : start + source.length]


@contextmanager
def _bar(length: int | None, done: int, *, shown: bool) -> Iterator[Callable[[int], None]]:
    """A progress bar, and what moves it on."""
    tqdm = _tqdm() if shown else None
    if tqdm is None:
        yield lambda _size: None
        return
    with tqdm(total=length, initial=done, unit=" samples", unit_scale=True) as bar:
        yield bar.update


def _tqdm() -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError:  # an option
        return None
    return tqdm
