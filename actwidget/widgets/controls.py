"""The row of controls above the figure: a widget for each `Control`, made when a view first has a use for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets
import traitlets

from actwidget.explorer.controls import SHARED, Choice, Number, Slider
from actwidget.widgets.components.stepper import Stepper

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from actwidget.explorer.controls import Control
    from actwidget.widgets.components.parts import Parts

_AT_FIRST = ("sample", "channel", "sort", "scaling")
"""What nearly every view has is made with the explorer: later it would be one more message to the page."""


class Controls:
    """Widgets that set an explorer's traits.

    Attributes:
        box: The row.
        show: The drop-down of views.
    """

    def __init__(self, parts: Parts, views: Mapping[str, str], *, samples: int) -> None:
        """Makes what most views have.

        Args:
            parts: Makes the widgets.
            views: The views by name, with what they are called.
            samples: How many samples there are.
        """
        self._parts = parts
        self._owner: Any = None
        self._warn: Callable[[str], None] = lambda _text: None
        self._links: list[Any] = []
        self._following = False  # a slider follows the explorer, not the other way round
        self._widgets: dict[str, Any] = {}
        self.show = self._made(Choice("show", "show", "what the figure shows", views))
        self._made(Number("sample", "sample", count=samples))
        for name in _AT_FIRST[1:]:
            self._made(SHARED[name])
        self.box = parts.make(ipywidgets.HBox, [self.show, *map(self.widget, _AT_FIRST)], css="actw-controls")

    def widget(self, name: str) -> Any:
        """The widget that sets a trait; `None` where no view had a use for it yet."""
        return self._widgets.get(name)

    def connect(self, owner: Any, warn: Callable[[str], None]) -> None:
        """Ties the controls to an explorer.

        Args:
            owner: The explorer. Its traits of the same names are set; what views have of their own is in its `options`.
            warn: Is called with what was typed and is not possible, in words.
        """
        self._owner, self._warn = owner, warn
        for name, widget in self._widgets.items():
            self._tie(name, widget)

    def arrange(self, controls: Sequence[Control], *, channel_count: int) -> None:
        """Shows the controls that the view has a use for.

        Args:
            controls: What can be chosen, in the order on screen.
            channel_count: How many channels the layer has.
        """
        self._widgets["channel"].maximum = channel_count - 1
        children = [self.show]
        for control in controls:
            widget = self._widgets.get(control.name)
            if widget is None:
                widget = self._made(control)
                self._tie(control.name, widget)
            self._fit(control, widget)
            children.append(widget)
        if children != list(self.box.children):
            self.box.children = children

    def close(self) -> None:
        """Unties all."""
        for link in self._links:
            link.unlink()
        self._links = []
        for widget in self._widgets.values():
            if isinstance(widget, ipywidgets.IntSlider):
                widget.unobserve_all()

    def _made(self, control: Control) -> Any:
        make = self._parts.make
        match control:
            case Choice():
                listed = [(text, name) for name, text in control.choices.items()]
                widget = make(ipywidgets.Dropdown, options=listed, description=control.label, tooltip=control.tip)
            case Number():
                widget = make(
                    Stepper,
                    control.label,
                    self._parts,
                    value=control.default,
                    maximum=control.count - 1,
                    allow_none=control.empty is not None,
                    placeholder=control.empty or "",
                )
            case Slider():
                css = "actw-slice"
                widget = make(ipywidgets.IntSlider, description=control.label, tooltip=control.tip, css=css)
        self._widgets[control.name] = widget
        return widget

    def _tie(self, name: str, widget: Any) -> None:
        if not self._owner.has_trait(name):
            widget.observe(lambda change: self._choose_option(name, change["new"]), "value")
        elif isinstance(widget, ipywidgets.IntSlider):
            widget.observe(lambda change: self._slide(name, change["new"]), "value")
        else:
            self._links.append(traitlets.link((self._owner, name), (widget, "value")))
        if isinstance(widget, Stepper):
            widget.observe(lambda change: self._warn(change["new"]), "error")

    def _fit(self, control: Control, widget: Any) -> None:
        """Gives a widget the range of what is on screen, and the value that is chosen."""
        own = not self._owner.has_trait(control.name)
        chosen = self._owner.options.get(control.name, control.default) if own else getattr(self._owner, control.name)
        self._following = True
        try:
            if isinstance(control, Slider):
                widget.max = control.count - 1
                widget.value = control.middle if chosen is None else chosen
            elif isinstance(control, Number):
                widget.maximum = control.count - 1
                widget.placeholder = control.empty or ""
            if own and not isinstance(control, Slider):
                widget.value = chosen
        finally:
            self._following = False

    def _slide(self, name: str, value: int) -> None:
        if not self._following:
            setattr(self._owner, name, value)

    def _choose_option(self, name: str, value: Any) -> None:
        if not self._following:
            self._owner.options = {**self._owner.options, name: value}
