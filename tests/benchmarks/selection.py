"""Python's work for one selection, by part, beside the bare call of the sub-model."""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from statistics import median
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import keras
from networks import network, spread_over
from table import Row

import actwidget as aw
from actwidget.capture.access import forward_pass
from actwidget.explorer import drawing, explorer, measurements
from actwidget.explorer.views import channels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CALL = "bare call of the sub-model"
PARTS = {
    CALL: [(keras.Model, "__call__")],
    "sub-model built": [(forward_pass, "connect")],
    "statistics": [(measurements, "statistics")],
    "histogram": [(measurements, "histogram")],
    "picture": [(channels, "picture")],
    "figure": [(channels, "activation_spec")],
    "message": [(drawing, "serialize")],
    "code": [(explorer, "keras_code")],
}
REST = "widgets and the rest"


class Clock:
    """Adds up the time spent in each part, without the parts inside it."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self._inner: list[float] = []

    def timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, with its time added to `part`."""

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            self._inner.append(0.0)
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                whole = time.perf_counter() - start
                self.spent[part] += whole - self._inner.pop()
                if self._inner:
                    self._inner[-1] += whole

        return wrapper

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Times all parts."""
        with contextlib.ExitStack() as stack:
            for part, places in PARTS.items():
                for owner, name in places:
                    stack.enter_context(patch.object(owner, name, self.timed(part, getattr(owner, name))))
            yield


def selections(name: str, layers: int, repeats: int) -> list[Row]:
    """Selects layers not seen before, from code, with no front end connected."""
    model, x = network(name)
    view = aw.LayerExplorer(model, x)
    paths = spread_over(view.tree, layers)
    by_part: dict[str, list[float]] = defaultdict(list)
    for path in paths:
        taken: dict[str, list[float]] = defaultdict(list)
        for _ in range(repeats):
            view.layer = view.tree.children[0].path
            _forget(view)
            clock = Clock()
            with clock.watching():
                clock.timed(REST, lambda chosen=path: setattr(view, "layer", chosen))()
            for part in (*PARTS, REST):
                taken[part].append(clock.spent[part] * 1000)
            taken["beyond"].append(sum(taken[part][-1] for part in (*PARTS, REST) if part != CALL))
        for part, values in taken.items():
            by_part[part].append(median(values))
    bare = median(by_part[CALL])
    rows = [Row.of("all beyond the bare call", by_part["beyond"], "ms", goal=60, base=bare, base_name="the bare call")]
    rows += [Row.of(f"  {part}", by_part[part], "ms") for part in (*PARTS, REST) if part != CALL]
    view.close()
    return [Row.of(CALL, by_part[CALL], "ms"), *rows]


def _forget(view: aw.LayerExplorer) -> None:
    view._explorer.session.clear()
    view._explorer.inspector.clear()
