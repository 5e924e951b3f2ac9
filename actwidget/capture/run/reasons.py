"""The reasons why a value can't be captured, in words that follow "it" in a sentence, and the error that says so."""

from __future__ import annotations

from actwidget.errors import NotCapturableError

NOT_CALLED = "was not called in this forward pass"
NO_TENSOR = "gives no tensor"
ELSEWHERE = "runs inside a loop, a branch or a function that TensorFlow compiles"
OF_SAVED_MODEL = "is a compiled TensorFlow function, which is all that a SavedModel keeps: the layers inside are lost"
OTHER_THREAD = "was called in another thread"
NOT_CALLED_NOW = "was not called for this batch"
NO_TENSOR_NOW = "gave no tensor for this batch"


def refusal(model_name: str, path: str, reason: str) -> NotCapturableError:
    """The error for a path whose value can't be captured."""
    return NotCapturableError(f"{path!r} of model {model_name!r} can't be captured: it {reason}.")
