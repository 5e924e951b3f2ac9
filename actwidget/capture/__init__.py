"""Keras in, arrays out: what can be selected in a model, and how its value is had."""

from __future__ import annotations

from actwidget.capture.ablate import Ablate, Replace, Scale
from actwidget.capture.compare import compare
from actwidget.capture.edit import edit
from actwidget.capture.node import LayerNode
from actwidget.capture.session import Activations, Session, activations
from actwidget.capture.submodel import submodel
from actwidget.capture.tree import layer_tree

__all__ = [
    "Ablate",
    "Activations",
    "LayerNode",
    "Replace",
    "Scale",
    "Session",
    "activations",
    "compare",
    "edit",
    "layer_tree",
    "submodel",
]
