"""What a layer raises in a forward pass, put into words that name the layer by its path."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any

from actwidget.capture.run.tap import Tap
from actwidget.errors import ActwidgetError, CaptureError, error_text
from actwidget.keras_internals.backend import backend

if TYPE_CHECKING:
    import keras

    from actwidget.capture.structure.model_graph import ModelGraph


class Failing:
    """A context in which whatever a layer raises becomes a `CaptureError`, with the cause chained.

    It is no generator with `contextlib.contextmanager`, by which a `StopIteration` would go past it.
    """

    def __init__(self, name: str, where: Callable[[], str | None] = lambda: None) -> None:
        """Takes what the message needs.

        Args:
            name: The model's name.
            where: Gives the path of the layer that raised, `None` if it is not known; it is asked only in that case.
        """
        self._name = name
        self._where = where

    def __enter__(self) -> None:
        """Nothing has to be prepared."""

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _at: TracebackType | None
    ) -> None:
        """Raises the `CaptureError`; what is no `Exception`, as a KeyboardInterrupt, and actwidget's own go on."""
        if not isinstance(error, Exception) or isinstance(error, ActwidgetError):
            return
        if isinstance(error, backend.out_of_memory):
            message = (
                f"The forward pass of {self._name!r} ran out of memory ({type(error).__name__}). Give fewer or smaller "
                "samples, x[:4] say, or free memory that other models and explorers hold, and try again."
            )
            raise CaptureError(message) from error
        path = self._where()
        message = (
            f"The forward pass of {self._name!r} failed{f' in layer {path!r}' if path else ''}. {error_text(error)}"
        )
        raise CaptureError(message) from error


def failing_layer(graph: ModelGraph, operation: keras.Operation, *args: Any, **kwargs: Any) -> str | None:
    """The path of the layer that raises when a layer or a sub-model runs, found by running that again under a tap.

    Args:
        graph: The graph of the whole model.
        operation: A layer or operation of it, or a sub-model made of them.
        *args: What it was called with.
        **kwargs: The same by name.
    """
    tap = Tap(operation)
    with suppress(Exception):
        tap.run(*args, **kwargs)
    calls, inner = tap.calls, tap.failed or ""
    while inner:
        if (path := graph.paths.get(id(calls[inner].operation))) is not None:
            return path
        inner = inner.rpartition("/")[0]
    return graph.paths.get(id(operation))
