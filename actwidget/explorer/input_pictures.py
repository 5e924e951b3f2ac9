"""The inputs of a model that are pictures, and which of them a layer sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from actwidget.capture.access.cache import Key
from actwidget.capture.semantics.receptive_field import inputs_behind
from actwidget.errors import short
from actwidget.figures import is_picture, thumbnail_png

if TYPE_CHECKING:
    from actwidget.capture.access.session import Session
    from actwidget.explorer.layer_values import Array


class InputPictures:
    """Finds the pictures in a batch."""

    def __init__(self, session: Session) -> None:
        """Looks into the session's batch when it is asked."""
        self._session = session

    def all(self) -> dict[int, Array]:
        """The inputs that are pictures, shape `(samples, height, width, 1 or 3)`, by their place among all inputs."""
        inputs = [] if self._session.batch is None else self._session.batch.samples
        given = {index: each for index, each in enumerate(inputs) if each is not None}
        return {index: each for index, each in given.items() if is_picture(each.shape[1:], each.dtype)}

    def thumbnail(self, sample: int) -> str | None:
        """A small picture of a sample as a data URI; `None` where no input is a picture."""
        if not (pictures := self.all()):
            return None
        key = Key("", "thumbnail", sample)
        if (uri := self._session.kept.get(key)) is None and (
            uri := thumbnail_png(next(iter(pictures.values()))[sample])
        ):
            self._session.kept.put(key, uri, len(uri))
        return cast("str | None", uri)

    def seen_by(self, path: str) -> int | None:
        """The place of the picture that a layer is laid over; `None` where there is none.

        It is the first picture that the layer depends on, or, where that is not known, the first of all.
        """
        behind = inputs_behind(self._session.graph, path)
        return next((index for index in self.all() if behind is None or index in behind), None)

    def name(self, index: int) -> str:
        """What an input is called in a sentence."""
        if self._session.batch is None or len(self._session.batch.samples) == 1:
            return "the input"
        names = self._session.graph.input_names
        return f"input {short(names[index], 40) if names else index}"
