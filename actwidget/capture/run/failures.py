"""Turns errors that layers raise in a forward pass into errors that name the layer by its path."""

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
    """A context in which any error that a layer raises becomes a `CaptureError`, with the cause chained.

    It is a class because a generator with `contextlib.contextmanager` would not convert a `StopIteration`.
    """

    def __init__(self, name: str, where: Callable[[], str | None] = lambda: None) -> None:
        """Stores what the message needs.

        Args:
            name: The model's name.
            where: Returns the path of the layer that raised, or `None` if it is not known. It is called only after an
                error.
        """
        self._name = name
        self._where = where

    def __enter__(self) -> None:
        """Does nothing."""

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _at: TracebackType | None
    ) -> None:
        """Raises the `CaptureError`. A `KeyboardInterrupt` and the like, and actwidget's own errors, pass unchanged."""
        if not isinstance(error, Exception) or isinstance(error, ActwidgetError):
            return
        if backend.ran_out_of_memory(error):
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
    """The path of the layer that raised while an operation ran, found by running the operation again under a tap.

    Args:
        graph: The graph of the whole model.
        operation: A layer or operation of it, or a sub-model made of them.
        *args: Its positional arguments.
        **kwargs: Its keyword arguments.
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
