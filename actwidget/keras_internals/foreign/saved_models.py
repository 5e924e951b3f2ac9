"""The signatures of a SavedModel, read from its file without loading it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

Signatures = Mapping[str, Mapping[str, Any]]
"""From the name of each function that can be called to what it takes, as `tf.TensorSpec`s by name."""


def signatures_in(folder: str) -> Signatures:
    """The signatures of the SavedModel in a folder; none if its file can't be read."""
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel()
    try:
        saved.ParseFromString((Path(folder) / "saved_model.pb").read_bytes())
        found = saved.meta_graphs[0].signature_def
    except Exception:  # noqa: BLE001 - a file that is cut off or of another kind; whoever loads it is told why
        return {}
    return {
        name: {each: tf.TensorSpec(tf.TensorShape(of.tensor_shape), of.dtype) for each, of in signature.inputs.items()}
        for name, signature in found.items()
        if signature.inputs
    }
