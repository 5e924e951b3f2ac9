"""`Arithmetic`: one value of a layer with the terms that it is the sum of, as `arithmetic` gives it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, overload

import numpy as np

from actwidget.capture.run.conversion import Array

Index = tuple[int, ...]
SHOWN = 5
"""How many terms are written out in `text`, the largest ones."""


@dataclass(frozen=True)
class Source:
    """A captured value that goes into a computation.

    Attributes:
        path: The path whose activation it is, to be asked for by `arithmetic(model, inputs, path, index)`; `None` where
            no path has it.
        index: Its index in that activation, the sample first. Where there is no path, that in the tensor itself.
        value: The value.
        reason: Why there is no path; otherwise `""`.
    """

    path: str | None
    index: Index
    value: float
    reason: str = ""


@dataclass(frozen=True)
class Term:
    """One product of a sum.

    Attributes:
        path: The path of the activation that holds the value it takes; `None` where no path has it.
        index: The index of the value in that activation, the sample first.
        input: The value.
        weight: What it is multiplied with.
        product: The product, `input * weight`.
        weight_from: The captured values that the weight is made of, such as an attention score; none where it comes of
            the layer's weights and options alone. Where no path has the input itself, those that it is made of.
        reason: Why there is no path; otherwise `""`.
    """

    path: str | None
    index: Index
    input: float
    weight: float
    product: float
    weight_from: tuple[Source, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Step:
    """Something that is done after the sum, such as an activation function.

    Attributes:
        name: What is done, or the statistic that it needs, such as `"relu"`, `"softmax"` or `"mean"`.
        value: The value after it, or that of the statistic.
    """

    name: str
    value: float


@dataclass(frozen=True)
class Given:
    """A tensor that a layer was given.

    Attributes:
        path: The path whose activation it is; `None` where no path has it.
        shape: Its shape, the samples first.
        reason: Why there is no path; otherwise `""`.
    """

    path: str | None
    shape: tuple[int, ...]
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Products:
    """Terms that take values of one tensor.

    Attributes:
        path: The path of the tensor, `None` where it has none.
        reason: Why it has none.
        indices: The index of each value in the activation, shape `(terms, axes)`.
        inputs: The values, shape `(terms,)`.
        weights: What each is multiplied with, shape `(terms,)`.
        weight_from: For the number of a term the captured values that its weight is made of.
    """

    path: str | None
    reason: str
    indices: Array
    inputs: Array
    weights: Array
    weight_from: Callable[[int], tuple[Source, ...]] | None = None

    @property
    def products(self) -> Array:
        """The products, shape `(terms,)`."""
        return self.inputs * self.weights

    def moved(self, place: Callable[[Index], Index]) -> Products:
        """The same with other indices.

        Args:
            place: From the index of a value to the new one.
        """
        made = self.weight_from

        def sources(number: int) -> tuple[Source, ...]:
            return tuple(replace(each, index=place(each.index)) for each in (made(number) if made is not None else ()))

        indices = np.array([place(tuple(index)) for index in self.indices.tolist()], int).reshape(self.indices.shape)
        return replace(self, indices=indices, weight_from=None if made is None else sources)

    def __getitem__(self, number: int) -> Term:
        """One term by its number."""
        given, weight = float(self.inputs[number]), float(self.weights[number])
        sources = () if self.weight_from is None else self.weight_from(number)
        index = tuple(map(int, self.indices[number]))
        return Term(self.path, index, given, weight, given * weight, sources, self.reason)


class Terms(Sequence[Term]):
    """The terms of a sum, in the order in which they are added; each `Term` is made when it is asked for.

    Attributes:
        inputs: The inputs of all terms, shape `(terms,)`.
        weights: Their weights, shape `(terms,)`.
        products: Their products, shape `(terms,)`.
        groups: The terms by the tensors whose values they take.
    """

    def __init__(self, groups: Sequence[Products] = ()) -> None:
        """Puts groups of terms one behind the other."""
        self.groups: Sequence[Products] = [group for group in groups if len(group.inputs)]
        self._ends = np.cumsum([len(group.inputs) for group in self.groups])
        self.inputs: Array = _joined([group.inputs for group in self.groups])
        self.weights: Array = _joined([group.weights for group in self.groups])
        self.products: Array = _joined([group.products for group in self.groups])

    def __len__(self) -> int:
        """How many terms there are."""
        return len(self.products)

    @overload
    def __getitem__(self, index: int) -> Term: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Term, ...]: ...
    def __getitem__(self, index: int | slice) -> Term | tuple[Term, ...]:
        """One term, or some of them."""
        if isinstance(index, slice):
            return tuple(self[each] for each in range(len(self))[index])
        number = range(len(self))[index]
        place = int(np.searchsorted(self._ends, number, side="right"))
        return self.groups[place][number - (int(self._ends[place - 1]) if place else 0)]

    def largest(self, count: int) -> list[int]:
        """The numbers of the terms with the largest products, whatever their signs, the largest first.

        Args:
            count: How many.
        """
        return [int(each) for each in np.argsort(-np.abs(self.products), kind="stable")[:count]]

    def moved(self, place: Callable[[Index], Index]) -> Terms:
        """The same terms with other indices.

        Args:
            place: From the index of a value to the new one.
        """
        return Terms([group.moved(place) for group in self.groups])

    def __repr__(self) -> str:
        """How many there are, and the first ones."""
        more = ", ..." if len(self) > 3 else ""
        return f"Terms({len(self)}: {', '.join(map(repr, self[:3]))}{more})"


@dataclass(frozen=True, eq=False)
class Arithmetic:
    """How one value of a layer is computed.

    The products of the terms and the bias add up, then the steps follow in order; the last of them gives `result`.

    Attributes:
        path: The path of the layer's activation.
        index: The index of the value in it, the sample first.
        value: The value, as captured.
        result: The same computed from the terms, the bias and the steps; `None` where the arithmetic is not known.
        terms: What is added up. A padded place is no term, and neither is an initial state of zeros.
        bias: What is added to the sum of the products; `None` where there is no bias.
        steps: What is done after the sum, in order, with the value after each. The statistics of a normalisation stand
            before the step that gives its value.
        inputs: The tensors that the layer was given, in the order in which it was given them.
        reason: Why the arithmetic is not known, in a sentence; `""` where it is.
        total: The sum of the products and the bias, before the steps; `None` if it is the result.
    """

    path: str
    index: Index
    value: float
    result: float | None
    terms: Terms
    bias: float | None = None
    steps: tuple[Step, ...] = ()
    inputs: tuple[Given, ...] = ()
    reason: str = ""
    total: float | None = field(default=None)

    @property
    def text(self) -> str:
        """The sum written out: the largest terms, the sum of the rest, the bias, and each step.

        Example:
            >>> indices = np.array([[0, 0], [0, 1]])
            >>> terms = Terms([Products("x", "", indices, np.array([2.0, 3.0]), np.array([1.0, -1.0]))])
            >>> Arithmetic("dense", (0, 0), 0.0, 0.0, terms, 0.5, (Step("relu", 0.0),), total=-0.5).text
            'dense[0, 0] = 3 × -1 + 2 × 1 + bias 0.5 = -0.5; relu: 0'
        """
        name = f"{self.path}[{', '.join(map(str, self.index))}]"
        if self.result is None:
            return f"{name} = {number(self.value)}. {self.reason}"
        shown = self.terms.largest(SHOWN)
        parts = [f"{number(self.terms.inputs[each])} × {number(self.terms.weights[each])}" for each in shown]
        if (others := len(self.terms) - len(shown)) > 0:
            rest = self.terms.products.sum() - self.terms.products[shown].sum()
            parts.append(f"{number(rest)} ({others:,} more)")
        if self.bias is not None:
            parts.append(f"bias {number(self.bias)}")
        total = self.result if self.total is None else self.total
        steps = "".join(f"; {step.name}: {number(step.value)}" for step in self.steps)
        return f"{name} = {' + '.join(parts) or '0'} = {number(total)}{steps}"

    def of_sample(self, sample: int) -> Arithmetic:
        """The same for another sample of a batch than the first, where the first one stands for it.

        Args:
            sample: The number of the sample in the batch.
        """

        def moved(index: Index) -> Index:
            return (index[0] + sample, *index[1:]) if index else index

        return replace(self, index=moved(self.index), terms=self.terms.moved(moved))

    def __repr__(self) -> str:
        """The path, the index and the value in one line."""
        return f"Arithmetic({self.text})"


def number(value: Any) -> str:
    """A number as a person reads it, with four significant digits."""
    return f"{float(value):.4g}"


def _joined(arrays: list[Array]) -> Array:
    return np.concatenate(arrays) if arrays else np.zeros(0)
