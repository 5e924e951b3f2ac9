"""A layer or an operation looked up in the table, by its class."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import keras

from actwidget.capture.semantics.table.layers import CONV_LSTM_CELL, LAYERS
from actwidget.capture.semantics.table.operations import OPERATIONS
from actwidget.capture.semantics.table.semantics import UNKNOWN, Semantics
from actwidget.keras_internals.classes import ConvLSTMCell, operation_classes


@functools.cache
def rows() -> Mapping[type, Semantics]:
    """The table: each class of this release of Keras that has a row, with its row."""
    layers = {getattr(keras.layers, name, None): row for name, row in LAYERS.items()}
    operations = {operation_classes().get(name): row for name, row in OPERATIONS.items()}
    found = {ConvLSTMCell: CONV_LSTM_CELL, **layers, **operations}
    return {cls: row for cls, row in found.items() if cls is not None}


def semantics_of(operation: Any) -> Semantics:
    """What is known of the class of a layer or operation.

    A class that is derived from one of Keras's is another class, of which nothing is known, whatever its name.
    """
    return rows().get(type(operation), UNKNOWN)


def inherited_semantics(layer: Any) -> Semantics:
    """The same for what a derived class inherits and is not likely to change, as what the axes of its weights are."""
    return next((rows()[cls] for cls in type(layer).__mro__ if cls in rows()), UNKNOWN)
