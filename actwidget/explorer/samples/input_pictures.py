"""The model inputs that are pictures, and which of them a layer depends on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actwidget.capture.semantics.receptive_field import inputs_behind
from actwidget.errors import short
from actwidget.figures import is_picture

if TYPE_CHECKING:
    from actwidget.capture.access.session import Session
    from actwidget.explorer.layer_values import Array


class InputPictures:
    """Finds the pictures in a batch."""

    def __init__(self, session: Session) -> None:
        """Reads nothing yet: the batch is looked at in each call."""
        self._session = session

    def all(self) -> dict[int, Array]:
        """The inputs that are pictures, shape `(samples, height, width, 1 or 3)`, by their index among all inputs."""
        inputs = [] if self._session.batch is None else self._session.batch.samples
        arrays = {index: array for index, array in enumerate(inputs) if array is not None}
        return {index: array for index, array in arrays.items() if is_picture(array.shape[1:], array.dtype)}

    def seen_by(self, path: str) -> int | None:
        """The index of the input picture to overlay a layer on; `None` if there is none.

        It is the first picture that the layer depends on; if the dependencies are not known, the first picture.
        """
        dependencies = inputs_behind(self._session.graph, path)
        return next((index for index in self.all() if dependencies is None or index in dependencies), None)

    def name(self, index: int) -> str:
        """What an input is called in a sentence."""
        if self._session.batch is None or len(self._session.batch.samples) == 1:
            return "the input"
        names = self._session.graph.input_names
        return f"input {short(names[index], 40) if names else index}"
