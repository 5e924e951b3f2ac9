"""The settings of a view that a user can change, described without any widgets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from actwidget.figures import ORDERS

if TYPE_CHECKING:
    from actwidget.explorer.layer_data import LayerData


@dataclass(frozen=True)
class Choice:
    """A choice from a list of values.

    Attributes:
        name: The field of a `Selection`, or the option of a view, that it sets.
        label: The label in front of the control.
        tip: The tooltip.
        choices: From each value to its name on screen. Empty if they depend on the layer: then any text is taken, and
            one that the layer does not have stands for the first.
        initial: The initial value; `None` for the first one.
        shown: Which value is shown, if that does not depend on the option alone.
    """

    name: str
    label: str
    tip: str
    choices: Mapping[str, str]
    initial: str | None = None
    shown: str | None = None

    @property
    def default(self) -> str:
        """The initial value."""
        return next(iter(self.choices), "") if self.initial is None else self.initial


@dataclass(frozen=True)
class Number:
    """A whole number from 0 to `count - 1`.

    Attributes:
        name: The field of a `Selection`, or the option of a view, that it sets.
        label: The label in front of the control.
        count: How many numbers there are to choose from.
        empty: The placeholder shown while no number is chosen; `None` if a number is required.
        start: The number while none is chosen, if one is required.
        follows: The fields of a selection that say which number it is while none is chosen. A choice is dropped when
            one of them changes.
    """

    name: str
    label: str
    count: int = 1
    empty: str | None = None
    start: int = 0
    follows: tuple[str, ...] = ()

    @property
    def default(self) -> int | None:
        """The initial value."""
        return self.start if self.empty is None else None


@dataclass(frozen=True)
class Slider:
    """A whole number from 0 to `count - 1`, chosen by a slider.

    Attributes:
        name: The field of a `Selection`, or the option of a view, that it sets.
        label: The label in front of the control.
        tip: The tooltip.
        count: How many numbers there are to choose from.
        middle: The slider's position while no number is chosen.
    """

    name: str
    label: str
    tip: str
    count: int = 1
    middle: int = 0

    @property
    def default(self) -> None:
        """The initial value."""
        return


@dataclass(frozen=True)
class Factor:
    """A number with decimals, chosen by a slider.

    Attributes:
        name: The option of a view that it sets.
        label: The label in front of the control.
        tip: The tooltip.
        least: The smallest number.
        most: The largest number on the slider. From code a larger one can be chosen.
        step: How far apart the numbers on the slider are.
        initial: The number while none is chosen.
        shown: Where the slider stands, if that does not depend on the option alone.
    """

    name: str
    label: str
    tip: str
    least: float = 0.0
    most: float = 3.0
    step: float = 0.05
    initial: float = 1.0
    shown: float | None = None

    @property
    def default(self) -> float:
        """The initial value."""
        return self.initial


@dataclass(frozen=True)
class Words:
    """A field for a text.

    Attributes:
        name: The option of a view that it sets.
        label: The label in front of the control.
        tip: The tooltip.
        empty: The placeholder shown while it is empty.
        shown: What stands in it, if that does not depend on the option alone.
    """

    name: str
    label: str
    tip: str
    empty: str = ""
    shown: str | None = None

    @property
    def default(self) -> str:
        """It is empty at first."""
        return ""


@dataclass(frozen=True)
class Paths:
    """The paths of some layers, chosen by clicks in the figure. It is no control: nothing on screen stands for it.

    Attributes:
        name: The option of a view that it sets.
    """

    name: str

    @property
    def default(self) -> None:
        """Nothing has been chosen: the view decides."""
        return


@dataclass(frozen=True)
class Button:
    """A button that begins the work of its view, and stops it while it runs. It sets nothing.

    Attributes:
        name: Its name among the controls.
        label: Its text.
        tip: The tooltip.
        stop: Its text while the work runs.
    """

    name: str
    label: str
    tip: str
    stop: str = "Stop"

    @property
    def default(self) -> None:
        """It has no value."""
        return


Setting = Choice | Number | Slider | Factor | Words
Control = Setting | Button

SCALINGS = {"layer": "same for all", "robust": "without outliers", "channel": "each its own"}
AXIS_CHOICES = {
    "auto": "automatic",
    "last": "last",
    "first": "first",
    "none": "none: one map",
}

BASES = {"scan": "scan", "batch": "batch"}
_BASIS = Choice("basis", "numbers over", "over which samples the numbers and warnings of layers are counted", BASES)

SHARED: dict[str, Choice | Number | Slider] = {
    control.name: control
    for control in (
        Number("channel", "channel", empty="mean"),
        Choice("sort", "order", "order of the channels", ORDERS),
        Choice("scaling", "colours", "whether channels share one colour range", SCALINGS, initial="channel"),
        Slider("slice", "slice", "which slice through depth or time"),
        Number("input_channel", "input channel", empty="all"),
        Number("compare", "second sample", empty="next"),
        Choice("reading", "channel axis", "which axis of the activation holds the channels", AXIS_CHOICES),
        _BASIS,
    )
}
"""The controls that several views use, keyed by the field of a `Selection` that each one sets."""


def fitted(name: str, data: LayerData, *, is_read: bool, is_axis_chosen: bool) -> Setting | None:
    """A shared control with its range adjusted to a layer; `None` if the layer leaves nothing to choose.

    Args:
        name: A key of `SHARED`.
        data: The layer.
        is_read: Whether the values are text, flags or ids, for which a mean over the channels is meaningless.
        is_axis_chosen: Whether the user has set the channel axis.
    """
    control = SHARED[name]
    if name == "reading":
        return control if is_axis_chosen or (not is_read and data.has_ambiguous_channels) else None
    if name == "basis":
        return _basis(data)
    if isinstance(control, Choice):
        return control
    count = _COUNTS[name](data)
    if count <= 1 and name != "channel":  # which stays on screen even if there is only one value to choose
        return None
    if isinstance(control, Slider):
        return replace(control, count=count, middle=data.middle_slice)
    return replace(control, count=count, empty="first" if name == "channel" and is_read else control.empty)


def _basis(data: LayerData) -> Choice | None:
    """The choice between the scan and the batch, with their sizes; `None` without a scan."""
    if (source := data.sources.scan) is None:
        return None
    batch = data.sources.numbers.batch_in_words
    return replace(_BASIS, choices={"scan": source.samples_in_words, "batch": batch})


_COUNTS: dict[str, Callable[[LayerData], int]] = {
    "channel": lambda data: data.channel_count,
    "slice": lambda data: data.slice_count,
    "input_channel": lambda data: data.kernel[1],
    "compare": lambda data: data.comparable_samples,
}
