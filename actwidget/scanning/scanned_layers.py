"""Which layers a scan counts, and how much it may keep of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from actwidget.analysis.dtypes import is_numeric
from actwidget.capture.access.activations import chosen_nodes
from actwidget.capture.access.submodel import reason_against
from actwidget.errors import MemoryBudgetError
from actwidget.scanning.counting.sampled_quantiles import BYTES
from actwidget.scanning.counting.tally import Settings, Tally

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actwidget.capture.run.inputs import Batch
    from actwidget.capture.structure.model_graph import ModelGraph
    from actwidget.capture.structure.node import LayerNode


@dataclass(frozen=True)
class Options:
    """What a person asks for, checked.

    Attributes:
        layers: Selectors, or `None` for all layers that can be counted.
        settings: What is kept of each layer.
        batch_size: How many samples go through the model at a time, where the data does not say it.
        max_bytes: How many bytes the counts may take.
        skip: Whether a batch that raises is left out.
    """

    layers: Any
    settings: Settings
    batch_size: int
    max_bytes: float
    skip: bool


def scanned_nodes(graph: ModelGraph, batch: Batch, layers: Any) -> list[LayerNode]:
    """The nodes that the selectors match, or all that can be counted, in order of execution.

    Raises:
        LayerNotFoundError: A selector matches no layer, or several.
        NotCapturableError: A layer can't be captured.
    """
    nodes = chosen_nodes(graph, batch, layers)
    if layers is None:
        return [node for node in nodes if node.origin != "opaque" and (not node.dtype or is_numeric(node.dtype))]
    for node in nodes:
        if (error := reason_against(graph, node.path, batch)) is not None:
            raise error
    return nodes


def within_budget(shapes: dict[str, tuple[int, ...]], options: Options) -> Settings:
    """The settings with as many samples kept as fit into the budget.

    Raises:
        MemoryBudgetError: Even without kept samples the counts do not fit.
    """
    settings = options.settings
    channels = {path: shape[-1] for path, shape in shapes.items()}
    total = sum(channels.values())
    fixed = sum(count * (BYTES + 200 + settings.top * 8 * (3 + len(shapes[path]))) for path, count in channels.items())
    if fixed > options.max_bytes:
        largest = max(channels, key=channels.__getitem__)
        message = (
            f"To scan {len(shapes)} layers takes {fixed:,} bytes, more than max_bytes={options.max_bytes:,.0f}. "
            f"Choose fewer with layers=[...] (the largest is {largest!r} with {channels[largest]:,} channels), or give "
            "a larger max_bytes."
        )
        raise MemoryBudgetError(message)
    keep = int(min(settings.keep, (options.max_bytes - fixed) // max(1, 4 * total)))
    return replace(settings, keep=keep)


def check_labels(tallies: Mapping[str, Tally], options: Options) -> None:
    """Makes sure that the means by label fit into the budget.

    Raises:
        MemoryBudgetError: They do not.
    """
    for each in tallies.values():
        each.flush()
    labels = max((len(each.by_label.labels) for each in tallies.values()), default=0)
    taken = 16 * labels * sum(each.channels for each in tallies.values())
    if taken > options.max_bytes:
        message = (
            f"The means of {labels:,} labels take {taken:,} bytes, more than max_bytes={options.max_bytes:,.0f}. If "
            "the labels are no classes give data without them; else choose fewer layers, or give a larger max_bytes."
        )
        raise MemoryBudgetError(message)
