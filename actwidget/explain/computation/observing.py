"""One pass of a model in which it is noted for each call what it was given, and of which path each tensor is."""

from __future__ import annotations

import weakref
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import keras

from actwidget.capture.run.tap import Frame, Tap
from actwidget.capture.structure.call_names import CallNames
from actwidget.capture.structure.calls import Call
from actwidget.explain.computation.site import Tensor
from actwidget.keras_internals.backend import backend
from actwidget.keras_internals.graph import function_of
from actwidget.keras_internals.tensors import mask_of, set_mask

NOT_A_LAYER = "computed by operations that are no layers, "
UNSEEN = "no activation: computed by operations that are no layers, or a constant of the model"
CONSTANT = "no activation: a weight or a constant of the model, or computed from such alone"


@dataclass
class ObservedCall:
    """One call, as it was seen.

    Attributes:
        operation: The layer or operation.
        args: What it was given, with a `Tensor` for each tensor.
        kwargs: The same by name.
        outputs: What it gave, each with the path whose value it is already, before any edit.
    """

    operation: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    outputs: list[Tensor] = field(default_factory=list)


class _Origins:
    """Which path each tensor is the value of, or from which paths it was computed.

    Attributes:
        are_seen: Whether the operations of the backend are followed.
    """

    def __init__(self) -> None:
        self.are_seen = False
        self._known: dict[int, tuple[weakref.ref[Any], str | None, frozenset[str]]] = {}

    def put(self, tensor: Any, path: str | None, behind: frozenset[str]) -> None:
        """Notes where a tensor comes from."""
        key = id(tensor)
        with suppress(TypeError):  # what can't be referred to weakly can't be followed
            self._known[key] = weakref.ref(tensor, lambda _: self._known.pop(key, None)), path, behind

    def see(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        """Follows an operation of the backend."""
        found = [self._known[id(each)][2] for each in inputs if id(each) in self._known]
        if found:
            for tensor in outputs:
                self.put(tensor, None, frozenset[str]().union(*found))

    @property
    def _without(self) -> str:
        return CONSTANT if self.are_seen else UNSEEN

    def described(self, tensor: Any) -> Tensor:
        """The tensor with where it comes from."""
        known = self._known.get(id(tensor))
        path = None if known is None else known[1]
        behind = frozenset[str]() if known is None else known[2]
        reason = ""
        if path is None:
            names = sorted(each.removeprefix(INPUT) if each.startswith(INPUT) else repr(each) for each in behind)
            reason = f"{NOT_A_LAYER}from {', '.join(names)}" if names else self._without
        elif path.startswith(INPUT):
            reason = path.removeprefix(INPUT)
            path = None
        return Tensor(tensor, path, reason, mask=mask_of(tensor) if keras.ops.is_tensor(tensor) else None)

    def copied(self, tensor: Any) -> Any:
        """Another tensor of the same values, mask and origin; what is no dense tensor stays as it is."""
        if not keras.ops.is_tensor(tensor) or not backend.is_dense(tensor):
            return tensor
        copy, mask = backend.distinct(tensor), mask_of(tensor)
        if mask is not None:
            set_mask(copy, mask)
        if id(tensor) in self._known:
            _, path, behind = self._known[id(tensor)]
            self.put(copy, path, behind)
        return copy


INPUT = "\0"
"""Marks the origin of a tensor that is an input of the model itself, with what a person is told of it."""


class ObservingTap(Tap):
    """A tap that notes for some calls, or for all, what they were given and what they gave.

    Attributes:
        noted: The calls by their paths.
        origins: Where each tensor comes from.
    """

    def __init__(self, root: keras.Model, *, calls: Collection[str] | None, **options: Any) -> None:
        """Prepares a pass.

        Args:
            root: The model to run.
            calls: The paths of the calls to note, `None` for all.
            **options: As for `Tap`.
        """
        super().__init__(root, **options)
        self.origins = _Origins()
        self.noted: dict[str, ObservedCall] = {}
        self._chosen = calls
        self._given: dict[int, tuple[Any, Any, list[Any]]] = {}  # by the frame of a call in progress

    def take_inputs(self, frame: Frame, operation: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """Notes what a call is given."""
        if frame.outer is None:
            for place, leaf in keras.tree.flatten_with_path((args, kwargs)):
                if keras.ops.is_tensor(leaf):
                    name = f"{INPUT}the model's own input{_named(place)}"
                    self.origins.put(leaf, name, frozenset([name]))
        if function_of(operation) is not None:
            # Its input layers give the very tensors. As other ones these are not taken for those outside.
            args, kwargs = keras.tree.map_structure(self.origins.copied, (args, kwargs))
        tensors = [leaf for leaf in keras.tree.flatten((args, kwargs)) if keras.ops.is_tensor(leaf)]
        described = (
            keras.tree.map_structure(self._described, (args, kwargs))
            if frame.outer is not None and self._is_chosen(frame.outer.prefix + frame.call.name)
            else None
        )
        self._given[id(frame)] = args, described, tensors
        return super().take_inputs(frame, operation, args, kwargs)

    def leave(self, frame: Frame, outputs: Any) -> Any:
        """Notes what a call gave."""
        _, described, tensors = self._given.pop(id(frame))
        given = set(map(id, tensors))
        leaves = keras.tree.flatten(outputs)
        # A layer may give what it was given, such as dropout in inference. As another tensor it is the layer's.
        if frame.outer is not None and any(id(leaf) in given for leaf in leaves):
            leaves = [self.origins.copied(leaf) if id(leaf) in given else leaf for leaf in leaves]
            outputs = keras.tree.pack_sequence_as(outputs, leaves)
        if described is not None and frame.outer is not None:
            path = frame.outer.prefix + frame.call.name
            self.noted[path] = ObservedCall(frame.call.operation, *described)
        return super().leave(frame, outputs)

    def _passed_on(self, call: Call, names: CallNames, prefix: str, outputs: Any) -> Any:
        path = prefix + call.name
        if self._is_chosen(path):
            noted = self.noted.setdefault(path, ObservedCall(call.operation, (), {}))
            noted.outputs = [self._described(leaf) for leaf in keras.tree.flatten(outputs) if keras.ops.is_tensor(leaf)]
        return super()._passed_on(call, names, prefix, outputs)

    def _record(self, path: str, leaf: Any) -> None:
        self.origins.put(leaf, path, frozenset([path]))
        super()._record(path, leaf)

    def _described(self, leaf: Any) -> Any:
        return self.origins.described(leaf) if keras.ops.is_tensor(leaf) else leaf

    def _is_chosen(self, path: str) -> bool:
        return self._chosen is None or path in self._chosen


def _named(place: Iterable[Any]) -> str:
    """The name or the number of an input in the structure of the model's arguments, `""` of the only one.

    >>> _named((0, 0)), _named((0, 0, "words")), _named((1, "mask")), _named((0, 1))
    ('', " 'words'", " 'mask'", " '1'")
    """
    by_name, *names = place
    if not by_name and names[0] == 0:
        names = names[1:]
    return f" {'/'.join(map(str, names))!r}" if names else ""
