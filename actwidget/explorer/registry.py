"""The views of an explorer. To add one, put a class marked with `@register` in a file of its own under `views/`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from actwidget.explorer import views as _views
from actwidget.explorer.controls import SHARED, Button
from actwidget.explorer.selection import FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actwidget.explorer.controls import Control, Number, Paths, Setting
    from actwidget.explorer.description.inspection import Action
    from actwidget.explorer.drawing import Drawing
    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.selection import Selection
    from actwidget.explorer.work import Work

ViewClass = TypeVar("ViewClass", bound="type[View]")


@dataclass(frozen=True)
class Tab:
    """A view as a tab.

    Attributes:
        name: The value of `LayerExplorer.show` that selects it.
        label: Its text.
        question: The question that the view answers, which is its tooltip.
        reason: Why the view has nothing to show for the layer; `None` if it has.
    """

    name: str
    label: str
    question: str
    reason: str | None = None


class View(ABC):
    """One way of looking at a layer, or at the whole network.

    Attributes:
        name: The value of `LayerExplorer.show` that selects it.
        label: The text of its tab.
        question: The question that it answers.
        place: The position of its tab; lower numbers come first.
        controls: The controls in the order on screen: names of shared controls, or controls of its own.
        figure_options: What of it clicks in its figure choose, which has no control on screen.
        is_of_network: Whether it shows the whole network, whichever layer is selected. Its tab then stands under
            "Whole network", otherwise under "Layer".
        needs_scan: Whether it shows what a scan has found; without a scan it has no tab.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    question: ClassVar[str]
    place: ClassVar[int] = 100
    controls: ClassVar[tuple[str | Control, ...]] = ()
    figure_options: ClassVar[tuple[Paths | Number, ...]] = ()
    is_of_network: ClassVar[bool] = False
    needs_scan: ClassVar[bool] = False

    def is_offered(self, data: LayerData) -> bool:
        """Whether `show` can be set to the view. This may depend on the model and its inputs, not on the layer.

        The tab of a view that is not offered is dimmed, so `available` has to give a reason for every layer.
        """
        return self.has_tab(data)

    def has_tab(self, data: LayerData) -> bool:
        """Whether the view has a tab, dimmed or not. This depends on what the explorer was given, not on the layer."""
        return not self.needs_scan or data.sources.scan is not None

    def available(self, data: LayerData) -> str | None:
        """Why the view has nothing to show for a layer, in words; `None` if it is available.

        Every view is asked at each selection, so this has to be quick.

        Args:
            data: The selected layer.
        """
        return data.missing

    def samples(self, selection: Selection, _count: int) -> list[int]:
        """Which of the batch's samples the view shows; by default only the selected one.

        Args:
            selection: The current selection.
        """
        return [selection.sample]

    def fitted(self, control: Control, _data: LayerData, _selection: Selection) -> Control | None:
        """One of the view's own controls with its range adjusted to a layer; `None` if there is nothing to choose.

        Args:
            control: The control.
        """
        return control

    def arrangement(self, _data: LayerData, _selection: Selection) -> Any:
        """What of the drawing depends on the room for it: if this changes with the room, the layer is drawn anew."""
        return None

    def action(self, _data: LayerData, _selection: Selection) -> Action | None:
        """What the inspector of a channel offers to do in this view; `None` for nothing."""
        return None

    def work(self, _data: LayerData, _selection: Selection) -> Work | None:
        """What the view can compute for a selection if it is asked to; `None` if there is nothing, or nothing more.

        It is asked after each drawing, so this has to be quick; the work itself begins later.
        """
        return None

    def code(self, _data: LayerData, _selection: Selection) -> str | None:
        """Source code that computes what is on screen, with `model` and `x` in scope; `None` for the layer's own."""
        return None

    def is_kept_on_page(self, _data: LayerData, _selection: Selection) -> bool:
        """Whether a page that computes nothing holds the view of a layer for which it is available.

        Args:
            _data: The layer.
            _selection: What is on screen; its layer can be another one.
        """
        return True

    @abstractmethod
    def draw(self, data: LayerData, selection: Selection) -> Drawing:
        """Draws a layer. It is called only for layers for which the view is available.

        Args:
            data: The selected layer.
            selection: The current selection.
        """

    def layer_clicked(self, path: str, part: str, data: LayerData, selection: Selection) -> Mapping[str, Any]:  # noqa: ARG002
        """What a click on a layer in the figure changes: by default it shows that layer's channels.

        Args:
            path: The layer's path, the first entry of the `customdata` of what was clicked.
            part: The second entry, which tells parts of the figure apart; `""` if there is none.
            data: The layer on screen.
            selection: The current selection.

        Returns:
            For each field of the selection its new value.
        """
        return {"show": "activation", "layer": path}

    def option_chosen(self, name: str, value: Any, _data: LayerData, selection: Selection) -> Mapping[str, Any]:
        """What the new value of one of the view's own controls changes: by default that option alone.

        Args:
            name: The option.
            value: Its new value.
            selection: The current selection.

        Returns:
            For each field of the selection its new value.
        """
        return {"options": {**dict(selection.options), name: value}}

    def cell_clicked(
        self,
        row: int,  # noqa: ARG002
        column: int,  # noqa: ARG002
        data: LayerData,  # noqa: ARG002
        selection: Selection,  # noqa: ARG002
    ) -> Mapping[str, Any] | None:
        """What a click on a cell of a map in the figure changes; `None` for the position in the layer's feature maps.

        Args:
            row: The cell's row.
            column: Its column.
            data: The layer on screen.
            selection: The current selection.

        Returns:
            For each field of the selection its new value.
        """
        return None

    def scanned_clicked(self, number: int, data: LayerData, selection: Selection) -> Mapping[str, Any] | None:  # noqa: ARG002
        """What a click on a sample of the scan changes; `None` to take it as the input.

        Args:
            number: The sample's number in the data that was scanned.
            data: The layer on screen.
            selection: The current selection.

        Returns:
            For each field of the selection its new value.
        """
        return None

    @property
    def own_controls(self) -> list[Control]:
        """The controls that only this view has."""
        return [control for control in self.controls if not isinstance(control, str)]

    @property
    def own_options(self) -> list[Setting | Paths]:
        """Everything that can stand in the explorer's `options` for this view."""
        settings = [control for control in self.own_controls if not isinstance(control, Button)]
        return [*settings, *self.figure_options]


_VIEWS: dict[str, View] = {}


def register(cls: ViewClass) -> ViewClass:
    """Adds a view; used as a decorator of its class.

    Raises:
        ValueError: The name of the view, or of one of its own controls, is already taken.
    """
    view = cls()
    if view.name in _VIEWS:
        message = f"There is a view {view.name!r} already."
        raise ValueError(message)
    taken = {*SHARED, *FIELDS} | {control.name for each in _VIEWS.values() for control in each.own_options}
    if clashes := [control.name for control in view.own_options if control.name in taken]:
        message = f"Controls exist: {clashes}."
        raise ValueError(message)
    _VIEWS[view.name] = view
    return cls


def unregister(name: str) -> None:
    """Removes a view."""
    del _VIEWS[name]


def views() -> Mapping[str, View]:
    """All views by name, in the order on screen."""
    _load()
    return dict(sorted(_VIEWS.items(), key=lambda item: item[1].place))


def actions(data: LayerData, selection: Selection) -> tuple[Action, ...]:
    """What all views that have something to show of a layer offer to do with the selected channel."""
    able = [view for view in views().values() if view.is_offered(data) and view.available(data) is None]
    return tuple(action for view in able if (action := view.action(data, selection)) is not None)


@cache
def _load() -> None:
    for module in iter_modules(_views.__path__):
        import_module(f"{_views.__name__}.{module.name}")
