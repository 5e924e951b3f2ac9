"""`Stepper`: a whole number, or none, between two buttons."""

from __future__ import annotations

from typing import Any

import ipywidgets
import traitlets

from actwidget.widgets.parts import Parts


class Stepper(ipywidgets.HBox):  # type: ignore[misc]  # ipywidgets has no type hints
    """A number field with a button on either side; it can be empty where `allow_none` is set.

    ipywidgets' own number fields know no empty value.

    Attributes:
        value: The number, or `None`.
        maximum: The largest number; the smallest is 0.
        error: What was typed and is no such number, in words, else `""`.
    """

    value = traitlets.Int(None, allow_none=True)
    maximum = traitlets.Int(0)
    error = traitlets.Unicode("")

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
        """A stepper with `label` before it, put together from `parts`."""
        text, first, last = _look(value, maximum)  # from the start: each change is one more message to the page
        make = (parts or Parts()).make
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
        self._down = make(ipywidgets.Button, description="‹", tooltip=f"Previous {label}", disabled=first)
        self._up = make(ipywidgets.Button, description="›", tooltip=f"Next {label}", disabled=last)
        self._down.on_click(lambda _button: self._step(-1))
        self._up.on_click(lambda _button: self._step(1))
        self._field.observe(self._typed, "value")
        shown = [self._down, self._field, self._up]
        super().__init__(shown, value=value, maximum=maximum, _dom_classes=("actw-stepper",), **kwargs)

    @traitlets.observe("value", "maximum")
    def _show(self, _change: Any = None) -> None:
        self._field.value, self._down.disabled, self._up.disabled = _look(self.value, self.maximum)

    def _step(self, by: int) -> None:
        self.value = 0 if self.value is None else min(max(self.value + by, 0), self.maximum)

    def _typed(self, change: Any) -> None:
        text = change["new"].strip()
        self.error = ""
        if not text and self._allow_none:
            self.value = None
        elif text.isascii() and text.isdigit() and int(text) <= self.maximum:
            self.value = int(text)
        else:
            self.error = f"Expected a {self._label} from 0 to {self.maximum}, got {text!r}."


def _look(value: int | None, maximum: int) -> tuple[str, bool, bool]:
    """What stands in the field, and whether there is nothing before and nothing behind it."""
    return ("", True, False) if value is None else (str(value), value <= 0, value >= maximum)
