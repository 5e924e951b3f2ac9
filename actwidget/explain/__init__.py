"""Why a model answers as it does: gradients, attributions, effects of channels, arithmetic, ideal inputs."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from actwidget.explain.attribution.public import attributions
    from actwidget.explain.attribution.result import Attributions
    from actwidget.explain.differentiation.public import gradients
    from actwidget.explain.excitation.ascent import Excitation
    from actwidget.explain.excitation.gradient_ascent import excite

_MODULES = {
    "Attributions": "attribution.result",
    "Excitation": "excitation.ascent",
    "attributions": "attribution.public",
    "excite": "excitation.gradient_ascent",
    "gradients": "differentiation.public",
}

__all__ = ["Attributions", "Excitation", "attributions", "excite", "gradients"]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        message = f"module 'actwidget.explain' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"actwidget.explain.{_MODULES[name]}"), name)
