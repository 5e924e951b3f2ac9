"""The views of an explorer. A new one is a class in a file of its own under `views/`, marked with `@register`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, ClassVar, TypeVar

from actwidget.explorer import views as _views
from actwidget.explorer.controls import SHARED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actwidget.explorer.controls import Control
    from actwidget.explorer.drawing import Drawing
    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.selection import Selection

Made = TypeVar("Made", bound="type[View]")


class View(ABC):
    """One way of looking at a layer, or at the whole network.

    Attributes:
        name: The value of `LayerExplorer.show`.
        label: What the view is called on screen.
        question: The question that it answers.
        place: Where it stands among the others, the lowest first.
        controls: What can be chosen, in the order on screen: the names of shared controls, or controls of its own.
        is_of_network: Whether it shows the whole network, whichever layer is selected.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    question: ClassVar[str]
    place: ClassVar[int] = 100
    controls: ClassVar[tuple[str | Control, ...]] = ()
    is_of_network: ClassVar[bool] = False

    def is_offered(self, _data: LayerData) -> bool:
        """Whether the view makes sense for a model and its inputs, whichever layer is selected."""
        return True

    def available(self, data: LayerData) -> str | None:
        """Why there is nothing to show of a layer, in words; `None` where there is.

        Args:
            data: The selected layer.
        """
        return data.missing

    def samples(self, selection: Selection, _count: int) -> list[int]:
        """Which of `count` samples are shown.

        Args:
            selection: What is chosen.
        """
        return [selection.sample]

    @abstractmethod
    def draw(self, data: LayerData, selection: Selection) -> Drawing:
        """What is shown; it is called for layers of which the view is available.

        Args:
            data: The selected layer.
            selection: What is chosen.
        """

    @property
    def own_controls(self) -> list[Control]:
        """The controls that no other view shares."""
        return [control for control in self.controls if not isinstance(control, str)]


_VIEWS: dict[str, View] = {}


def register(cls: Made) -> Made:
    """Adds a view, as a decorator of its class.

    Raises:
        ValueError: There is a view of that name already, or one of its own controls is named like a shared one.
    """
    view = cls()
    others = [each for each in _VIEWS.values() if each.name != view.name]
    taken = SHARED.keys() | {control.name for each in others for control in each.own_controls}
    clashes = [control.name for control in view.own_controls if control.name in taken]
    if view.name in _VIEWS or clashes:
        message = f"There is a view {view.name!r} already." if view.name in _VIEWS else f"Controls exist: {clashes}."
        raise ValueError(message)
    _VIEWS[view.name] = view
    return cls


def unregister(name: str) -> None:
    """Takes a view away again."""
    del _VIEWS[name]


def views() -> Mapping[str, View]:
    """All views by name, in the order on screen."""
    _load()
    return dict(sorted(_VIEWS.items(), key=lambda item: item[1].place))


@cache
def _load() -> None:
    for module in iter_modules(_views.__path__):
        import_module(f"{_views.__name__}.{module.name}")
