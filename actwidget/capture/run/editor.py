"""Applies edits while a model runs, and records which of them a pass has made."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import keras

from actwidget.capture.run.apply_edit import apply_edit
from actwidget.capture.run.reasons import ELSEWHERE, OTHER_THREAD
from actwidget.errors import NotCapturableError
from actwidget.keras_internals.calls import CallsInOtherThreads, unobserved

Edit = Callable[[Any], Any]


class Editor:
    """Replaces the outputs of layers by edited ones while a model runs.

    Attributes:
        edits: From path to the layer or callable that edits its value.
        reached: The paths whose edits the latest pass has made.
        other_threads: The layers that other threads have called in that pass, where nothing can be seen or edited.
    """

    def __init__(self, root: keras.Model, edits: Mapping[str, Edit], allow_unreached: Collection[str]) -> None:
        """Prepares a pass.

        Args:
            root: The model that runs.
            edits: From path to the layer or callable that edits its value.
            allow_unreached: The paths of edits that may remain unmade, since the model does not always call the layers.
        """
        self.edits = dict(edits)
        self.reached: set[str] = set()
        self.other_threads = CallsInOtherThreads(root)
        self._root = root
        self._optional = frozenset(allow_unreached)
        self._awaited = self.edits.keys() - self._optional

    def pass_begins(self) -> AbstractContextManager[None]:
        """A context for a pass in which no edit has been made yet."""
        self.reached.clear()
        self._awaited = self.edits.keys() - self._optional
        return self.other_threads.collected()

    @property
    def is_done(self) -> bool:
        """Whether each edit that must be reached has been made."""
        return not self._awaited

    def replaced(self, path: str, tensor: Any) -> Any:
        """The result of the edit at a path for a tensor."""
        with unobserved():  # the edit's own layers are not the model's
            edited = apply_edit(self.edits[path], tensor, path)
        self.reached.add(path)
        self._awaited.discard(path)
        return edited

    def below(self, prefix: str) -> dict[str, Edit]:
        """The edits inside a call, by their paths relative to it."""
        return {path.removeprefix(prefix): edit for path, edit in self.edits.items() if path.startswith(prefix)}

    def check(self, why_missing: Callable[[str], str]) -> None:
        """Raises an error unless each edit has been made in the latest pass.

        Args:
            why_missing: Returns why the pass had no value at a path, as one of the reasons in the module `reasons`.

        Raises:
            NotCapturableError: An edit that must be reached was not, or its layer ran where none can be made.
        """
        for path in self.edits.keys() - self.reached:
            reason = why_missing(path)
            if path in self._optional and reason not in _ADVICE:
                continue
            advice = _ADVICE.get(
                reason, "If that depends on the batch, allow it: edit(model, ..., allow_unreached=True)."
            )
            message = (
                f"The edit of {path!r} in model {self._root.name!r} was not made, and the output is that of the model "
                f"without it: {path!r} {reason}. {advice}"
            )
            raise NotCapturableError(message)


_ADVICE = {
    ELSEWHERE: "Edit a layer outside of that.",
    OTHER_THREAD: "Edit a layer that the model calls in its own thread.",
}
"""What to do if a layer ran in a place where it can't be edited."""


def in_turn(edits: Iterable[Edit], value: Any) -> Any:
    """A value after several edits, one after the other."""
    for edit in edits:
        value = edit(value)
    return value
