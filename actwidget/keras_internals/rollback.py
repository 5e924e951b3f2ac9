"""Layers put back as they were where a first run of them fails: Keras keeps what a failed build has made."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras

from actwidget.keras_internals.layers import flat_layers


@contextmanager
def as_before_if_it_fails(model: keras.Model) -> Iterator[Callable[[], None]]:
    """Puts a model with layers that are not built yet back as it was, if what runs inside raises.

    Of a model that is all built a run changes none of what a build makes.

    Yields:
        A function that puts the model back, for a failure that is only told later.
    """
    if all(layer.built for layer in flat_layers(model)):
        yield lambda: None
        return
    held = _held(model)
    try:
        yield lambda: _put_back(held)
    except BaseException:
        _put_back(held)
        raise


Held = list[tuple[Any, list[Any]]]


def _held(layer: keras.Layer) -> Held:
    """The attributes of a layer and those inside it, and what the lists, dicts and sets among them hold.

    That is their weights, inner layers, whether they are built, and the shapes they were built for.
    """
    held: dict[int, tuple[Any, list[Any]]] = {}
    for each in flat_layers(layer):
        _hold(vars(each), held)
        _hold(vars(each._tracker), held)
    return list(held.values())


def _put_back(held: Held) -> None:
    for container, items in held:
        _refill(container, items)


def _hold(value: Any, held: dict[int, tuple[Any, list[Any]]]) -> None:
    """Notes what a list, dict or set holds, and what those in it hold."""
    if not isinstance(value, (list, tuple, dict, set)) or id(value) in held:
        return
    if not isinstance(value, tuple):
        held[id(value)] = (value, list(value.items()) if isinstance(value, dict) else list(value))
    inside = value.values() if isinstance(value, dict) else value
    for each in inside:
        _hold(each, held)


def _refill(container: Any, items: list[Any]) -> None:
    """Has a container hold some items again, past the methods by which Keras would track them anew."""
    now = list(container.items()) if isinstance(container, dict) else list(container)
    if len(now) == len(items) and all(_same(new, old) for new, old in zip(now, items, strict=True)):
        return
    if isinstance(container, list):
        list.__setitem__(container, slice(None), items)
    elif isinstance(container, set):
        set.clear(container)
        set.update(container, items)
    else:
        plain: Any = OrderedDict if isinstance(container, OrderedDict) else dict
        plain.clear(container)
        for key, value in items:
            plain.__setitem__(container, key, value)


def _same(new: Any, old: Any) -> bool:
    return new is old or (isinstance(new, tuple) and len(new) == 2 and all(map(lambda a, b: a is b, new, old)))
