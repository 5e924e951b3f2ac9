"""What one call of `attributions` is to compute, and the passes that all methods make."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from actwidget.explain.attribution.result import Attributions
from actwidget.explain.differentiation.compiled_pass import Pass
from actwidget.explain.differentiation.passes import Passes, Result
from actwidget.explain.differentiation.places import Place
from actwidget.explain.differentiation.points import Mode
from actwidget.explain.differentiation.target import Target

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Settings:
    """The options of the methods, as `attributions` takes them, checked."""

    method: str
    baseline: Any = None
    steps: int = 50
    samples: int = 25
    noise: float = 0.15
    patch: Any = None
    stride: Any = None
    seed: int = 0
    batch_size: int = 32


@dataclass(frozen=True, eq=False)
class Partial:
    """The state of a method while it runs.

    Attributes:
        done: How many passes of one sample are done.
        total: How many there are in all.
        make: Makes the attributions so far.
    """

    done: int
    total: int
    make: Callable[[], Attributions]

    @property
    def attributions(self) -> Attributions:
        """The attributions so far; those of the last state are the result."""
        return self.make()


@dataclass(eq=False)
class Job:
    """What is to be computed.

    Attributes:
        passes: The passes of the model on the batch.
        settings: The options.
        places: For each flat input, or for the layer alone, where attributions are taken.
        at_layer: Whether a layer was asked for.
    """

    passes: Passes
    settings: Settings
    places: list[Place | None]
    at_layer: bool

    @property
    def taken(self) -> list[Place]:
        """The places where there is something to take."""
        return [place for place in self.places if place is not None]

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of those that are activations inside the model."""
        return tuple(place.path for place in self.taken if place.index is None)

    def pass_at(self, mode: Mode, *, gradients: bool = True, wanted: tuple[str, ...] = ()) -> Pass:
        """A pass with a point at each place."""
        return Pass(tuple(place.point(mode) for place in self.taken), wanted, gradients)

    def parts(
        self, what: Pass, count: int, given: Callable[[Array], Sequence[Array]]
    ) -> Iterator[tuple[Array, Result]]:
        """Makes passes for `count` variants of each sample, in parts of the batch size, or of what memory allows.

        Args:
            what: The pass.
            count: How many variants.
            given: From the numbers of variants, in which the samples vary fastest, to what goes in at each point.

        Yields:
            The numbers of the variants in a part, and what the pass gave for them.

        Raises:
            NotCapturableError: The target does not depend on a place.
        """
        size = self.passes.batch.size
        rows = min(self.settings.batch_size, self.passes.most_rows) if self.passes.rows_apart else size
        for start in range(0, count * size, rows):
            numbers = np.arange(start, min(start + rows, count * size))
            result = self.passes.run(what, numbers % size, given(numbers))
            if what.gradients:
                for place, gradient in zip(self.taken, result.gradients, strict=True):
                    if gradient is None:
                        raise self.passes.no_way(place.path or place.name)
            yield numbers, result

    def start(self) -> Start:
        """Runs the batch once as it is; after that the class of each sample is fixed."""
        found = Collected(self.passes.batch.size)
        for numbers, result in self.parts(Pass((), self.paths, gradients=False), 1, lambda _: ()):
            found.add(numbers, result)
        self.fix(found.classes)
        return Start(found.scores, found.classes, [self.origin(place, found.values) for place in self.taken])

    def fix(self, classes: Array | None) -> None:
        """Fixes the class of each sample, which all further passes are about."""
        if self.passes.target.kind == "top" and classes is not None:
            self.passes.target = Target("class", classes)

    def origin(self, place: Place, values: dict[str, Array]) -> Array:
        """The values at a place, of which those inside the model are among the activations of a pass."""
        return self.input_array(place.index) if place.index is not None else values[place.path]

    def input_array(self, index: int) -> Array:
        """The values of an input, as floats."""
        array: Array = keras.tree.flatten(self.passes.batch.value)[index]
        return array

    @property
    def origins(self) -> list[Array] | None:
        """The values at the places, if no pass is needed for them."""
        indices = [place.index for place in self.taken]
        if None in indices:
            return None
        return [self.input_array(number) for number in indices if number is not None]

    def result(
        self,
        arrays: Sequence[Array],
        scores: Array,
        classes: Array | None,
        delta: Array | None = None,
    ) -> Attributions:
        """The attributions from the arrays for each place."""
        values: list[Any] = []
        magnitudes: list[Any] = []
        layers: list[str | None] = []
        waiting = iter(arrays)
        for place in self.places:
            if place is None:
                values.append(None)
                magnitudes.append(None)
                layers.append(None)
                continue
            array = next(waiting)
            of_tokens = place.stands_for is not None and _has_vectors(array, self.input_array(place.stands_for))
            squares = np.sqrt(np.sum(np.square(array), axis=-1)) if of_tokens else array
            values.append(array.sum(axis=-1) if of_tokens else array)
            magnitudes.append(squares)
            layers.append(place.path if place.index is None else "")
        is_norm = self.settings.method == "saliency" and any(place.stands_for is not None for place in self.taken)
        return Attributions(
            self._packed(values),
            classes,
            scores,
            delta,
            self.settings.method,
            self._packed(layers) if any(layers) else "",
            self.passes.answer.pre_activation,
            self.passes.model.name,
            self.passes.batch.value,
            self._packed(magnitudes) if is_norm else None,
            [] if self.at_layer else self.passes.batch.columns,
        )

    def _packed(self, values: list[Any]) -> Any:
        if self.at_layer or len(values) == 1:
            return values[0]
        return keras.tree.pack_sequence_as(self.passes.batch.value, values)


def _has_vectors(array: Array, given: Array) -> bool:
    """Whether what stands behind an input has a vector for each token, of which a text may have any number."""
    return array.ndim > 2 if given.dtype.kind in "OUS" else array.ndim == given.ndim + 1


@dataclass(frozen=True, eq=False)
class Start:
    """What the batch gives as it is.

    Attributes:
        scores: The target's value, shape `(samples,)`.
        classes: The class of each sample; `None` for a callable.
        origins: The values at each place.
    """

    scores: Array
    classes: Array | None
    origins: list[Array]


class Collected:
    """What passes give for the samples of a batch, put together; zeros where no pass has been.

    Attributes:
        scores: The target's value, shape `(samples,)`.
        classes: The class of each sample; `None` for a callable.
        gradients: The gradients at each point.
        values: The activations by path.
    """

    def __init__(self, size: int) -> None:
        """Expects the results for `size` samples."""
        self.scores: Array = np.zeros(size, np.float32)
        self.classes: Array | None = None
        self.gradients: list[Array] = []
        self.values: dict[str, Array] = {}
        self._size = size

    def add(self, numbers: Array, result: Result) -> None:
        """Puts in what a pass gave for some samples."""
        self.scores[numbers] = result.scores
        if result.classes is not None:
            self.classes = self._put(self.classes, numbers, result.classes)
        gradients = [gradient for gradient in result.gradients if gradient is not None]
        wholes: list[Array | None] = [*self.gradients] or [None] * len(gradients)
        self.gradients = [self._put(whole, numbers, part) for whole, part in zip(wholes, gradients, strict=True)]
        for path, value in result.values.items():
            self.values[path] = self._put(self.values.get(path), numbers, value)

    def _put(self, whole: Array | None, numbers: Array, part: Array) -> Array:
        if len(numbers) == self._size:
            return part
        whole = np.zeros((self._size, *part.shape[1:]), part.dtype) if whole is None else whole
        whole[numbers] = part
        return whole
