"""A model seen while it runs on a sample, or on symbols: only that shows what a model without a graph calls."""

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
class Reading:
    """What was read of a model, or seen of one without a functional graph.

    Attributes:
        builder: What is known of the nodes.
        nodes: The nodes of the model.
        outputs: What the model gives.
        output: The path of the layer that gives the first of it, `""` where none does.
        batch: The inputs, as the model takes them; `None` without inputs.
        spread: How the model takes them.
        symbols: The structure of symbolic inputs that the model takes; `None` where it has none.
        was_run: Whether the model was run on inputs to be seen.
    """

    builder: NodeBuilder
    nodes: tuple[LayerNode, ...]
    outputs: list[Output]
    output: str
    batch: Batch | None
    spread: Spread
    symbols: Any = None
    was_run: bool = False


class ModelObserver:
    """Finds out what a model calls by running it, which leaves it as it was."""

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
            new_tap: Makes a tap on it.
            record: Is filled with the tensor at each path if the model is run on all samples.
            most: Of more samples than this the model is run on some alone.
        """
        self._root = root
        self._new_tap = new_tap
        self._record = record
        self._most = most

    def on(self, inputs: Any) -> Reading:
        """What is seen of a model without a graph on inputs, in the first of the ways to pass them that it runs on.

        Raises:
            InvalidInputsError: The model can't take the inputs.
            OptionError, NotCapturableError: An edit can't be made.
        """
        root = self._root
        ways = Signature(root).ways(inputs)
        if holds_text(inputs) and (made := preprocessed(root, inputs)) is not None:
            ways += Signature(root).ways(made)
        for spread, value in ways if len(ways) > 1 else []:
            with suppress(InvalidInputsError, CaptureError):
                batch = prepare(value, None, root.name, spread)
                return self._on_batch(batch, spread, self._most, may_fail=False)
        spread, value = ways[0]
        return self._on_batch(prepare(value, None, root.name, spread), spread, self._most, may_fail=True)

    def on_symbols(self) -> Reading:
        """What a trial on symbols shows of a model without a graph; where there can be none, what it declares.

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
            with suppress(Exception), rolled_back_on_failure(root):  # what can't be tried out is seen when it runs
                tap = run_symbolically(root, args, kwargs)
                return Reading(builder, builder.seen(tap.seen, ""), tap.outputs, tap.output_path, None, spread)
        builder.untried = True
        return Reading(builder, builder.declared(root, ""), [], "", None, spread)

    def calls_inside(self, symbols: Any, batch: Batch) -> NodeBuilder:
        """For a model with a graph a builder that knows what those of its layers call that can't be tried out.

        Args:
            symbols: The model's symbolic inputs.
            batch: The inputs.
        """
        return self._calls_inside(symbols, batch, self._most)

    def _calls_inside(self, symbols: Any, batch: Batch, most: int | None) -> NodeBuilder:
        root, tap = self._root, self._new_tap()
        size = _enough(root, batch, most)
        # What a layer that raises would have called is not known.
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

    def _on_batch(self, batch: Batch, spread: Spread, most: int | None, *, may_fail: bool) -> Reading:
        """What is seen of the model on a batch; a layer that raises ends the pass, if it `may_fail`.

        Raises:
            InvalidInputsError: Nothing can be seen on it.
            CaptureError: A layer raised, and the pass may not fail.
            OptionError, NotCapturableError: An edit can't be made.
        """
        root, record, builder = self._root, self._record, NodeBuilder()
        size = _enough(root, batch, most)
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
            if is_part:  # some models take batches of their own size alone
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
        return Reading(builder, nodes, outputs, tap.output_path, batch, spread, was_run=True)


def _symbols(root: keras.Model) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    """The symbolic arguments that a model without a functional graph may take, the likeliest first.

    Of a functional model that overrides `call()` they are known. Keras keeps the shape with which another was built,
    but not the dtype: where numbers of the model's own won't do, it may take whole ones, as ids.
    """
    if isinstance(root, Functional):
        return [((root.input,), {})]
    try:
        config = root.get_build_config()
        shapes = {name.removesuffix("_shape"): shape for name, shape in config.get("shapes_dict", {}).items()}
        shape = shapes or config["input_shape"]
    except Exception:  # noqa: BLE001 - a model may have its own way of keeping it, or none
        return []
    values = [
        keras.tree.map_shape_structure(lambda each, of=dtype: keras.KerasTensor((None, *each[1:]), dtype=of), shape)
        for dtype in dict.fromkeys([root.input_dtype, "int32"])
    ]
    return [((), value) if shapes else ((value,), {}) for value in values]


def _not_reached(error: CaptureError, tap: Tap, batch: Batch) -> str:
    """Why the layers behind one that raised were not called, where those before it can be seen.

    Raises:
        InvalidInputsError: The inputs themselves are wrong, or there is nothing to be seen.
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
    """Whether the first layer of a model refused what it was given, not its edit: one of Keras's own, or not built."""
    first, *others = seen.calls
    refused = first.reason.startswith("raised") and (is_from_keras(first.operation) or not first.operation.built)
    return refused and not others and not first.calls


def _enough(root: keras.Model, batch: Batch, most: int | None) -> int:
    """On how many samples a model is run to be seen, if `most` go through it at a time later.

    Another number than `most`: the axis of the samples is recognised by its length, which differs between the two. A
    stateful layer takes its own number of samples.
    """
    if most is None or batch.size <= most or is_stateful(root):
        return batch.size
    return min(most - 1 or 2, batch.size)
