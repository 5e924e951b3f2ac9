"""Which layer an explorer opens on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actwidget.capture.structure.node import LayerNode

_PREPROCESSING = {"InputLayer", "Normalization", "Rescaling", "StringLookup", "IntegerLookup", "TextVectorization"}


def first_worth_seeing(tree: LayerNode) -> str:
    """The first layer with weights that is no preprocessing, else the first that is no input.

    Where nothing can be had it is the first node of all, which says why.
    """
    nodes = [node for node in tree if node.origin != "opaque"]
    learned = [node for node in nodes if node.parameters and node.class_name not in _PREPROCESSING]
    rest = [node for node in nodes if node.class_name not in _PREPROCESSING]
    return (learned or rest or nodes or list(tree))[0].path
