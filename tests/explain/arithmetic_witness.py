"""Checks of an `Arithmetic` that use nothing of how it was found out: the model run once more, and its activations."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import actwidget as aw
from actwidget.capture.trace import read
from actwidget.explain.computation import Computations

ROUNDING = {"float64": 1e-12, "float32": 2e-5, "float16": 2e-2, "bfloat16": 1e-1}


def alone(layer: keras.Layer, *shapes: tuple[int, ...], dtype: str = "float32") -> keras.Model:
    """A model of one layer, its weights drawn at random, so that no two of them are equal."""
    inputs = [keras.Input(shape, name=f"x{number}", dtype=dtype) for number, shape in enumerate(shapes)]
    model = keras.Model(inputs if len(inputs) > 1 else inputs[0], layer(inputs if len(inputs) > 1 else inputs[0]))
    shaken(model)
    return model


def shaken(model: keras.Model) -> keras.Model:
    """The model with all its weights drawn at random."""
    numbers = np.random.default_rng(0)
    for weight in model.weights:
        if "float" in str(weight.dtype):
            values = numbers.normal(size=weight.shape) * 0.5
            weight.assign(np.abs(values) + 0.1 if "variance" in weight.path else values)
    return model


def noise(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def places(shape: tuple[int, ...], count: int = 3) -> list[tuple[int, ...]]:
    """Some indices, the first and the last among them."""
    numbers = np.random.default_rng(0)
    drawn = [tuple(int(numbers.integers(length)) for length in shape) for _ in range(count)]
    return [(0,) * len(shape), tuple(length - 1 for length in shape), *drawn]


def leads_to_the_value(found: aw.Arithmetic, dtype: str = "float32") -> None:
    """The products and the bias add up, the steps end at the result, and that is the value."""
    assert found.result is not None, found.reason
    terms = list(found.terms)
    size = 1 + sum(abs(term.product) for term in terms) + abs(found.bias or 0)
    for term in terms:
        np.testing.assert_allclose(term.product, term.input * term.weight)
    total = sum(term.product for term in terms) + (found.bias or 0)
    last = found.steps[-1].value if found.steps else total
    np.testing.assert_allclose(last, found.result, atol=1e-9 * size)
    np.testing.assert_allclose(found.result, found.value, atol=ROUNDING[dtype] * size, rtol=ROUNDING[dtype])


class Checked:
    """A model on inputs, whose arithmetic is compared with its activations."""

    def __init__(self, model: keras.Model, inputs: Any) -> None:
        self.captured = aw.activations(model, inputs)
        self.computations = Computations(*read(model, inputs))

    def at(self, path: str, index: tuple[int, ...], dtype: str = "float32") -> aw.Arithmetic:
        """The arithmetic of a value, which leads to it, and whose terms are what the model's activations hold."""
        found = self.computations.arithmetic(path, index)
        leads_to_the_value(found, dtype)
        assert found.value == pytest.approx(float(self.captured[path][index]), rel=1e-5, abs=1e-6)
        for term in found.terms:
            for source, value in [(term, term.input), *((each, each.value) for each in term.weight_from)]:
                if source.path is None:
                    assert source.reason
                else:
                    held = float(self.captured[source.path][source.index])
                    assert value == pytest.approx(held, rel=1e-5, abs=1e-6)
        return found

    def everywhere(self, count: int = 1) -> None:
        """The same for some values of each path."""
        for path, value in self.captured.items():
            for index in places(value.shape, count):
                self.at(path, index)


def agrees_with_the_layer_without_a_value(model: keras.Model, inputs: np.ndarray, found: aw.Arithmetic) -> None:
    """If a value of the input is zero, a linear layer gives as much less as the term says."""
    output = keras.ops.convert_to_numpy(model(inputs))
    chosen = [*range(len(found.terms))][:: max(1, len(found.terms) // 2)]
    for term in [found.terms[each] for each in chosen]:
        changed = inputs.copy()
        changed[term.index] = 0
        less = output[found.index] - keras.ops.convert_to_numpy(model(changed))[found.index]
        np.testing.assert_allclose(less, term.product, atol=1e-4 * (1 + abs(output[found.index])))
