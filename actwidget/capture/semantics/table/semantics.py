"""What one class of layers or operations does: the columns of the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from actwidget.capture.semantics.receptive_window import Window
from actwidget.capture.semantics.table.activation_functions import Bounds

Windows = Callable[[Any, Sequence[int]], list[Window]]
"""From a layer and the lengths of its input's spatial axes to the window that moves along each of them."""


@dataclass(frozen=True)
class WeightAxes:
    """What the axes of a weight are; those that are neither inputs nor outputs are space or time.

    Attributes:
        inputs: The axes of what the weight is multiplied with.
        outputs: The axes of what comes of it.
        depthwise: Whether each input has outputs of its own, as in a depthwise convolution.
        channels: Whether the outputs are channels of the layer's output, gate after gate where it has gates.
    """

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    depthwise: bool = False
    channels: bool = True


@dataclass(frozen=True)
class WeightLayout:
    """What the weights of a layer are.

    Attributes:
        axes: For each weight by the name that Keras gives it what its axes are; a function of the layer where that
            depends on how it was made.
        has_groups: Whether the channels fall into `groups`, each of which has inputs of its own, as in a convolution.
        gates: The gates of a recurrent layer, in the order in which they divide the last axis of its weights.
    """

    axes: Mapping[str, WeightAxes] | Callable[[Any], Mapping[str, WeightAxes]]
    has_groups: bool = False
    gates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Semantics:
    """What is known of one class of layers or operations; each default says that nothing is.

    Attributes:
        reach: What of its input one position of the output depends on. `"same position"`: the value there, beside the
            axes in `mixes`; inputs of other lengths are broadcast. `"everything"`: the whole of a sample.
            `"everything of a vector"`: the same, where it is given vectors; else it is unknown. A function: windows
            that move along the spatial axes, and all channels. `None`: unknown.
        mixes: Along which axes it mixes the values of one sample: the last, or those that its `axis` names. What its
            `activation` mixes comes on top.
        keeps_channel_axis: Whether the channels of its output lie on the axis on which they lie in its input.
        axis: What its `axis` names: the channels, or what is normalized, which are the channels in feature maps.
        reorders_steps: Whether it gives the steps of a sequence in another order; a function of the call, a node of
            Keras's graph, where that depends on its arguments. Layers that go backwards say so themselves.
        keeps_values: Whether it only gives the values of its one input another shape or dtype.
        keeps_flags: Whether it makes of ones and zeros alone ones and zeros again, each still a yes or no.
        gives_flags: Whether its output is a one for each thing that is there, and zeros.
        bounds: Between which values its output lies: two numbers, or those of its `activation`.
            `"gated activation"`: those of its `activation` as long as its gates are open from 0 to 1. A function of the
            layer where it depends on its options.
        bounded_outputs: How many of its outputs lie between the bounds, the first ones; `None` for all of them.
        weights: What the axes of its weights are. It holds for classes derived from it too.
        keeps_samples_apart: Whether each sample's output depends on that sample alone, whatever else is in the batch. A
            function tells it for one layer, or for one call of an operation that is no layer: a node of Keras's graph.
        scores: What it is on the way to attention scores: the product of queries and keys, or a step that scales, masks
            or normalizes the scores.
        prepares_input: Whether it stands before the network proper, so that nobody wants to see it first.
    """

    reach: Literal["same position", "everything", "everything of a vector"] | Windows | None = None
    mixes: Literal["last axis", "named axis"] | None = None
    keeps_channel_axis: bool = False
    axis: Literal["channels", "normalized"] | None = None
    reorders_steps: bool | Callable[[Any], bool] = False
    keeps_values: bool = False
    keeps_flags: bool = False
    gives_flags: bool = False
    bounds: Bounds | Literal["activation", "gated activation"] | Callable[[Any], Bounds | None] | None = None
    bounded_outputs: int | None = None
    weights: WeightLayout | None = None
    keeps_samples_apart: bool | Callable[[Any], bool] = False
    scores: Literal["product", "step"] | None = None
    prepares_input: bool = False


UNKNOWN = Semantics()
"""A class of which nothing is known, such as one of the user's."""
