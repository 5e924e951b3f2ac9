"""What is computed of a scan's kept samples once, whichever layer, view or batch is on screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from actwidget.errors import ActwidgetError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from actwidget.scanning.result import Scan
    from actwidget.scanning.space.projection import Projection
    from actwidget.scanning.space.similarity import Similarity

_KNOWN: WeakKeyDictionary[Scan, dict[Hashable, Any]] = WeakKeyDictionary()


def known(scan: Scan, key: Hashable, compute: Callable[[], Any]) -> Any:
    """A value that depends on the scan alone, or the error that it raises.

    Raises:
        ActwidgetError: As `compute` does.
    """
    kept = _KNOWN.setdefault(scan, {})
    if key not in kept:
        try:
            kept[key] = compute()
        except ActwidgetError as error:
            kept[key] = error
    if isinstance(kept[key], ActwidgetError):
        raise kept[key]
    return kept[key]


def is_known(scan: Scan, key: Hashable) -> bool:
    """Whether a value has been computed, or could not be."""
    return key in _KNOWN.get(scan, {})


def projection(scan: Scan, path: str, method: str) -> Projection:
    """The projection of a layer; see `Scan.projection`."""
    found: Projection = known(scan, ("projection", path, method), lambda: scan.projection(path, method))
    return found


def keep_similarity(scan: Scan, other: Scan | None, result: Similarity | ActwidgetError) -> None:
    """Keeps the similarity of all layers to each other or to those of another scan, or why there is none."""
    _KNOWN.setdefault(scan, {})["similarity", other] = result


def similarity_of(scan: Scan, other: Scan | None) -> Similarity | None:
    """The similarity of all layers to each other or to those of another scan; `None` if it has not been computed.

    Raises:
        ActwidgetError: It can't be.
    """
    if not is_known(scan, ("similarity", other)):
        return None
    found: Similarity = known(scan, ("similarity", other), lambda: None)
    return found
