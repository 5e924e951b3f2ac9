"""The error for what a target does not depend on."""

from __future__ import annotations

from actwidget.errors import NotCapturableError


def no_way(path: str, model_name: str, taken_off: str = "") -> NotCapturableError:
    """The error for an activation on which the target does not depend.

    Args:
        path: The path of the activation.
        model_name: The model's name.
        taken_off: What was taken off the model's output.
    """
    hint = f" The target is taken before the final {taken_off}; logits=False takes it behind that." if taken_off else ""
    message = (
        f"There is no differentiable way from the target to {path!r} in model {model_name!r}: the target does not "
        f"depend on it. Take a layer that the target is computed from, or a target computed from this layer.{hint}"
    )
    return NotCapturableError(message)
