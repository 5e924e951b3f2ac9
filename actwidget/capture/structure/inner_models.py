"""A model whose class has no `call()`, as a VAE or a GAN with a `train_step` alone: the models that it holds."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras

from actwidget.capture.structure.call_names import sublayers
from actwidget.capture.structure.node import LayerNode
from actwidget.errors import UnsupportedModelError


def no_call(model: keras.Model) -> UnsupportedModelError:
    """The error for a model without `call()`: it names the models inside to look at, as Python reaches them."""
    names = _names(model)
    inside = [names[id(layer)] for layer in sublayers(model) if isinstance(layer, keras.Model) and id(layer) in names]
    said = f"Model {model.name!r} ({type(model).__name__}) has no call(), so it can't be run as a whole. "
    if inside:
        advice = f"Look at the models that it holds, {', '.join(inside)}: {inside[0]} in place of model."
    else:
        advice = "Give the class a call(self, inputs), or look at a model made of its layers, keras.Sequential([...])."
    return UnsupportedModelError(said + advice)


def without_call(model: keras.Model, nodes: tuple[LayerNode, ...]) -> tuple[LayerNode, ...]:
    """The nodes of what such a model holds, none of which can be had, with what to open in its place as the reason.

    Args:
        model: The model.
        nodes: A node for each of its layers, in their order.
    """
    names = _names(model)
    opaque = []
    for node, layer in zip(nodes, sublayers(model), strict=True):
        expression = names.get(id(layer), "")
        reason = f"is part of {type(model).__name__}, which has no call() to run"
        if expression and isinstance(layer, keras.Model):
            reason += f": open LayerExplorer({expression}, x)"
        elif expression:
            reason += f", and no model: wrap it, keras.Sequential([{expression}]), to look at it"
        opaque.append(_opaque(node, reason))
    return tuple(opaque)


def _opaque(node: LayerNode, reason: str) -> LayerNode:
    children = tuple(_opaque(child, reason) for child in node.children)
    return dataclasses.replace(node, origin="opaque", reason=reason, children=children)


def _names(model: keras.Model) -> dict[int, str]:
    """For the `id` of each layer that a model holds the expression by which Python reaches it."""
    names: dict[int, str] = {}

    def note(value: Any, expression: str) -> None:
        if isinstance(value, keras.Layer):
            names.setdefault(id(value), expression)
        elif isinstance(value, dict):
            for key, each in value.items():
                note(each, f"{expression}[{key!r}]")
        elif isinstance(value, (list, tuple)):
            for place, each in enumerate(value):
                note(each, f"{expression}[{place}]")

    for name, value in vars(model).items():
        if not name.startswith("_"):
            note(value, f"model.{name}")
    return names
