"""Look inside Keras models: layer activations in a notebook widget, and as arrays."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from actwidget.capture import (
        Ablate,
        Activations,
        LayerNode,
        Replace,
        Scale,
        activations,
        compare,
        edit,
        from_tf_keras,
        layer_tree,
        submodel,
    )
    from actwidget.widgets import LayerExplorer, LayerTree, PlotView

# Names are looked up on first use: importing one room (actwidget.analysis, say) then loads no TensorFlow and no Plotly.
_ROOMS = {
    "Ablate": "capture",
    "Activations": "capture",
    "LayerExplorer": "widgets",
    "LayerNode": "capture",
    "LayerTree": "widgets",
    "PlotView": "widgets",
    "Replace": "capture",
    "Scale": "capture",
    "activations": "capture",
    "compare": "capture",
    "edit": "capture",
    "from_tf_keras": "capture",
    "layer_tree": "capture",
    "submodel": "capture",
}

__all__ = [
    "Ablate",
    "Activations",
    "LayerExplorer",
    "LayerNode",
    "LayerTree",
    "PlotView",
    "Replace",
    "Scale",
    "activations",
    "compare",
    "edit",
    "from_tf_keras",
    "layer_tree",
    "submodel",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        message = f"module 'actwidget' has no attribute {name!r}"
        raise AttributeError(message)
    try:
        value = getattr(import_module(f"actwidget.{_ROOMS[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name not in {"keras", "tensorflow", "jax", "torch"}:
            raise
        from actwidget.errors import MissingPackageError

        raise MissingPackageError.of_backend(error.name) from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
