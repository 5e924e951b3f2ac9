"""`Rendering`: what happens between a selection and the screen, and between a click and a selection."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import ipywidgets
import traitlets

from actwidget.errors import ActwidgetError
from actwidget.explorer.navigation import selected_by_click
from actwidget.explorer.selection import FIELDS, Selection
from actwidget.widgets.scheduling import DRAWING_TIME, afterwards

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actwidget.explorer.explorer import Explorer, Shown
    from actwidget.explorer.navigation import Grid
    from actwidget.widgets.screen import Screen
    from actwidget.widgets.still import Still


class Rendering(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no type hints
    """Keeps an explorer, the traits of a widget that stand for its selection, and a screen in step.

    A base of widgets with a trait for each field of a `Selection`, and one for its `options`.
    """

    _explorer: Explorer
    _screen: Screen
    _still: Still
    _rendering = False
    _links: tuple[Any, ...] = ()
    _is_checking_weights = False  # or will soon
    _has_failed = False  # the last drawing did
    _grid: Grid | None = None  # what can be selected in the figure

    def _connect(self) -> None:
        screen = self._screen
        self._links = (traitlets.link((self, "layer"), (screen.tree, "selected")),)
        screen.controls.connect(self, screen.warn)
        screen.tree.on_again(self._chosen_again)
        screen.plot.on_click(self._clicked)
        screen.plot.on_key(self._pressed)
        screen.on_row(self._row_selected)
        self.observe(self._changed, [*FIELDS, "options"])

    def _checked(self, name: str, value: Any) -> Any:
        """The value of a trait as it is kept; what can't be is an error on screen too.

        Raises:
            LayerNotFoundError, ChannelError, SampleError, OptionError: There is no such thing.
        """
        try:
            self._explorer.select(**{name: value})
        except ActwidgetError as error:
            self._screen.warn(str(error))
            raise
        found = getattr(self._explorer.selection, name)
        return dict(found) if name == "options" else found

    def _chosen_again(self) -> None:
        """Takes away an error, or tries once more what failed: what is there already was chosen once more."""
        if self._has_failed and not self._rendering:
            self._redraw()
        elif self._links:
            self._screen.warn("")

    def _selected(self) -> Selection:
        """The selection by the traits."""
        return Selection(**{name: getattr(self, name) for name in FIELDS}, options=tuple(sorted(self.options.items())))

    # What is done on the page.

    def _clicked(self, customdata: list[Any]) -> None:
        """Selects what was clicked in the figure."""
        changes = selected_by_click(customdata, self._explorer.data, self._explorer.session.graph.nodes)
        if len(changes) == 1:
            (name,) = changes
            setattr(self, name, changes[name])
        elif changes:
            with self._one_drawing():
                for name, value in changes.items():
                    setattr(self, name, value)

    def _pressed(self, key: str) -> None:
        """Moves the selection through what is drawn, if there is anything to select."""
        if (grid := self._grid) is not None:
            setattr(self, grid.of, grid.moved(getattr(self, grid.of), key))

    def _row_selected(self, change: Any) -> None:
        if not self._rendering:
            self.channel = change["new"]

    # From a selection to the screen.

    def _changed(self, _change: Any) -> None:
        if not self._rendering:
            self._redraw()

    def _redraw(self) -> None:
        with self._one_drawing():
            pass

    @contextmanager
    def _one_drawing(self) -> Iterator[None]:
        """Changes several traits and draws once."""
        self._rendering = True
        try:
            yield
            self._render()
        finally:
            self._rendering = False

    def _render(self) -> None:
        """Shows the selection; an error becomes a line on screen and the last picture stays."""
        explorer, screen = self._explorer, self._screen
        start, explorer.session.seconds = time.perf_counter(), 0.0
        explorer.selection = self._selected()
        path = self.layer
        try:
            if not explorer.look():
                screen.wait_for(path)
            fitted = explorer.fit()
            for name in FIELDS:
                if getattr(self, name) != getattr(fitted, name):
                    setattr(self, name, getattr(fitted, name))
            self._show(explorer.show(), start)
        except BaseException as error:
            screen.plot.busy = False
            self._has_failed, self._grid = True, None
            if not isinstance(error, Exception):  # a person, or the kernel, wants it to end
                screen.say(f"{path} was interrupted; the picture is the last good one. Choose it again to go on.")
                raise
            # An exception in an observer would vanish.
            is_known = isinstance(error, ActwidgetError)
            screen.warn(f"{path}: {error}" if is_known else f"{path}: {type(error).__name__}: {error}")
            screen.say(f"{path} could not be shown; the picture is the last good one.")
            return
        self._has_failed = False
        self._check_weights_soon()  # what was at hand, or was made of it, is shown first

    def _show(self, shown: Shown, start: float) -> None:
        explorer, screen = self._explorer, self._screen
        self._grid = shown.drawing.grid
        screen.show(shown, lambda: explorer.code, self.channel)
        screen.mark(explorer.warnings())
        self._show_prediction()
        screen.say(*explorer.status(time.perf_counter() - start))
        self._still.later(lambda: screen.snapshot)

    def _check_weights_soon(self) -> None:
        if not self._is_checking_weights:
            self._is_checking_weights = True
            afterwards(self._renew, delay=DRAWING_TIME)

    def _renew(self) -> None:
        """Draws once more if a model's weights were written since they were last checked."""
        try:
            self._is_checking_weights = True  # what is drawn now need not be checked
            if self._explorer.refresh():
                self._screen.mark({}, only=True)
                if self._links:
                    self._redraw()
        finally:
            self._is_checking_weights = False

    def _show_prediction(self) -> None:
        """Shows what the model answers: at once where that is known, else when the figure is on its way to the page."""
        if self.inputs is None or not self._links:
            return
        if self._explorer.inspector.predictions.are_known:
            self._predict()
        else:
            afterwards(self._predict, without_page=False)

    def _predict(self) -> None:
        if self._links:  # it may have been closed in the meantime
            inspector = self._explorer.inspector
            self._screen.predict(*inspector.predictions.top(self.sample), inspector.pictures.thumbnail(self.sample))
