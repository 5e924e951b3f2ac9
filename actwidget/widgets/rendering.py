"""`Rendering`: from a change of the selection to the screen, and from a click to a change of the selection."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import traitlets

from actwidget.errors import ActwidgetError
from actwidget.explorer.navigation import PAGES, scanned_sample, selected_by_click
from actwidget.explorer.scanned.pictures import thumbnail
from actwidget.explorer.selection import FIELDS, Selection
from actwidget.explorer.what_if.edits import as_mapping, edits_of
from actwidget.widgets.composite import Composite, in_marimo
from actwidget.widgets.scheduling import DRAWING_TIME, afterwards
from actwidget.widgets.working import Working

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from actwidget.explorer.explorer import Explorer
    from actwidget.explorer.navigation import Grid
    from actwidget.explorer.shown import Shown
    from actwidget.explorer.work import Progress
    from actwidget.widgets.screen import Screen
    from actwidget.widgets.stored.still import Still


class Rendering(Composite):
    """Keeps an explorer, the traits that mirror its selection, and the screen in sync.

    This is a base class for widgets with a trait for each field of a `Selection`, and for its `options` and `edits`.
    """

    _explorer: Explorer
    _screen: Screen
    _still: Still
    _rendering = False  # while this is set, changes of traits do not redraw
    options: Any  # a trait
    edits: Any  # a trait
    _links: tuple[Any, ...] = ()  # empty before the widget is connected and after it is closed
    _is_checking_weights = False  # a check is running or scheduled
    _marked_by = ""  # what the warnings in the tree rest on
    _has_failed = False  # whether the last redraw raised an error
    _last_views: dict[str, str]  # for a layer and for the whole network the view in which it was shown last
    _grid: Grid | None = None  # the items of the figure that the arrow keys select
    _working: Working | None = None  # the view's work that takes a while
    _lock: threading.RLock  # JupyterLab's messages can come in a thread of their own, while a cell runs

    def _connect(self) -> None:
        screen = self._screen
        self._last_views = {}
        self._links = (
            traitlets.link((self, "layer"), (screen.tree, "selected")),
            traitlets.link((self, "show"), (screen.tabs, "value")),
        )
        screen.scope.observe(self._scope_chosen, "value")
        screen.inspection.on_action(self._change)
        screen.controls.connect(self)
        screen.tree.on_again(self._chosen_again)
        screen.plot.on_click(self._clicked)
        screen.plot.on_key(self._pressed)
        screen.plot.on_hover(self._thumbnail)
        screen.plot.observe(self._resized, "_room")
        screen.on_row(self._row_selected)
        self._working = Working(
            self._redraw,
            self._tell,
            screen.warn,
            lambda: screen.controls.show_work(self._work_state),
            self._lock,
        )
        screen.controls.on_press(self._press)
        self.observe(self._changed, [*FIELDS, "options", "edits"])
        if in_marimo():
            # There a widget goes with the cell that runs while it is made, which must be the explorer's own.
            screen.make_all()
            self.share([*FIELDS, "options"])

    def _checked(self, name: str, value: Any) -> Any:
        """Validates the value of a trait and returns it in its normal form; shows an error on screen, too.

        Raises:
            LayerNotFoundError, ChannelError, SampleError, OptionError: The value is not valid for that trait.
        """
        with self._lock:
            try:
                self._explorer.select(**{name: value})
            except ActwidgetError as error:
                self._screen.warn(str(error))
                raise
            valid = getattr(self._explorer.selection, name)
        if name == "edits":
            return as_mapping(valid)
        return dict(valid) if name == "options" else valid

    def _chosen_again(self) -> None:
        """Is called when the user selects what is selected already: retries a failed redraw, or clears an error."""
        if self._has_failed and not self._rendering:
            self._redraw()
        elif self._links:
            self._screen.warn("")

    def _selected(self) -> Selection:
        """The selection that the traits hold."""
        chosen = {name: getattr(self, name) for name in FIELDS}
        room = self._screen.plot.room or Selection.room
        options = tuple(sorted(self.options.items()))
        return Selection(**chosen, room=room, options=options, edits=edits_of(self.edits))

    # From an event on the page to a selection.

    def _clicked(self, customdata: list[Any]) -> None:
        """Selects what was clicked in the figure."""
        explorer = self._explorer
        with self._lock:
            if (number := scanned_sample(customdata)) is not None:
                self._scanned_clicked(number)
                return
            view, data = explorer.view, explorer.data
            on_layer = partial(view.layer_clicked, data=data, selection=explorer.selection)
            on_cell = partial(view.cell_clicked, data=data, selection=explorer.selection)
            self._change(selected_by_click(customdata, data, on_layer, on_cell))

    def _thumbnail(self, number: int) -> bytes:
        """A small picture of a sample of the scan; `b""` for none."""
        with self._lock:
            source = self._explorer.inspector.scan
            return b"" if source is None else thumbnail(source.scan, number)

    def _scanned_clicked(self, number: int) -> None:
        explorer = self._explorer
        changes = explorer.view.scanned_clicked(number, explorer.data, explorer.selection)
        if changes is None:
            self._take(number)
        else:
            self._change(changes)

    def _take(self, number: int) -> None:
        """Takes a sample of the scan as an input; what went wrong is shown on screen."""
        try:
            self.take_sample(number)
        except ActwidgetError as error:
            self._screen.warn(str(error))

    def take_sample(self, number: int) -> int:
        """Adds a sample of the scan to the batch, and selects it; returns its number in the batch."""
        raise NotImplementedError

    def _change(self, changes: Mapping[str, Any]) -> None:
        """Changes fields of the selection, with one redraw for all."""
        with self._lock:
            if len(changes) == 1:
                (name,) = changes
                setattr(self, name, changes[name])
            elif changes:
                with self._single_redraw():
                    for name, value in changes.items():
                        setattr(self, name, value)

    def choose_option(self, name: str, value: Any) -> None:
        """Takes the new value of a control that belongs to the view on screen."""
        explorer = self._explorer
        with self._lock:
            try:
                changes = explorer.view.option_chosen(name, value, explorer.data, explorer.selection)
            except ActwidgetError as error:
                self._screen.warn(str(error))
                return
            self._change(changes)

    def _scope_chosen(self, change: Any) -> None:
        """Shows the layer, or the whole network, in the view in which it was shown last."""
        scope = change["new"]
        if not self._rendering and self._explorer.view.is_of_network != (scope == "network"):
            self.show = self._last_views.get(scope) or self._explorer.first_view(of_network=scope == "network")

    def _pressed(self, key: str) -> None:
        """Moves the selection within the figure, if it has items to select."""
        with self._lock:
            if (grid := self._grid) is None:
                return
            if grid.takes:
                self._choose_example(grid, key)
            elif key not in PAGES:
                setattr(self, grid.of, grid.moved(getattr(self, grid.of), key))
            elif (page := grid.turned(key)) is not None:
                self.options = {**self.options, grid.option: page}

    def _choose_example(self, grid: Grid, key: str) -> None:
        """Marks an example by an arrow key, and takes the marked one as an input by Enter."""
        marked = self.options.get(grid.of)
        if key == "Enter" and marked is not None:
            self._scanned_clicked(grid.takes[marked])
        elif key == "Escape":
            self.options = {name: value for name, value in self.options.items() if name != grid.of}
        elif (moved := grid.moved(marked, key)) is not None:
            self.options = {**self.options, grid.of: moved}

    def _resized(self, _change: Any) -> None:
        """Draws anew if the page has another room for the figure, and the view would be arranged in another way."""
        with self._lock:
            if not self._links or self._rendering or self._has_failed:
                return
            explorer = self._explorer
            before, selection = explorer.selection, self._selected()
            if selection.room != before.room and explorer.arrangement(before) != explorer.arrangement(selection):
                self._redraw()

    def _row_selected(self, change: Any) -> None:
        if not self._rendering:
            self.channel = change["new"]

    # What the view on screen computes step by step.

    @property
    def _work_state(self) -> str:
        return "idle" if self._working is None else self._working.state

    def _press(self) -> None:
        with self._lock:
            if self._working is not None:
                self._working.toggle()

    def _tell(self, text: str, progress: Progress | None) -> None:
        self._screen.tell(text, progress)

    # From a selection to the screen.

    def _changed(self, _change: Any) -> None:
        with self._lock:  # another thread may be drawing, which has read the selection already
            if not self._rendering:
                self._redraw()

    def _redraw(self) -> None:
        with self._single_redraw():
            pass

    @contextmanager
    def _single_redraw(self) -> Iterator[None]:
        """Redraws once at the end of a block that changes several traits."""
        with self._lock:
            self._rendering = True
            try:
                yield
                self._render()
            finally:
                self._rendering = False

    def _render(self) -> None:
        """Shows the selection; if that fails, shows the error on screen and leaves the last figure."""
        explorer, screen = self._explorer, self._screen
        start, explorer.session.seconds = time.perf_counter(), 0.0
        explorer.take(self._selected())
        path = explorer.selection.layer
        try:
            if not explorer.look():
                screen.wait_for(path)
            fitted = explorer.fit()
            for name in FIELDS:
                if getattr(self, name) != getattr(fitted, name):
                    setattr(self, name, getattr(fitted, name))
            screen.samples.value = self.sample
            if self.options != (options := dict(fitted.options)):
                self.options = options
            if self.edits and not fitted.edits:  # of a layer that the model does not call for this batch
                self.edits = {}
            self._show(explorer.show(), start)
        except BaseException as error:
            screen.plot.busy = False
            self._has_failed, self._grid = True, None
            if not isinstance(error, Exception):  # a KeyboardInterrupt, or the kernel shuts down
                screen.say(f"{path} was interrupted; the picture is the last good one. Choose it again to go on.")
                raise
            # The error is shown on screen, since nobody would see an exception that an observer raises.
            is_known = isinstance(error, ActwidgetError)
            screen.warn(f"{path}: {error}" if is_known else f"{path}: {type(error).__name__}: {error}")
            screen.say(f"{path} could not be shown; the picture is the last good one.")
            return
        self._has_failed = False
        # Cached values were shown without a check whether they are up to date, to be fast. The check comes now.
        self._check_weights_soon()

    def _show(self, shown: Shown, start: float) -> None:
        explorer, screen = self._explorer, self._screen
        self._grid = shown.drawing.grid
        screen.show(shown, lambda: explorer.code, self.channel)
        self._last_views["network" if shown.is_of_network else "layer"] = shown.view
        basis = explorer.selection.basis
        screen.mark(explorer.warnings(), only=self._marked_by not in {"", basis})
        self._marked_by = basis
        self._show_prediction()
        if self._working is not None:
            self._working.follow(explorer.work())
        if self._work_state != "running":  # then the status says how far the work has come
            screen.say(*explorer.status(time.perf_counter() - start))

    def _check_weights_soon(self) -> None:
        if not self._is_checking_weights:
            self._is_checking_weights = True
            afterwards(self._renew, delay=DRAWING_TIME)

    def _renew(self) -> None:
        """Redraws if a model's weights were written since they were last checked."""
        with self._lock:
            try:
                self._is_checking_weights = True  # so that the redraw does not schedule another check
                if self._explorer.refresh():
                    if self._working is not None:
                        self._working.stop()
                    self._screen.mark({}, only=True)
                    if self._links:
                        self._redraw()
            finally:
                self._is_checking_weights = False

    def _show_prediction(self) -> None:
        """Shows the model's prediction: at once if it is known, otherwise after the figure has been sent."""
        if self.inputs is None or not self._links:
            return
        if self._explorer.inspector.predictions.are_known:
            self._predict()
        else:
            afterwards(self._predict, without_page=False)

    def _predict(self) -> None:
        with self._lock:
            if self._links:  # it may have been closed in the meantime
                self._screen.predict(self._explorer.inspector.predictions.answers(self.sample))
