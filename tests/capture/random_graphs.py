"""Random small models for hypothesis: branching, shared and nested in each other, functional and not.

All tensors are of shape `(batch, WIDTH)`, so that whatever is drawn fits together. Nothing of actwidget is used here.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from hypothesis import strategies as st
from keras import layers, ops

if TYPE_CHECKING:
    from collections.abc import Callable

WIDTH = 3
# Few, and some of them like a repeated call, a second output or a second sibling: they shall meet.
NAMES = ("a", "b", "a@1", "a~2", "b:1")


class Block(keras.layers.Layer):
    """Runs a drawn list of layers, of which one can stand in it several times, and adds what came in."""

    def __init__(self, held: list[keras.Layer], order: list[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.held, self.order = held, order

    def build(self, shape: Any) -> None:
        for layer in self.held:
            if not layer.built:
                layer.build(shape)

    def compute_output_shape(self, shape: Any) -> Any:
        return shape

    def call(self, inputs: Any) -> Any:
        value = inputs
        for index in self.order:
            value = self.held[index](value)
        return inputs + value


class Split(keras.layers.Layer):
    """A layer of two outputs."""

    def call(self, inputs: Any) -> Any:
        return ops.tanh(inputs), ops.flip(inputs, axis=1)


class Looping(keras.Model):
    """A subclassed model around a drawn one, called `times` times."""

    def __init__(self, inner: Any, times: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.inner, self.times, self.idle = inner, times, layers.Dense(2, name="idle")

    def build(self, shape: Any) -> None:
        self.idle.build(shape)
        if not self.inner.built:
            self.inner.build(shape)

    # Keras would trace `call` to learn it, and TensorFlow takes no name with an @ as that of a first scope.
    def compute_output_shape(self, shape: Any) -> Any:
        return shape

    def call(self, inputs: Any) -> Any:
        for _ in range(self.times):
            inputs = self.inner(inputs)
        return inputs


def _dense(name: str) -> keras.Layer:
    return layers.Dense(WIDTH, activation="tanh", name=name)


@st.composite
def _held_layers(draw: st.DrawFn) -> tuple[list[keras.Layer], list[int]]:
    """Dense layers, of which two can have one name, and the order in which they are called."""
    held = [_dense(name) for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3))]
    return held, draw(st.lists(st.integers(0, len(held) - 1), min_size=1, max_size=4))


@st.composite
def _parts(draw: st.DrawFn, depth: int, name: str) -> Callable[[Any], Any]:
    """Something with layers inside, to be called once or more."""
    kind = draw(st.sampled_from(["functional", "functional", "sequential", "block", "subclassed"]))
    if kind == "functional" and depth > 0:
        return draw(_graphs(depth - 1, name))
    if kind == "sequential":
        names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
        return keras.Sequential([keras.Input((WIDTH,)), *map(_dense, names)], name=name)
    if kind == "subclassed" and depth > 0:
        return Looping(draw(_parts(depth - 1, "inner")), draw(st.integers(1, 2)), name=name)
    held, order = draw(_held_layers())
    return Block(held, order, name=name)


# How a step makes tensors from those that are there: `pick` gives one of them, `name` is one that is still free.
STEPS: dict[str, Callable[[Callable[[], Any], str], list[Any]]] = {
    "add": lambda pick, name: [layers.Add(name=name)([pick(), pick()])],
    "concatenate": lambda pick, name: [_dense(name)(layers.Concatenate()([pick(), pick()]))],
    "relu": lambda pick, _: [ops.relu(pick())],
    "plus": lambda pick, _: [pick() + pick()],
    "times": lambda pick, _: [pick() * pick() - 0.5],
    "slice": lambda pick, _: [ops.flip(pick(), axis=1)[:, :]],
    "split": lambda pick, name: list(Split(name=name)(pick())),
}


@st.composite
def _graphs(draw: st.DrawFn, depth: int, name: str) -> keras.Model:
    """A functional model of one input and one output, its layers' names all different."""
    tensors = [keras.Input((WIDTH,), name="x")]
    shared: list[Callable[[Any], Any]] = []
    free = [*draw(st.permutations(NAMES)), "c", "d"]
    steps = st.sampled_from([*STEPS, "dense", "dense", "part", "part", "part", "again", "again", "again"])

    def pick() -> Any:
        return draw(st.sampled_from(tensors))

    for step in draw(st.lists(steps, min_size=1, max_size=5)):
        if step in STEPS:
            tensors += STEPS[step](pick, free.pop(0))
            continue
        if step != "again" or not shared:
            shared.append(draw(_parts(depth, free.pop(0))) if step == "part" else _dense(free.pop(0)))
        tensors.append(draw(st.sampled_from(shared))(pick()))
    # Joined with the input, so that no graph is without it.
    return keras.Model(tensors[0], layers.Average(name="out")([tensors[-1], pick(), tensors[0]]), name=name)


@st.composite
def random_models(draw: st.DrawFn, max_depth: int = 3) -> tuple[keras.Model, np.ndarray]:
    """A model up to `max_depth` models deep, and a batch of shape `(1 to 4, WIDTH)` for it.

    Mostly functional, now and then a subclassed one around it. Every weight, biases too, is drawn from one seed.
    """
    state = random.getstate()  # Keras draws seeds from it, and hypothesis wants it left alone
    model = draw(_graphs(draw(st.integers(0, max_depth - 1)), "model"))
    if draw(st.integers(0, 3)) == 3:
        model = Looping(model, draw(st.integers(1, 2)), name="around")
    numbers = np.random.default_rng(draw(st.integers(0, 99)))
    batch = numbers.normal(size=(draw(st.integers(1, 4)), WIDTH)).astype("float32")
    model(batch)
    for variable in model.trainable_variables:
        variable.assign(numbers.normal(size=variable.shape).astype("float32"))
    random.setstate(state)
    return model, batch
