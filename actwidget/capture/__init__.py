"""Keras in, arrays out: what can be selected in a model, and how its value is had."""

from __future__ import annotations

from actwidget.capture.node import LayerNode
from actwidget.capture.session import Activations, Session, activations
from actwidget.capture.submodel import submodel
from actwidget.capture.tree import layer_tree

__all__ = ["Activations", "LayerNode", "Session", "activations", "layer_tree", "submodel"]
