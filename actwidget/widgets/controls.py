"""The row of controls above the figure; what only some views need is made when one of them comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets
import traitlets

from actwidget.figures import ORDERS
from actwidget.widgets.stepper import Stepper

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from actwidget.widgets.parts import Parts

SHOWS = {
    "activation": "activation",
    "overlay": "over the input",
    "comparison": "comparison",
    "table": "table",
    "weights": "weights",
    "overview": "whole network",
}
SCALINGS = {"layer": "layer", "robust": "robust", "channel": "channel"}
AXES = {"auto": "as the layer has them", "last": "last axis", "first": "first axis", "none": "none: one map"}
# What has a say in each view.
NEEDED = {
    "activation": ("sample", "channel", "sort", "scaling"),
    "overlay": ("sample", "channel"),
    "comparison": ("sample", "channel"),
    "table": ("channel",),
    "weights": ("channel",),
    "overview": (),
}


class Controls:
    """Widgets that set an explorer's traits.

    Attributes:
        box: The row.
        channel: The stepper of the channel.
        sample: The stepper of the sample.
    """

    def __init__(self, parts: Parts, *, samples: int, pictures: bool) -> None:
        """Makes what every view has.

        Args:
            parts: Makes the widgets.
            samples: How many samples there are.
            pictures: Whether the input is a picture that a channel can be laid over.
        """
        self._parts = parts
        self.show = self._choice("show", "what the figure shows", SHOWS, leave_out=() if pictures else ("overlay",))
        self.sample = parts.make(Stepper, "sample", parts, value=0, maximum=samples - 1)
        self.channel = parts.make(Stepper, "channel", parts, allow_none=True, placeholder="mean")
        self.sort = self._choice("order", "order of the channels", ORDERS)
        self.scaling = self._choice("colour range", "one colour range for the layer or for each channel", SCALINGS)
        self.slice: ipywidgets.IntSlider | None = None
        self.input_channel: Stepper | None = None
        self.compare: Stepper | None = None
        self.reading: ipywidgets.Dropdown | None = None
        self.box = parts.make(ipywidgets.HBox, self._of("activation"), css="actw-controls")
        self._owner: Any = None
        self._following = False  # the slider follows the explorer, not the other way round
        self._links: list[Any] = []
        self._warn: Callable[[str], None] = lambda _text: None

    def _of(self, show: str, needs: tuple[str, ...] | None = None) -> list[Any]:
        return [self.show, *(getattr(self, name) for name in (NEEDED[show] if needs is None else needs))]

    def _choice(self, label: str, tip: str, options: Mapping[str, str], leave_out: tuple[str, ...] = ()) -> Any:
        listed = [(text, name) for name, text in options.items() if name not in leave_out]
        return self._parts.make(ipywidgets.Dropdown, options=listed, description=label, tooltip=tip)

    def connect(self, owner: Any, warn: Callable[[str], None]) -> None:
        """Ties the controls to the traits of the same names; what was typed wrong is said by `warn`."""
        self._owner, self._warn = owner, warn
        for name in ("show", "sample", "channel", "sort", "scaling"):
            self._tie(name, getattr(self, name))

    def _tie(self, name: str, control: Any) -> None:
        self._links.append(traitlets.link((self._owner, name), (control, "value")))
        if isinstance(control, Stepper):
            control.observe(lambda change: self._warn(change["new"]), "error")

    def arrange(
        self,
        *,
        channels: int,
        needs: tuple[str, ...] | None,
        slices: int,
        middle: int,
        inputs: int,
        others: int,
        readings: bool,
    ) -> None:
        """Shows the controls that the view needs.

        Args:
            channels: How many channels the layer has.
            needs: The names of the controls that what is shown has a use for; `None` for all of its view.
            slices: How many slices a volume has; 1 or less for none to choose.
            middle: The slice that is shown where none is chosen.
            inputs: How many input channels the kernel on show has; 1 or less for none to choose.
            others: How many samples there are to compare with; 1 or less for none to choose.
            readings: Whether the axes of the activation can be read in more than one way.
        """
        self.channel.maximum = channels - 1
        self.channel.placeholder = "mean" if needs is None else "first"  # flags have no mean
        children = self._of(self._owner.show, needs)
        if slices > 1:
            if self.slice is None:
                tip = "which slice through depth or time"
                self.slice = self._parts.make(ipywidgets.IntSlider, description="slice", tooltip=tip, css="actw-slice")
                self.slice.observe(self._slid, "value")
            self._following = True
            self.slice.max = slices - 1
            self.slice.value = middle if self._owner.slice is None else self._owner.slice
            self._following = False
            children.append(self.slice)
        if inputs > 1:
            children.append(self._stepper("input_channel", "input channel", "mean", inputs))
        if others > 1:
            children.append(self._stepper("compare", "second sample", "next", others))
        if readings:
            if self.reading is None:
                self.reading = self._choice("channels", "which axis holds the channels", AXES)
                self._tie("reading", self.reading)
            children.append(self.reading)
        if children != list(self.box.children):
            self.box.children = children

    def _stepper(self, name: str, label: str, empty: str, count: int) -> Stepper:
        """The stepper of a trait that can be `None`, made when it is first needed."""
        if getattr(self, name) is None:
            made = self._parts.make(Stepper, label, self._parts, maximum=count - 1, allow_none=True, placeholder=empty)
            setattr(self, name, made)
            self._tie(name, made)
        stepper: Stepper = getattr(self, name)
        stepper.maximum = count - 1
        return stepper

    def _slid(self, change: Any) -> None:
        if not self._following:
            self._owner.slice = change["new"]

    def close(self) -> None:
        """Unties all."""
        for link in self._links:
            link.unlink()
        if self.slice is not None:
            self.slice.unobserve_all()
        self._links = []
