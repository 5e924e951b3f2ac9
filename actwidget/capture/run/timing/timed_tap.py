"""A tap that measures how long each call inside a model takes, and what shapes it is given and gives."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from actwidget.capture.run.tap import Tap
from actwidget.keras_internals.backend import backend

Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class TimedCall:
    """One call of a layer or operation.

    Attributes:
        seconds: How long it took, with all calls inside it.
        inputs: The shapes of the tensors that it was given, with the batch axis.
        outputs: Those that it gave.
    """

    seconds: float
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]


class TimedTap(Tap):
    """Observes each call of an eager pass as `Tap` does, and records no values.

    Attributes:
        timed: The calls by path, that of the model itself as `""`.
    """

    def __init__(self, root: keras.Model, **options: Any) -> None:
        """Takes what `Tap` takes."""
        super().__init__(root, **options)
        self.timed: dict[str, TimedCall] = {}
        self._running: set[int] = set()

    def observe(self, call: Callable[..., Any], operation: Any, args: Any, kwargs: Any) -> Any:
        """Makes one call as `Tap.observe` does, between two looks at the clock."""

        def timed(operation: Any, *args: Any, **kwargs: Any) -> Any:
            frame = self.frames[-1] if self.frames else None
            # A call that is not observed runs in the frame of the one around it.
            if frame is None or frame.call.operation is not operation or id(frame) in self._running:
                return call(operation, *args, **kwargs)
            self._running.add(id(frame))
            start = time.perf_counter()
            try:
                outputs = call(operation, *args, **kwargs)
                given = _tensors(outputs)
                backend.wait_for(given)
                seconds = time.perf_counter() - start
            finally:
                self._running.discard(id(frame))
            path = "" if frame.outer is None else frame.outer.prefix + frame.call.name
            self.timed[path] = TimedCall(seconds, _shapes(_tensors((args, kwargs))), _shapes(given))
            return outputs

        return super().observe(timed, operation, args, kwargs)


def _tensors(values: Any) -> list[Any]:
    return [leaf for leaf in keras.tree.flatten(values) if keras.ops.is_tensor(leaf)]


def _shapes(tensors: list[Any]) -> tuple[Shape, ...]:
    shapes = [backend.shape_of(tensor) for tensor in tensors]
    return tuple(shape for shape in shapes if shape is not None)
