"""Keeps a history within a number of bytes, so that what is left of it is spread evenly over the training."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from actwidget.training.records import LayerRecord, Record


class Evenly:
    """Which moments of a training are kept: each one, then every second, every fourth and so on; always the latest."""

    def __init__(self) -> None:
        """Keeps none yet."""
        self._every = 1
        self._count = 0
        self._kept: dict[int, int] = {}  # from the step to the number of its moment

    def add(self, step: int) -> set[int]:
        """Adds the latest moment.

        Returns:
            The steps of the moments that are not kept any more: the one before, if it was kept only as the latest.
        """
        gone = self._beyond()
        self._kept[step] = self._count
        self._count += 1
        return gone

    def halve(self) -> set[int]:
        """Keeps every second one of what is kept, and the latest; returns the steps of the others."""
        self._every *= 2
        latest = next(reversed(self._kept))
        number = self._kept.pop(latest)
        gone = self._beyond()
        self._kept[latest] = number
        return gone

    def __len__(self) -> int:
        return len(self._kept)

    def _beyond(self) -> set[int]:
        gone = {step for step, number in self._kept.items() if number % self._every}
        self._kept = {step: number for step, number in self._kept.items() if step not in gone}
        return gone


class Budget:
    """The records of a history, and the pictures in it, each within a number of bytes."""

    def __init__(self, records: int, pictures: int) -> None:
        """Starts with an empty history.

        Args:
            records: The most bytes of numbers.
            pictures: The most bytes of pictures.
        """
        self._most = records, pictures
        self._moments, self._pictured = Evenly(), Evenly()
        self._bytes = [0, 0]

    def add(self, history: list[Record], record: Record) -> None:
        """Adds a record to a history, and takes out what is too much. Two moments at least keep their numbers."""
        before = history[-1].layers if history else {}
        new = [layer for path, layer in record.layers.items() if before.get(path) is not layer]
        self._bytes[0] += nbytes_of(new)
        self._bytes[1] += pictures_nbytes(new)
        history.append(record)
        for moments, take_out, count, place in (
            (self._moments, _without, nbytes_of, 0),
            (self._pictured, _bare, pictures_nbytes, 1),
        ):
            gone = moments.add(record.step)
            while gone or (self._bytes[place] > self._most[place] and len(moments) > 2):
                history[:] = take_out(history, gone or moments.halve())
                self._bytes[place] = count(layer for each in history for layer in each.layers.values())
                gone = set()


def _without(history: list[Record], steps: set[int]) -> list[Record]:
    return [record for record in history if record.step not in steps]


def _bare(history: list[Record], steps: set[int]) -> list[Record]:
    """A history without the pictures of some steps."""
    bare: dict[int, LayerRecord] = {}  # what several records share stays one object

    def without(layer: LayerRecord) -> LayerRecord:
        return bare.setdefault(id(layer), replace(layer, picture=None))

    return [
        replace(record, layers={path: without(layer) for path, layer in record.layers.items()})
        if record.step in steps
        else record
        for record in history
    ]


def nbytes_of(layers: Iterable[LayerRecord]) -> int:
    """About how many bytes some numbers take together; what is there several times counts once."""
    return sum(layer.nbytes for layer in {id(layer): layer for layer in layers}.values())


def pictures_nbytes(layers: Iterable[LayerRecord]) -> int:
    """How many bytes the pictures of some layers take together; what is there several times counts once."""
    pictures = {id(layer.picture): layer.picture for layer in layers if layer.picture is not None}
    return sum(picture.nbytes for picture in pictures.values())
