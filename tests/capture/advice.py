"""What an error advises to do with something that is no Keras 3 model, and how to follow it."""

from __future__ import annotations

import keras
import pytest
import tensorflow as tf
import tf_keras

import actwidget as aw
from actwidget.errors import UnsupportedModelError


def advice(model):
    """What the error says to do with a model, after what it is."""
    with pytest.raises(UnsupportedModelError, match=r"^Expected a Keras 3 model, got \S+\. ") as caught:
        aw.layer_tree(model)
    with pytest.raises(UnsupportedModelError) as again:
        aw.LayerExplorer(model)
    assert str(again.value) == str(caught.value)
    return str(caught.value)


def followed(code, scope):
    """What `model` is after the code of an advice has run."""
    scope |= {"__name__": "__main__", "keras": keras, "aw": aw, "tf": tf, "tf_keras": tf_keras}
    exec(code, scope)  # noqa: S102 - the advice is meant to be followed
    return scope["model"]
