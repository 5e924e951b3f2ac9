"""`arithmetic`: one value of a layer, with the numbers that it is computed from."""

from __future__ import annotations

import math
from contextlib import nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from actwidget.capture.access.budget import sizes_of
from actwidget.capture.access.submodel import reason_against
from actwidget.capture.run.batch_parts import alone
from actwidget.capture.run.conversion import as_tensors
from actwidget.capture.run.failures import Failing
from actwidget.capture.run.inputs import Batch, prepare
from actwidget.capture.run.restore import unchanged
from actwidget.capture.run.token_ids import refused_token
from actwidget.capture.semantics.sample_independence import are_samples_independent
from actwidget.capture.structure.selectors import select
from actwidget.capture.trace import read
from actwidget.errors import (
    ActwidgetError,
    CaptureError,
    InvalidInputsError,
    NotCapturableError,
    OptionError,
    SampleError,
    error_text,
    shown,
)
from actwidget.explain.computation.arithmetic_result import Arithmetic, Index, Step, Terms
from actwidget.explain.computation.observing import ObservedCall, ObservingTap
from actwidget.explain.computation.rules.table import rule_at
from actwidget.explain.computation.site import Site, Sum, Tensor, UnknownArithmeticError
from actwidget.keras_internals.backend import backend
from actwidget.keras_internals.classes import is_from_keras
from actwidget.keras_internals.graph import function_of
from actwidget.options import index as checked_index

if TYPE_CHECKING:
    from actwidget.capture.structure.model_graph import ModelGraph
    from actwidget.capture.structure.node import LayerNode

KEPT = 256_000_000
"""Up to so many bytes of activations are kept, so that a walk from value to value needs one pass alone."""


def arithmetic(model: keras.Model, inputs: Any, layer: Any, index: Any) -> Arithmetic:
    """How one value of a layer is computed: the terms that add up to it, and what is done to their sum.

    Each term names the path and the index of the value that it takes, with which the function can be called in turn, so
    that a person can walk from an answer back to the input. The model is left as it was.

    Args:
        model: A Keras model.
        inputs: One batch: an array of shape `(samples, ...)`, or a list or dict of them as the model takes it.
        layer: A path, a unique name, an index into `model.layers`, or a layer.
        index: The index of the value in the layer's activation, the sample first: a whole number for each axis, as in
            `(0, 7, 7, 3)` for a feature map; below zero it counts from the end.

    Returns:
        The value as captured, the terms, the bias and the steps after the sum, and the sum written out.

    Raises:
        LayerNotFoundError: `layer` names no layer, or several.
        InvalidInputsError: There are no `inputs`, or they do not fit the model.
        NotCapturableError: The layer can't be captured, or it gives no numbers.
        SampleError: The batch has no such sample.
        OptionError: `index` has another number of axes than the activation, or lies outside of it.
        CaptureError: The forward pass failed.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="sum", kernel_initializer="ones")])
        >>> found = arithmetic(model, np.array([[2.0, 3.0]]), "sum", (0, 0))
        >>> found.text
        'sum[0, 0] = 3 × 1 + 2 × 1 + bias 0 = 5'
        >>> found.terms[0].index, found.terms[0].product
        ((0, 0), 2.0)
    """
    graph, batch = read(model, inputs)
    return Computations(graph, batch or prepare(inputs, graph.inputs, model.name), kept=0).arithmetic(layer, index)


class Computations:
    """Computes the arithmetic of one value after the other, for one model and one batch."""

    def __init__(self, graph: ModelGraph, batch: Batch | None, *, kept: int = KEPT) -> None:
        """Runs nothing yet.

        Args:
            graph: The model's graph.
            batch: The inputs.
            kept: Up to how many bytes of activations are kept; if those of the model take more, each value that is
                asked for needs a pass of its own, and only what its layer was given is kept.

        Raises:
            InvalidInputsError: There are no inputs.
        """
        if batch is None:
            message = f"The arithmetic of model {graph.model.name!r} needs inputs. Give a batch of them."
            raise InvalidInputsError(message)
        self.graph, self.batch = graph, batch
        self._kept = kept
        self._calls: dict[str, ObservedCall] = {}
        self._values: dict[str, Any] = {}
        self._single: tuple[int, Computations] | None = None

    @property
    def nbytes(self) -> int:
        """About how many bytes the activations that are kept take, at four bytes a value."""
        own = 4 * sum(int(math.prod(value.shape)) for value in self._values.values())
        return own + (0 if self._single is None else self._single[1].nbytes)

    def kept_value(self, path: str) -> Any:
        """The tensor at a path if it is kept, otherwise `None`."""
        return self._values.get(path)

    def arithmetic(self, layer: Any, index: Any) -> Arithmetic:
        """How one value of a layer is computed.

        Args:
            layer: A path, a unique name, an index into `model.layers`, or a layer.
            index: The index of the value in the layer's activation, the sample first.

        Raises:
            LayerNotFoundError, NotCapturableError, SampleError, OptionError, CaptureError: As for `arithmetic`.
        """
        self.graph.check()
        node = select(self.graph, layer)
        if (error := reason_against(self.graph, node.path, self.batch)) is not None:
            raise error
        if (sample := self._alone(node, index)) is not None:
            one = Computations(self.graph, alone(self.batch, [sample]), kept=self._kept)
            self._single = self._single if self._single is not None and self._single[0] == sample else (sample, one)
            return self._single[1].arithmetic(node.path, (0, *index[1:])).of_sample(sample)
        was_observed = node.path in self._values
        found = self._arithmetic(node.path, index)
        if found.result is None and was_observed:
            # The weights may have changed since the pass.
            self._calls.clear()
            self._values.clear()
            found = self._arithmetic(node.path, index)
        return found

    def _alone(self, node: LayerNode, index: Any) -> int | None:
        """The sample that is run alone, where the activations of all are too large and each is computed by itself."""
        shape, size = node.output_shape, self.batch.size
        is_index = isinstance(index, (tuple, list)) and shape is not None and len(index) == len(shape) > 0
        if size == 1 or not is_index or self._size is None or self._size <= KEPT:
            return None
        if not isinstance(index[0], (int, np.integer)) or not -size <= index[0] < size:
            return None
        return int(index[0]) % size if are_samples_independent(self.graph, [node]) else None

    def _arithmetic(self, path: str, index: Any) -> Arithmetic:
        tensor = self._value(path)
        place = self._place(path, tensor, index)
        value = float(tensor.array[place])
        site: Site | None = None
        reason = ""
        try:
            site, rule = self._site(path, place, tensor)
            found = self._edited(path, rule(site), site)
            _check(found, value, tensor.array.dtype.name, site)
        except UnknownArithmeticError as unknown:
            reason = str(unknown)
        except ActwidgetError:
            raise
        except Exception as error:  # noqa: BLE001 - a layer may be made, or called, in a way that no rule expects
            reason = f"The arithmetic of {path!r} could not be worked out: {error_text(error)}"
        inputs = () if site is None else tuple(each.given for each in site.inputs)
        if reason:
            return Arithmetic(path, place, value, None, Terms(), inputs=inputs, reason=reason)
        return Arithmetic(
            path, place, value, found.result, found.terms, found.bias, found.steps, inputs, total=found.total
        )

    def _site(self, path: str, place: Index, tensor: Tensor) -> tuple[Site, Any]:
        """The site of a value, and the rule that tells how it is computed."""
        graph = self.graph
        aside = graph.asides.get(path)
        call_path, number = (aside.layer, 0) if aside else graph.call_of(path)
        call = self._calls[call_path]
        computed = tensor if aside else call.outputs[number]
        args = call.args or ((computed,) if isinstance(call.operation, keras.layers.InputLayer) else ())
        site = Site(
            call.operation,
            call_path,
            args,
            call.kwargs,
            place,
            computed.array,
            number=number,
            at=self._at,
            paths=graph.nodes,
        )
        outer = graph.operations.get(call_path.rpartition("/")[0], graph.root)
        inner = path.removeprefix(f"{call_path}/") if aside else ""
        return site, rule_at(site, computed if aside is None else None, outer, inner)

    def _edited(self, path: str, found: Sum, site: Site) -> Sum:
        """The same with the edit that the model puts behind the layer, if any."""
        edit = self.graph.edits.get(path)
        if edit is None:
            return found
        return found.then(Step(f"edit ({type(edit).__name__})", float(self._value(path).array[site.index])))

    def _value(self, path: str) -> Tensor:
        """The captured value at a path."""
        if path not in self._values:
            try:
                self._observe(path)
            except CaptureError as error:
                token = refused_token(error, self.batch, self.graph.input_names, self.graph.model.name)
                if token is None:
                    raise
                raise token from error
        return Tensor(self._values[path], path)

    def _at(self, path: str) -> Tensor:
        """The captured value at a path, for a rule.

        Raises:
            UnknownArithmeticError: There is none.
        """
        if path not in self.graph.nodes or reason_against(self.graph, path, self.batch) is not None:
            message = f"It is made of {path!r}, which can't be captured."
            raise UnknownArithmeticError(message)
        return self._value(path)

    def _observe(self, path: str) -> None:
        """Runs the model, and notes what the call behind a path is given; all calls if that takes few bytes."""
        graph, batch = self.graph, self.batch
        aside = graph.asides.get(path)
        paths = [path]
        if aside is not None:
            paths = [each for each, other in graph.asides.items() if other.layer == aside.layer]
        elif self._kept and self._size is not None and self._size <= self._kept:
            paths = [node.path for node in graph.tree if node.origin != "opaque" and node.path not in graph.asides]
        calls = {graph.asides[each].layer if each in graph.asides else graph.call_of(each)[0] for each in paths}
        edits = dict(graph.edits) if len(paths) > 1 else graph.edits_before(paths)
        allowed = graph.allow_unreached
        tap = ObservingTap(
            graph.root, calls=calls, wanted={*paths}, edits=edits, allow_unreached=allowed, stop=aside is None
        )
        args, kwargs = graph.arguments(as_tensors(batch.fed, graph.inputs))
        # Only where code of the user's calls layers it can matter what happens between them; to follow that costs time.
        composites = [graph.root, *(graph.operations[node.path] for node in graph.tree if node.children)]
        tap.origins.are_seen = any(function_of(each) is None and not is_from_keras(each) for each in composites)
        seeing = backend.operations_seen(tap.origins.see) if tap.origins.are_seen else nullcontext()
        with (
            unchanged(graph.root, name=graph.model.name, trial=True),
            Failing(graph.model.name, lambda: tap.failed),
            seeing,
        ):
            tap.run(*args, **kwargs, training=False)
        tap.check_edits()
        tap.check_values([path])
        self._calls |= tap.noted
        self._values |= tap.values

    @cached_property
    def _size(self) -> int | None:
        """How many bytes all activations take together; `None` where that is not known beforehand."""
        nodes = [node for node in self.graph.tree if node.origin != "opaque"]
        sizes = [*sizes_of(self.graph, self.batch, nodes).values()]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    def _place(self, path: str, tensor: Tensor, index: Any) -> Index:
        """An index into an activation as whole numbers from 0.

        Raises:
            NotCapturableError: The activation holds no numbers.
            SampleError: There is no such sample.
            OptionError: It is no index of one value.
        """
        array = tensor.array
        model = self.graph.model.name
        if array.dtype.kind not in "biuf":
            what = "complex numbers" if array.dtype.kind == "c" else "text"
            message = (
                f"{path!r} of model {model!r} gives {what}, which no arithmetic on numbers leads to. Choose a layer "
                "behind it."
            )
            raise NotCapturableError(message)
        there = f"{path!r} of model {model!r}, of shape {array.shape}"
        given = index if isinstance(index, (tuple, list, np.ndarray)) else (index,)
        if len(given) != array.ndim:
            example = tuple(length // 2 if axis else 0 for axis, length in enumerate(array.shape))
            message = (
                f"Expected an index of {array.ndim} whole numbers into {there}, the sample first, such as {example}; "
                f"got {shown(index)}."
            )
            raise OptionError(message)
        names = ["sample", *(f"number on axis {axis}" for axis in range(1, array.ndim))]
        errors = [SampleError, *[OptionError] * array.ndim]
        parts = zip(given, array.shape, names, errors, strict=False)
        return tuple(checked_index(each, length, name, there, error) for each, length, name, error in parts)


def _check(found: Sum, value: float, dtype: str, site: Site) -> None:
    """Checks that the terms and steps lead to the captured value.

    A layer can be quantized, and a subclass of the user's changed: then what is known of the class does not hold.

    Raises:
        UnknownArithmeticError: They do not.
    """
    result = found.result
    if result == value or (np.isnan(result) and np.isnan(value)):
        return
    size = abs(value) + float(np.abs(found.terms.products).sum()) + abs(found.bias or 0.0)
    rounding = max(_ROUNDING.get(each, 0.0) for each in (dtype, site.dtype, _precision(site)))
    if not abs(result - value) <= rounding * max(size, 1e-30) + 1e-30:
        message = (
            f"The arithmetic of {type(site.operation).__name__} {site.operation.name!r} gives {result:.6g} here, and "
            f"the layer gave {value:.6g}: it computes otherwise, so its terms are not known."
        )
        raise UnknownArithmeticError(message)


_ROUNDING = {"float64": 1e-9, "float32": 3e-4, "float16": 3e-2, "bfloat16": 1e-1}


def _precision(site: Site) -> str:
    """The dtype of the least precision among what a call computes with."""
    found = [backend.dtype_of(each.tensor) for each in site.inputs if not isinstance(each.tensor, np.ndarray)]
    return max(found, key=lambda dtype: _ROUNDING.get(dtype, 0.0), default="")
