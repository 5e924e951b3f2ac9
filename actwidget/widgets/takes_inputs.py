"""`TakesInputs`: a widget on a model whose batch can be replaced, or gets more samples, while it is on screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actwidget.errors import InvalidInputsError
from actwidget.explorer.samples.items import SampleItem, SampleItems
from actwidget.explorer.samples.new_pictures import PictureInput
from actwidget.explorer.selection import FIELDS
from actwidget.widgets.components.samples import Pad
from actwidget.widgets.rendering import Rendering

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from actwidget.widgets.components.samples import SampleStrip


class TakesInputs(Rendering):
    """The batch of an explorer."""

    _samples: NewSamples

    def _connect(self) -> None:
        super()._connect()
        self._samples = NewSamples(self, self._screen.samples)

    def set_inputs(self, inputs: Any, labels: Any = None, tokens: Any = None) -> None:
        """Shows another batch; see `LayerExplorer.set_inputs`."""
        with self._lock:
            self._explorer.set_inputs(inputs, labels=labels, tokens=tokens)
            if self._links:
                self._show_batch()
                self._samples.renew()

    def set_sample(self, sample: np.ndarray[Any, Any], origin: str, place: int | None = None) -> int:
        """Adds a sample to the batch, or replaces one, and selects it; see `Explorer.set_sample`."""
        with self._lock:
            number = self._explorer.set_sample(sample, origin, place)
            self._show_batch(sample=number)
            return number

    def take_sample(self, number: int) -> int:
        """Adds a sample of the scan to the batch, and selects it; see `LayerExplorer.take_sample`."""
        with self._lock:
            before = self._explorer.session
            place = self._explorer.take_scanned(number)
            if self._explorer.session is before:
                self._change({"sample": place})
            elif self._links:
                self._show_batch(sample=place)
                self._samples.renew()
            return place

    def choose_sample(self, sample: int) -> None:
        """Selects a sample that was chosen on the page, unless the batch does not have it any more."""
        with self._lock:
            is_there = sample < self._explorer.data.batch_size
            if is_there and not self._rendering and self._selected().sample != sample:
                self.set_trait("sample", sample)

    def _show_batch(self, **changes: Any) -> None:
        """Shows the selection on another batch."""
        explorer, screen = self._explorer, self._screen
        screen.mark({}, only=True)
        with self._single_redraw():
            if screen.tree.model_tree is not explorer.tree:
                screen.tree.show(explorer.tree, explorer.selection.layer)
            for name in FIELDS:
                value = changes.get(name, getattr(explorer.selection, name))
                if getattr(self, name) != value:
                    setattr(self, name, value)


class NewSamples:
    """The samples of an explorer's strip.

    It refers to the explorer without owning it: the strip belongs to the explorer's screen.
    """

    def __init__(self, owner: TakesInputs, strip: SampleStrip) -> None:
        """Connects the two."""
        self._owner = owner
        self._strip = strip
        self._drawing: tuple[str, int] | None = None  # the pad that is drawn on, and its sample
        self._picture: PictureInput | None = None
        strip.on_window(self._items)
        strip.on_upload(self._add_picture)
        strip.on_draw(self._draw)
        strip.observe(self._chosen, "value")
        self.renew()

    def renew(self) -> None:
        """Shows another batch."""
        explorer, strip = self._owner._explorer, self._strip  # noqa: SLF001 - both are parts of one widget
        session = explorer.session
        batch, graph = session.batch, session.graph
        picture = self._picture = PictureInput.of(graph, batch)
        self._drawing = None
        with strip.hold_sync():
            strip.kind = SampleItems(session, explorer.inspector.annotations).kind
            strip.takes_pictures = picture is not None
            is_drawable = picture is not None and picture.is_drawable
            strip.pad = Pad(picture.height, picture.width, picture.is_dark) if picture and is_drawable else ()
            strip.advice = advice(None if batch is None else [each.shape for each in batch.samples if each is not None])
            strip.renew(1 if batch is None else batch.size, explorer.selection.sample)

    def _chosen(self, change: Any) -> None:
        self._owner.choose_sample(change["new"])

    def _items(self, start: int, stop: int) -> Sequence[SampleItem]:
        explorer = self._owner._explorer  # noqa: SLF001
        items = SampleItems(explorer.session, explorer.inspector.annotations)
        if explorer.session.batch is None:
            return [SampleItem("no input yet")]
        return [items.item(sample) for sample in range(start, stop)]

    def _add_picture(self, name: str, data: bytes) -> str:
        if self._picture is None:
            message = "The model's input is not one picture of a known size. Set explorer.inputs = x from code."
            raise InvalidInputsError(message)
        sample, words = self._picture.opened(data, name)
        self._drawing = None
        self._set(sample, words, None)
        return words

    def _draw(self, ink: np.ndarray[Any, Any], pad: str) -> None:
        if self._picture is None:
            return
        place = self._drawing[1] if self._drawing is not None and self._drawing[0] == pad else None
        self._drawing = pad, self._set(self._picture.drawn(ink), "a drawing", place)

    def _set(self, sample: np.ndarray[Any, Any], origin: str, place: int | None) -> int:
        had_batch = self._owner._explorer.session.batch is not None  # noqa: SLF001
        number = self._owner.set_sample(sample, origin, place)
        if not had_batch:
            drawing = self._drawing
            self.renew()
            self._drawing = drawing
        self._strip.resize(max(self._strip.count, number + 1), number)
        if place is not None:
            self._strip.update(number, number + 1)
        return number


def advice(shapes: Sequence[tuple[int, ...]] | None) -> str:
    """How to take another input from code, in words.

    Args:
        shapes: Those of the batch's arrays; `None` without a batch.
    """
    if shapes is not None and len(shapes) == 1:
        what = f"a batch of shape ({', '.join(['samples', *map(str, shapes[0][1:])])}{',' * (len(shapes[0]) == 1)})"
    elif shapes:
        what = f"a batch of {len(shapes)} arrays, as the model takes them"
    else:
        what = "a batch as the model takes it"
    return f"From code: explorer.inputs = x\nwhere x is {what}."
