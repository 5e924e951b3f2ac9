"""Observes a model while it runs on a sample, or on symbols, to find out what a model without a graph calls."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import keras

from actwidget.capture.run.conversion import as_tensors
from actwidget.capture.run.failures import Failing
from actwidget.capture.run.fitted_inputs import holds_text, preprocessed
from actwidget.capture.run.inputs import Batch, different_lengths, prepare
from actwidget.capture.run.reasons import NOT_CALLED
from actwidget.capture.run.restore import unchanged
from actwidget.capture.run.tap import Tap, run_symbolically
from actwidget.capture.run.token_ids import refused_token
from actwidget.capture.structure.call_arguments import Signature, Spread, arguments
from actwidget.capture.structure.call_names import is_stateful
from actwidget.capture.structure.calls import Call, Output
from actwidget.capture.structure.node import LayerNode
from actwidget.capture.structure.shapes import with_open_batch
from actwidget.capture.trace.node_builder import NodeBuilder
from actwidget.errors import CaptureError, InvalidInputsError, ModelNotBuiltError, NotCapturableError, OptionError
from actwidget.keras_internals.attributes import rolled_back_on_failure
from actwidget.keras_internals.classes import Functional, is_from_keras


@dataclass(frozen=True)
class TracedModel:
    """The result of reading a model's graph, or of observing a model without one.

    Attributes:
        builder: The builder of the nodes, with what it has recorded about them.
        nodes: The nodes of the model.
        outputs: The shapes and dtypes of the model's outputs.
        paths: For each output the path of the layer that returns it; `""` if no layer does.
        batch: The inputs, as the model takes them; `None` without inputs.
        spread: How the model takes them: as one structure, or as several arguments.
        symbols: The structure of the model's symbolic inputs; `None` if it has none.
        was_run: Whether the model was run to find out what it calls.
    """

    builder: NodeBuilder
    nodes: tuple[LayerNode, ...]
    outputs: list[Output]
    paths: tuple[str, ...]
    batch: Batch | None
    spread: Spread
    symbols: Any = None
    was_run: bool = False


class ModelObserver:
    """Finds out what a model calls by running it, and leaves it unchanged."""

    def __init__(
        self,
        root: keras.Model,
        new_tap: Callable[..., Tap],
        *,
        record: dict[str, Any] | None = None,
        most: int | None = None,
    ) -> None:
        """Runs nothing yet.

        Args:
            root: The model.
            new_tap: Creates a tap on it.
            record: A dict to fill with the tensor at each path, if the model is run on all samples.
            most: If there are more samples than this, the model is run on only some of them.
        """
        self._root = root
        self._new_tap = new_tap
        self._record = record
        self._most = most

    def on(self, inputs: Any) -> TracedModel:
        """Observes a model without a graph on inputs; of several ways to pass them, the first that works is used.

        Raises:
            InvalidInputsError: The model can't take the inputs.
            OptionError, NotCapturableError: An edit can't be made.
        """
        root = self._root
        ways = Signature(root).ways(inputs)
        if holds_text(inputs) and (prepared := preprocessed(root, inputs)) is not None:
            ways += Signature(root).ways(prepared)
        for spread, value in ways if len(ways) > 1 else []:
            with suppress(InvalidInputsError, CaptureError):
                batch = prepare(value, None, root.name, spread)
                return self._on_batch(batch, spread, self._most, may_fail=False)
        spread, value = ways[0]
        return self._on_batch(prepare(value, None, root.name, spread), spread, self._most, may_fail=True)

    def on_symbols(self) -> TracedModel:
        """Observes a model without a graph on symbolic inputs; if that fails, lists the layers that it declares.

        Raises:
            ModelNotBuiltError: The model has never been called.
        """
        root, builder, spread = self._root, NodeBuilder(), Signature(self._root).usual
        if not root.built:
            message = (
                f"Model {root.name!r} ({type(root).__name__}) has never been called, so nothing is known of its "
                "layers. Pass a batch as `inputs`, or call the model on one first."
            )
            raise ModelNotBuiltError(message)
        for args, kwargs in _symbols(root):
            with suppress(Exception), rolled_back_on_failure(root):  # a model that fails here may run on values
                tap = run_symbolically(root, args, kwargs)
                return TracedModel(builder, builder.seen(tap.seen, ""), tap.outputs, tap.output_paths, None, spread)
        builder.untried = True
        return TracedModel(builder, builder.declared(root, ""), [], (), None, spread)

    def calls_inside(self, symbols: Any, batch: Batch) -> NodeBuilder:
        """A builder for a model with a graph, with the observed calls of layers that can't be called on symbols.

        Args:
            symbols: The model's symbolic inputs.
            batch: The inputs.
        """
        return self._calls_inside(symbols, batch, self._most)

    def _calls_inside(self, symbols: Any, batch: Batch, most: int | None) -> NodeBuilder:
        root, tap = self._root, self._new_tap()
        size = _observed_samples(root, batch, most)
        # If a layer raises, the calls up to there are used.
        with (
            suppress(CaptureError, OptionError, NotCapturableError),
            unchanged(root, trial=True),
            Failing(root.name, lambda: tap.failed),
        ):
            tap.run(as_tensors(batch.rows(0, size), symbols), training=False)
        if tap.failed is not None and size < batch.size:
            return self._calls_inside(symbols, batch, None)
        calls = {f"{path}/": call for path, call in tap.calls.items()}
        builder = NodeBuilder(calls, None if batch.lengths else size)
        builder.called = frozenset(tap.calls) if size < batch.size else None
        return builder

    def _on_batch(self, batch: Batch, spread: Spread, most: int | None, *, may_fail: bool) -> TracedModel:
        """Observes the model on a batch. If the pass `may_fail` and a layer raises, the calls up to there are used.

        Raises:
            InvalidInputsError: The model can't take the batch, so no calls can be observed.
            CaptureError: A layer raised, and the pass may not fail.
            OptionError, NotCapturableError: An edit can't be made.
        """
        root, record, builder = self._root, self._record, NodeBuilder()
        size = _observed_samples(root, batch, most)
        is_part = size < batch.size
        tap = self._new_tap(wanted=() if record is None or is_part else None)
        args, kwargs = arguments(as_tensors(batch.rows(0, size)), spread)
        unseen = NOT_CALLED
        try:
            with rolled_back_on_failure(root) as put_back:
                try:
                    trial = record is None or is_part
                    with unchanged(root, trial=trial), Failing(root.name, lambda: tap.failed):
                        tap.run(*args, **kwargs, training=False)
                    if record is not None:
                        tap.check_edits()
                except CaptureError as error:
                    if is_part or not may_fail:
                        raise
                    builder.failed = tap.failed
                    unseen = _not_reached(error, tap, batch)
        except (CaptureError, OptionError, NotCapturableError):
            if is_part:  # some models work only with batches of a certain size
                return self._on_batch(batch, spread, None, may_fail=may_fail)
            raise
        if record is not None and not is_part:
            record.update(tap.values)
        builder.called = frozenset(tap.calls) if is_part else None
        samples = None if batch.lengths else size
        outputs = [Output(with_open_batch(output.shape, samples), output.dtype) for output in tap.outputs]
        nodes = builder.seen(tap.seen, "", size=samples, unseen=unseen)
        if builder.failed is not None:
            put_back()
        return TracedModel(builder, nodes, outputs, tap.output_paths, batch, spread, was_run=True)


def _symbols(root: keras.Model) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    """The symbolic arguments that a model without a functional graph may take, the likeliest first.

    For a functional model that overrides `call()` they are known. For any other model, Keras stores the shape
    with which it was built, but not the dtype. If the model's own dtype does not work, its inputs may be integer ids.
    """
    if isinstance(root, Functional):
        return [((root.input,), {})]
    try:
        config = root.get_build_config()
        shapes = {name.removesuffix("_shape"): shape for name, shape in config.get("shapes_dict", {}).items()}
        shape = shapes or config["input_shape"]
    except Exception:  # noqa: BLE001 - a model may override `get_build_config` and store anything, or nothing
        return []
    values = [
        keras.tree.map_shape_structure(lambda each, of=dtype: keras.KerasTensor((None, *each[1:]), dtype=of), shape)
        for dtype in dict.fromkeys([root.input_dtype, "int32"])
    ]
    return [((), value) if shapes else ((value,), {}) for value in values]


def _not_reached(error: CaptureError, tap: Tap, batch: Batch) -> str:
    """The reason for the layers that were not called because another one raised.

    Raises:
        InvalidInputsError: The inputs themselves are wrong, or no calls were observed before the error.
    """
    name = tap.root.name
    if (token := refused_token(error, batch, [], name)) is not None:
        raise token from error
    if batch.lengths:
        message = f"{different_lengths(batch.lengths, name)} It does not run on these: {error}"
        raise InvalidInputsError(message) from error
    if tap.failed is None or _refuses_its_inputs(tap.seen):
        message = f"Model {name!r} can't take these inputs. {error}"
        raise InvalidInputsError(message) from error
    return f"was not reached, since {tap.failed!r} raised"


def _refuses_its_inputs(seen: Call) -> bool:
    """Whether the first layer of a model raised (not an edit of it), and it is one of Keras's own or not built."""
    first, *others = seen.calls
    refused = first.reason.startswith("raised") and (is_from_keras(first.operation) or not first.operation.built)
    return refused and not others and not first.calls


def _observed_samples(root: keras.Model, batch: Batch, most: int | None) -> int:
    """On how many samples a model is run to observe it, if `most` go through it at a time later.

    The number differs from `most`, because a batch axis is recognised by its length: it is the axis whose length
    differs between the two. A stateful layer works only with its own number of samples.
    """
    if most is None or batch.size <= most or is_stateful(root):
        return batch.size
    return min(most - 1 or 2, batch.size)
