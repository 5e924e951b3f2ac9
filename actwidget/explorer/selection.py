"""`Selection`: which part of a model is shown, and how. It is immutable; each new value is checked here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.capture.semantics.value_kind import prepares_input
from actwidget.errors import ChannelError, OptionError, SampleError, shown
from actwidget.explorer.controls import AXIS_CHOICES, BASES, SCALINGS, Choice, Factor, Paths, Words
from actwidget.explorer.what_if.edits import Edits, as_state
from actwidget.figures import ORDERS
from actwidget.options import a_number, index, one_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from actwidget.capture.structure.model_graph import ModelGraph
    from actwidget.explorer.controls import Setting
    from actwidget.explorer.layer_data import LayerData

OTHER_MODEL = "model"
"""The value of `compare` for a comparison with another model."""
EDITED = "edited"
"""The value of `compare` for a comparison with the model with the explorer's edits."""


@dataclass(frozen=True)
class Selection:
    """The current selection. `LayerExplorer` has a trait for each field, whose docstring says what it means.

    Attributes:
        options: The values of controls that belong to a single view, as pairs of name and value.
        edits: What is changed in the model, in order.
        room: The width and height of the figure on the page, in pixels. It is no part of the state.
    """

    show: str = "activation"
    layer: str = ""
    reading: str = "auto"
    channel: int | None = None
    sample: int = 0
    compare: int | str | None = None
    scaling: str = "channel"
    sort: str = "index"
    position: tuple[int, int] | None = None
    slice: int | None = None
    input_channel: int | None = None
    options: tuple[tuple[str, Any], ...] = field(default=())
    edits: Edits = ()
    basis: str = "batch"
    room: tuple[int, int] = (800, 480)

    def option(self, control: Setting | Paths) -> Any:
        """The value of a view's own control."""
        return dict(self.options).get(control.name, control.default)

    def only(self, *names: str) -> Selection:
        """The same layer with only some of the other fields: a cache key for a drawing that depends on these."""
        return Selection(layer=self.layer, **{name: getattr(self, name) for name in names})

    def state(self) -> dict[str, Any]:
        """All fields as JSON values."""
        values = {name: getattr(self, name) for name in FIELDS}
        values["position"] = None if self.position is None else list(self.position)
        options = {name: list(value) if isinstance(value, tuple) else value for name, value in self.options}
        edits = {"edits": as_state(self.edits)} if self.edits else {}
        return values | ({"options": options} if options else {}) | edits


FIELDS = tuple(each.name for each in fields(Selection) if each.name not in {"options", "edits", "room"})
"""The fields without `options`, `edits` and `room`. View and layer come first: the others depend on them."""


def checked_state(given: Any) -> dict[str, Any]:
    """A state as `Selection.state` returns it, with its keys checked but not its values.

    Raises:
        OptionError: It is not a mapping, or has an unknown key.
    """
    if given is None:
        return {}
    if not hasattr(given, "keys") or not set(given) <= {*FIELDS, "options", "edits"}:
        message = f"Expected a state as explorer.state() gives it, with the keys {sorted(FIELDS)}, got {shown(given)}."
        raise OptionError(message)
    return dict(given)


def checked(name: str, value: Any, data: LayerData) -> Any:
    """Validates the value of a field other than `show`, `layer` and `compare`; returns it in its normal form.

    Args:
        name: The field.
        value: The user's value.
        data: The selected layer.

    Raises:
        ChannelError, SampleError, OptionError: The value does not fit the layer or the batch.
    """
    return _CHECKS[name](value, data)


def _sample(value: Any, data: LayerData) -> int:
    return index(value, data.batch_size, "sample", f"the batch has {data.batch_size}", SampleError)


def _channel(value: Any, data: LayerData) -> int:
    count = data.channel_count
    return index(value, count, "channel", f"{shown(data.path)} has {count}", ChannelError)


def _slice(value: Any, data: LayerData) -> int:
    count = data.slice_count
    return index(value, count, "slice", f"{shown(data.path)} has {count}", OptionError)


def _input_channel(value: Any, data: LayerData) -> int:
    count = data.kernel[1]
    there = f"{shown(data.path)} has {f'a kernel of {count}' if count > 1 else 'none to choose'}"
    return index(value, count, "input channel", there, ChannelError)


def _position(value: Any, data: LayerData) -> tuple[int, int]:
    """The row and the column of a cell of a feature map."""
    lengths = data.map_size
    given = list(value) if isinstance(value, (list, tuple, np.ndarray)) else []
    fits = [isinstance(i, (int, np.integer)) and not isinstance(i, bool) for i in given]
    if len(given) == len(fits) == 2 and all(fits) and all(0 <= i < n for i, n in zip(given, lengths, strict=True)):
        return int(given[0]), int(given[1])
    rows, columns = lengths
    there = f"a map of {rows} by {columns}" if rows and columns else "no feature map"
    message = f"Expected a position as (row, column); the layer gives {there}; got {shown(value)}."
    raise OptionError(message)


def _basis(value: Any, data: LayerData) -> str:
    """What the numbers of layers rest on."""
    if value == "scan" and data.sources.scan is None:
        message = "Expected basis 'batch', since there is no scan: LayerExplorer(model, x, scan=aw.scan(model, data))."
        raise OptionError(message)
    return one_of(value, BASES, "basis")


_CHECKS: dict[str, Callable[[Any, LayerData], Any]] = {
    "sample": _sample,
    "channel": _channel,
    "slice": _slice,
    "input_channel": _input_channel,
    "position": _position,
    "reading": lambda value, _data: one_of(value, AXIS_CHOICES, "reading"),
    "scaling": lambda value, _data: one_of(value, SCALINGS, "scaling"),
    "basis": _basis,
    "sort": lambda value, _data: one_of(value, ORDERS, "sort"),
}


def checked_other_sample(value: Any, data: LayerData) -> int:
    """The index of the sample to compare with.

    Raises:
        SampleError: The batch has no such sample.
    """
    count = data.batch_size
    there = f"the batch has {count}; to compare with a model, give it as LayerExplorer(..., compare=model)"
    return index(value, count, "sample", there, SampleError)


def checked_options(given: Any, known: Collection[Setting | Paths]) -> tuple[tuple[str, Any], ...]:
    """The values of what belongs to a single view, sorted by the names.

    Args:
        given: A mapping from the name of a control, or of what clicks in a figure choose, to its value.
        known: All of these.

    Raises:
        OptionError: There is no such control, or it has no such value.
    """
    if not isinstance(given, Mapping):
        message = f"Expected options as a dict, got {shown(given)}."
        raise OptionError(message)
    controls = {control.name: control for control in known}
    checked_values = {}
    for name, value in given.items():
        one_of(name, controls, "options")
        checked_values[name] = _checked_option(controls[name], value)
    return tuple(sorted(checked_values.items()))


def _checked_option(control: Setting | Paths, value: Any) -> Any:  # noqa: PLR0911 - a kind of control each
    if isinstance(control, Choice) and not control.choices and isinstance(value, str):
        return value
    if isinstance(control, Choice):
        return one_of(value, control.choices, control.name)
    if value is None and control.default is None:
        return None
    if isinstance(control, Paths):
        return _paths(value, control.name)
    if isinstance(control, Words):
        return _text(value, control.name)
    if isinstance(control, Factor):
        return float(a_number(value, control.name, "options", Real))
    return index(value, control.count, control.label, f"{control.name} has {control.count}", OptionError)


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        message = f"Expected {name} as a text, got {shown(value)}."
        raise OptionError(message)
    return value


def _paths(value: Any, name: str) -> tuple[str, ...]:
    """The paths of layers, without a check whether there are such layers: a state may come from a similar model."""
    if not isinstance(value, (list, tuple)) or not all(isinstance(path, str) for path in value):
        message = f"Expected {name} as a list of paths of layers, got {shown(value)}."
        raise OptionError(message)
    return tuple(value)


def fitted(selection: Selection, data: LayerData, chosen_among: int | None = None) -> Selection:
    """A selection without the channel, slice and position of another layer that make no sense in this layer.

    Args:
        selection: The current selection.
        data: The selected layer.
        chosen_among: How many channels there were when the channel was chosen. It is kept only if this layer has as
            many: in a layer with another number of channels, the one with the same index has nothing to do with it.
            `None` if that is not known.
    """
    dropped: dict[str, Any] = {}
    count = data.channel_count
    if selection.channel is not None and (selection.channel >= count or chosen_among not in {None, count}):
        dropped["channel"] = None
    if selection.compare == EDITED and not selection.edits:
        dropped["compare"] = None
    if isinstance(selection.compare, int) and selection.compare >= data.batch_size:
        dropped["compare"] = None
    if selection.slice is not None and selection.slice >= data.slice_count:
        dropped["slice"] = None
    if selection.input_channel is not None and selection.input_channel >= data.kernel[1]:
        dropped["input_channel"] = None
    if selection.position is not None:
        pairs = zip(selection.position, data.map_size, strict=True)
        if any(place >= length for place, length in pairs):
            dropped["position"] = None
    return replace(selection, **dropped) if dropped else selection


def initial_layer(graph: ModelGraph) -> str:
    """The layer that is selected first: the first one with weights, preprocessing layers aside.

    Without such a layer it is the first one that does no preprocessing. If no layer can be captured, it is the first
    node, which shows the reason.
    """
    capturable = [node for node in graph.tree if node.origin != "opaque"]
    computing = [node for node in capturable if not prepares_input(graph.operations[node.path])]
    with_weights = [node for node in computing if node.parameters]
    return (with_weights or computing or capturable or list(graph.tree))[0].path
