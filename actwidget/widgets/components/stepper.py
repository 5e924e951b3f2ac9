"""`Stepper`: a field for a whole number, which can be empty, between two buttons."""

from __future__ import annotations

from typing import Any

import ipywidgets
import traitlets

from actwidget.widgets import html
from actwidget.widgets.components.parts import Parts

_END = "actw-stepper-end"


class Stepper(ipywidgets.HBox):  # type: ignore[misc]  # ipywidgets has no type hints
    """A number field with a button on either side, and an error message below it.

    The field can be empty if `allow_none` is set; the number fields of ipywidgets can't be.
    """

    value = traitlets.Int(None, allow_none=True)
    """The number, or `None`."""
    maximum = traitlets.Int(0)
    """The largest number; the smallest is 0."""
    error = traitlets.Unicode("")
    """An error message if something invalid was typed, otherwise `""`."""

    def __init__(
        self,
        label: str,
        parts: Parts | None = None,
        *,
        value: int | None = None,
        maximum: int = 0,
        allow_none: bool = False,
        placeholder: str = "",
        **kwargs: Any,
    ) -> None:
        """A stepper with `label` in front, whose widgets are created by `parts`."""
        text, down, up = _look(value, maximum)  # set on creation: each later change is one more message to the page
        self._make = make = (parts or Parts()).make
        self._message: Any = None
        self._allow_none = allow_none
        self._label = label
        self._field = make(
            ipywidgets.Text,
            value=text,
            description=label,
            placeholder=placeholder,
            continuous_update=False,
            tooltip=label,
            css="actw-stepper-field",
        )
        # The signs on the buttons come from CSS, so that a screen reader reads the tooltips instead.
        self._down = make(ipywidgets.Button, tooltip=f"Previous {label}", css=down)
        self._up = make(ipywidgets.Button, tooltip=f"Next {label}", css=up)
        self._down.on_click(lambda _button: self._step(-1))
        self._up.on_click(lambda _button: self._step(1))
        self._field.observe(self._typed, "value")
        self._shown = [self._down, self._field, self._up]
        super().__init__(self._shown, value=value, maximum=maximum, _dom_classes=("actw-stepper",), **kwargs)

    @property
    def placeholder(self) -> str:
        """The text shown in the field while it is empty."""
        return str(self._field.placeholder)

    @placeholder.setter
    def placeholder(self, text: str) -> None:
        self._field.placeholder = text

    @traitlets.observe("value", "maximum")
    def _show(self, _change: Any = None) -> None:
        self._field.value, down, up = _look(self.value, self.maximum)
        for button, look in ((self._down, down), (self._up, up)):
            button.set_trait("_dom_classes", (look,) if look else ())

    def make_all(self) -> None:
        """Makes the widget for the error message, which otherwise is made for the first error."""
        if self._message is None:
            self._message = self._make(ipywidgets.HTML, css="actw-stepper-error")

    @traitlets.observe("error")
    def _show_error(self, _change: Any) -> None:
        """Shows the error message beside the field."""
        if self.error:
            self.make_all()
            self._message.value = html.live("alert", self.error)
            self.children = [*self._shown, self._message]
        else:
            self.children = self._shown

    def _step(self, by: int) -> None:
        value = (-1 if self.value is None else self.value) + by
        if 0 <= value <= self.maximum:
            self.value = value

    def _typed(self, change: Any) -> None:
        text = change["new"].strip()
        self.error = ""
        if text == _look(self.value, self.maximum)[0]:
            return  # the field shows the number, which was checked where it was set
        if not text and self._allow_none:
            self.value = None
        elif text.isascii() and text.isdigit() and int(text) <= self.maximum:
            self.value = int(text)
        else:
            self.error = f"Expected a {self._label} from 0 to {self.maximum}, got {text!r}."


def _look(value: int | None, maximum: int) -> tuple[str, str, str]:
    """The text of the field, and the CSS class of each button, which looks disabled at the end of the range.

    It only looks disabled: a button that really is disabled would lose the keyboard focus.
    """
    first, last = (True, False) if value is None else (value <= 0, value >= maximum)
    return "" if value is None else str(value), _END if first else "", _END if last else ""
