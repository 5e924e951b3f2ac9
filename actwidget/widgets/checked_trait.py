"""A trait whose value is checked, by the explorer that has it, before it changes."""

from __future__ import annotations

from typing import Any

import traitlets


class Checked(traitlets.Any):
    """A trait of a `LayerExplorer` that stands for a field of its selection.

    What `traitlets.validate` refuses while notifications are held would stay unless the error is a `TraitError`. This
    checks the value earlier than that.
    """

    allow_none = False

    def validate(self, obj: Any, value: Any) -> Any:
        """The value as it is kept; what can't be is an error of actwidget's."""
        return obj._checked(self.name, value)  # noqa: SLF001 - its owner

    def set(self, obj: Any, value: Any) -> None:
        """Sets the value. When it is the one already there, traitlets notifies nobody, so the owner is told here."""
        known = obj.trait_has_value(self.name)  # the first one is not compared with the default, which is not valid
        before = self.get(obj) if known else None
        super().set(obj, value)
        if known and self.get(obj) == before:
            obj._chosen_again()  # noqa: SLF001 - its owner
