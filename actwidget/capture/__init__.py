"""Keras in, arrays out: what can be selected in a model, and how its value is obtained."""

from __future__ import annotations

from actwidget.capture.access.activations import Activations, activations
from actwidget.capture.access.compare import compare
from actwidget.capture.access.session import Session
from actwidget.capture.access.submodel import submodel
from actwidget.capture.edits.edit import edit
from actwidget.capture.edits.layers import Ablate, Replace, Scale
from actwidget.capture.structure.keras_2.from_tf_keras import from_tf_keras
from actwidget.capture.structure.node import LayerNode
from actwidget.capture.trace import layer_tree

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
    "from_tf_keras",
    "layer_tree",
    "submodel",
]
