"""A trait whose value is validated by its explorer before it changes."""

from __future__ import annotations

from typing import Any

import traitlets


class Checked(traitlets.Any):
    """A trait of a `LayerExplorer` that mirrors a field of its selection.

    `@traitlets.validate` would not do: while notifications are held, it runs after the value has been set, and only a
    `TraitError` makes traitlets undo that. This trait checks the value before it is set.
    """

    allow_none = False

    def validate(self, obj: Any, value: Any) -> Any:
        """The value in its normal form; an invalid one raises one of actwidget's errors."""
        return obj._checked(self.name, value)  # noqa: SLF001 - its owner

    def set(self, obj: Any, value: Any) -> None:
        """Sets the value. If it is the same as before, traitlets notifies nobody, so this calls `_chosen_again`."""
        has_value = obj.trait_has_value(self.name)  # reading an unset trait would validate its default, which may fail
        before = self.get(obj) if has_value else None
        super().set(obj, value)
        if has_value and self.get(obj) == before:
            obj._chosen_again()  # noqa: SLF001 - its owner
