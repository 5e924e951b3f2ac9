"""`Inspection`: what the inspector says of the selected channel, and what it offers to do with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actwidget.explorer.description.facts import Fact


@dataclass(frozen=True)
class Action:
    """A button of the inspector.

    Attributes:
        label: Its text.
        changes: From each field of the selection that it changes to the new value.
        tip: Its tooltip.
    """

    label: str
    changes: Mapping[str, Any]
    tip: str = ""


@dataclass(frozen=True)
class Inspection:
    """What the inspector shows beside or below the figure.

    Attributes:
        title: What is inspected: "Channel 17".
        facts: The numbers of the channel.
        actions: The buttons.
    """

    title: str
    facts: tuple[Fact, ...] = field(default=())
    actions: tuple[Action, ...] = field(default=())
