"""The row of controls above the figure: a widget for each `Control`, created when a view first needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets
import traitlets

from actwidget.explorer import registry
from actwidget.explorer.controls import SHARED, Button, Choice, Factor, Number, Slider, Words
from actwidget.widgets.components.choices import Choices
from actwidget.widgets.components.menu import Menu
from actwidget.widgets.components.stepper import Stepper

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actwidget.explorer.controls import Control
    from actwidget.widgets.components.parts import Parts

_INITIAL_CONTROLS = ("channel", "sort", "scaling")
"""Nearly every view has these. They are created with the explorer to save a message to the page later."""
_LETTERS = 2
"""Choices that are as short as this are joined buttons, all in sight, instead of a drop-down."""


class Controls:
    """Widgets that set an explorer's traits.

    Attributes:
        box: The row of widgets.
    """

    def __init__(self, parts: Parts) -> None:
        """Creates the controls that most views have.

        Args:
            parts: Creates the widgets.
        """
        self._parts = parts
        self._owner: Any = None
        self._links: list[Any] = []
        self._is_updating = False  # widgets are being set from the explorer's traits, so they must not set the traits
        self._widgets: dict[str, Any] = {}
        self._spare: dict[str, Any] = {}  # made, but not yet needed
        self._buttons: dict[str, Button] = {}
        self._work_state = "idle"
        self._pressed: Callable[[], None] = lambda: None
        for name in _INITIAL_CONTROLS:
            self._create(SHARED[name])
        self.box = parts.make(ipywidgets.HBox, [*map(self.widget, _INITIAL_CONTROLS)], css="actw-controls")

    def widget(self, name: str) -> Any:
        """The widget that sets a trait; `None` if no view has needed it yet."""
        return self._widgets.get(name)

    def connect(self, owner: Any) -> None:
        """Links the controls to an explorer.

        Args:
            owner: The explorer. A control sets the trait of the same name; a view's own control sets an entry of the
                trait `options`.
        """
        self._owner = owner
        for name, widget in self._widgets.items():
            self._link(name, widget)

    def arrange(self, controls: Sequence[Control]) -> None:
        """Shows the controls that the view needs.

        Args:
            controls: The controls, in the order on screen.
        """
        children = []
        for control in controls:
            widget = self._widgets.get(control.name)
            if widget is None:
                widget = self._create(control)
                self._link(control.name, widget)
            self._fit(control, widget)
            children.append(widget)
        if children != list(self.box.children):
            self.box.children = children

    def on_press(self, callback: Callable[[], None]) -> None:
        """Registers a function that is called when a button is pressed that begins or stops the view's work."""
        self._pressed = callback

    def show_work(self, state: str) -> None:
        """Sets the buttons for the view's work.

        Args:
            state: `"waiting"` if it can begin, `"running"`, or `"idle"` if there is nothing to do.
        """
        self._work_state = state
        for name, button in self._buttons.items():
            self._mark(button, self._widgets[name])

    def _mark(self, button: Button, widget: Any) -> None:
        widget.description = button.stop if self._work_state == "running" else button.label
        widget.disabled = self._work_state == "idle"

    def close(self) -> None:
        """Removes all links and observers."""
        for link in self._links:
            link.unlink()
        self._links = []
        for widget in self._widgets.values():
            if isinstance(widget, (ipywidgets.IntSlider, ipywidgets.FloatSlider)):
                widget.unobserve_all()

    def make_all(self) -> None:
        """Makes the controls of all views, each of which otherwise is made when a view first needs it."""
        controls = [*SHARED.values(), *(control for view in registry.views().values() for control in view.own_controls)]
        self._spare = {control.name: self._make(control) for control in controls if control.name not in self._widgets}
        for widget in (*self._widgets.values(), *self._spare.values()):
            if isinstance(widget, Stepper):
                widget.make_all()

    def _create(self, control: Control) -> Any:
        spare = self._spare.pop(control.name, None)
        widget = self._widgets[control.name] = self._make(control) if spare is None else spare
        return widget

    def _make(self, control: Control) -> Any:
        make = self._parts.make
        match control:
            case Choice() if 0 < max(map(len, control.choices.values()), default=0) <= _LETTERS:
                items = [{"name": name, "label": text, "tip": control.tip} for name, text in control.choices.items()]
                widget = make(Choices, kind="segments", items=items, value=control.default, label=control.label)
            case Choice():
                choices = _items(control)
                widget = make(Menu, choices=choices, value=control.default, label=control.label, tip=control.tip)
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
            case Factor():
                widget = make(
                    ipywidgets.FloatSlider,
                    description=control.label,
                    tooltip=control.tip,
                    min=control.least,
                    max=control.most,
                    step=control.step,
                    value=control.default,
                    css="actw-factor",
                )
            case Words():
                widget = make(
                    ipywidgets.Text,
                    description=control.label,
                    tooltip=control.tip,
                    placeholder=control.empty,
                    value=control.default,
                    continuous_update=False,
                    css="actw-words",
                )
            case Button():
                widget = make(
                    ipywidgets.Button, description=control.label, tooltip=control.tip, disabled=True, css="actw-work"
                )
        return widget

    def _link(self, name: str, widget: Any) -> None:
        if isinstance(widget, ipywidgets.Button):
            widget.on_click(lambda _widget: self._pressed())
        elif not self._owner.has_trait(name):
            widget.observe(lambda change: self._choose_option(name, change["new"]), "value")
        elif isinstance(widget, ipywidgets.IntSlider):
            widget.observe(lambda change: self._slide(name, change["new"]), "value")
        else:
            # A comparison with a model has no number.
            shown: Any = (lambda value: None if isinstance(value, str) else value) if name == "compare" else _same
            self._links.append(traitlets.link((self._owner, name), (widget, "value"), transform=(shown, _same)))

    def _fit(self, control: Control, widget: Any) -> None:
        """Sets a widget's range from its control, and its value from the explorer."""
        if isinstance(control, Button):
            self._buttons[control.name] = control
            self._mark(control, widget)
            return
        is_option = not self._owner.has_trait(control.name)
        options = self._owner.options
        chosen = options.get(control.name, control.default) if is_option else getattr(self._owner, control.name)
        self._is_updating = True
        try:
            if isinstance(control, Slider):
                widget.max = control.count - 1
                widget.value = control.middle if chosen is None else chosen
            elif isinstance(control, Choice) and isinstance(widget, Menu) and is_option:
                chosen = control.shown or (str(chosen) if chosen in control.choices else control.default)
                with widget.hold_sync():
                    widget.choices, widget.value = _items(control), chosen
            elif isinstance(control, Choice) and isinstance(widget, Menu):
                widget.choices = _items(control)
            elif isinstance(control, Number):
                widget.maximum = control.count - 1
                widget.placeholder = control.empty or ""
            elif isinstance(control, Words):
                widget.placeholder = control.empty
            if isinstance(control, (Factor, Words)) and control.shown is not None:
                widget.value = control.shown
            elif is_option and not isinstance(control, Slider):  # all other widgets are linked to their trait
                widget.value = chosen
        finally:
            self._is_updating = False

    def _slide(self, name: str, value: int) -> None:
        if not self._is_updating:
            setattr(self._owner, name, value)

    def _choose_option(self, name: str, value: Any) -> None:
        if not self._is_updating:
            self._owner.choose_option(name, value)


def _same(value: Any) -> Any:
    return value


def _items(control: Choice) -> list[tuple[str, str]]:
    """The values and texts of a drop-down; until a layer gives the choices there is an empty one."""
    return list(control.choices.items()) or [("", "")]
