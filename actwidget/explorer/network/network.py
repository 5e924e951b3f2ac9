"""`Network`: what is known of all layers of a model together."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from actwidget.analysis.pixels.strip import strip
from actwidget.capture.access.cache import Key
from actwidget.explorer.network.costs import network_cost

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from actwidget.analysis.pixels.levels import Pixels
    from actwidget.analysis.summary import Summary
    from actwidget.capture.access.session import Session
    from actwidget.capture.run.batch_parts import Captured
    from actwidget.capture.structure.node import LayerNode
    from actwidget.explorer.layer_values import LayerValues
    from actwidget.explorer.measurements import Measurements
    from actwidget.explorer.network.costs import NetworkCost
    from actwidget.explorer.scanned.numbers import Numbers

COSTS, PICTURES = "costs", "pictures"
"""The kinds of cache entries with the costs, and with pictures of all layers."""


class Network:
    """All layers of a model together, on one batch."""

    def __init__(self, session: Session, values: LayerValues, measurements: Measurements, numbers: Numbers) -> None:
        """Computes nothing yet."""
        self._numbers = numbers
        self._session = session
        self._values = values
        self._measurements = measurements

    @property
    def tree(self) -> LayerNode:
        """The root of the model's layer tree."""
        return self._session.graph.tree

    def layers_and_others(self, paths: Iterable[str]) -> tuple[int, int]:
        """To how many layers some paths of the tree belong, and how many of them belong to none.

        The cell and the gates of an LSTM belong to the LSTM. An operation such as `add` belongs to no layer.
        """
        owners = [self._session.graph.layer_of(path) for path in paths]
        return len({id(owner) for owner in owners if owner is not None}), owners.count(None)

    def summaries(self) -> list[Summary]:
        """A summary of each row; see `Numbers.summaries`.

        Raises:
            CaptureError: The forward pass failed.
        """
        return self._numbers.summaries()

    def too_large(self) -> list[str]:
        """The paths without a summary because their values are larger than the budget."""
        return [path for path in self._measurements.too_large() if not self._numbers.rests_on_scan(path)]

    def without_value(self) -> list[str]:
        """The paths without a summary because they gave no tensor for this batch."""
        return [path for path in self._measurements.without_value() if not self._numbers.rests_on_scan(path)]

    def cost(self) -> NetworkCost:
        """What the layers cost. The time is measured when this is first asked for.

        Raises:
            CaptureError: The forward pass failed.
        """
        session, key = self._session, Key("", COSTS)
        if (found := session.kept.get(key)) is None:
            session.graph.check()
            found = network_cost(session)
            session.kept.put(key, found, 200 * len(found.layers))
        return cast("NetworkCost", found)

    def pictures(self, sample: int) -> dict[str, Pixels]:
        """A small picture of each layer with numeric values for one sample, by path; see `strip`.

        Raises:
            CaptureError: The forward pass failed.
        """
        kept, key = self._session.kept, Key("", PICTURES, sample)
        if (found := kept.get(key)) is None:
            found = dict(self._pictures(sample))
            kept.put(key, found, sum(picture.nbytes for picture in found.values()))
        return cast("dict[str, Pixels]", found)

    def _pictures(self, sample: int) -> Iterator[tuple[str, Pixels]]:
        session = self._session
        paths = [summary.path for summary in self._measurements.summaries()]
        size = 0 if session.batch is None else session.batch.size
        for path, captured in session.walk([path for path in paths if session.fits(path)]):
            row = captured.row(sample, size).value
            yield path, strip(self._values.channels_last(path, row[None])[0])
        found: dict[str, Pixels] = {}

        def take(path: str, first: int, part: Captured) -> None:
            if first <= sample < first + len(part.value):
                found[path] = strip(self._values.channels_last(path, part.value[sample - first :][:1])[0])

        for group in self._measurements.groups([path for path in paths if not session.fits(path)]):
            session.stream(group, take)
        yield from found.items()
