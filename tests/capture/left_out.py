"""The models of the zoos that Keras can't build or call on the backend in use.

tests/capture/test_left_out.py holds that this is so of each of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import keras

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Build = TypeVar("Build", bound="Callable[..., object]")

# Only TensorFlow has tensors of text, ragged tensors, SavedModels and tf.functions.
TENSORFLOW_ALONE = {
    *("text", "words", "strings", "strings_in_subclassed", "strings_in_nested"),
    *("ragged", "ragged_text", "ragged_text_in_subclassed", "sparse_text"),
    *("saved_model_layer", "saved_model_as_a_layer"),
}
# Made with functions of TensorFlow's, so that it is a model of TensorFlow whatever Keras runs on.
MADE_OF_TENSORFLOW = {"inside_a_tf_function"}
# Keras has no sparse tensors on PyTorch, and PyTorch slices with no negative step.
NOT_ON_TORCH = {"sparse", "sparse_categories", "sparse_input", "operators_nested"}

NAMES: set[str] = {
    "tensorflow": set(),
    "jax": TENSORFLOW_ALONE | MADE_OF_TENSORFLOW,
    "torch": TENSORFLOW_ALONE | NOT_ON_TORCH | MADE_OF_TENSORFLOW,
}[keras.backend.backend()]

BUILDS: dict[str, Callable[..., object]] = {}
"""What has been left out, by name."""


def runnable(builds: Iterable[Build]) -> tuple[Build, ...]:
    """Those of some builders whose models run on the backend in use."""
    kept = []
    for build in builds:
        if build.__name__ in NAMES:
            BUILDS[build.__name__] = build
        else:
            kept.append(build)
    return tuple(kept)
