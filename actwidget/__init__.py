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
    from actwidget.explain import Attributions, Excitation, attributions, excite, gradients
    from actwidget.explain.computation import Arithmetic, arithmetic
    from actwidget.explain.effects import channel_effects
    from actwidget.scanning import Scan, load_scan, scan, similarity
    from actwidget.training import Watch, load_watch
    from actwidget.widgets import LayerExplorer, LayerTree, PlotView

# Names are looked up on first use: importing one room (actwidget.analysis, say) then loads no TensorFlow and no Plotly.
_ROOMS = {
    "Ablate": "capture",
    "Activations": "capture",
    "Attributions": "explain",
    "Arithmetic": "explain.computation",
    "Excitation": "explain",
    "LayerExplorer": "widgets",
    "LayerNode": "capture",
    "LayerTree": "widgets",
    "PlotView": "widgets",
    "Replace": "capture",
    "Scale": "capture",
    "Watch": "training",
    "Scan": "scanning",
    "activations": "capture",
    "attributions": "explain",
    "channel_effects": "explain.effects",
    "arithmetic": "explain.computation",
    "compare": "capture",
    "edit": "capture",
    "excite": "explain",
    "from_tf_keras": "capture",
    "gradients": "explain",
    "layer_tree": "capture",
    "load_watch": "training",
    "load_scan": "scanning",
    "scan": "scanning",
    "similarity": "scanning",
    "submodel": "capture",
}

__all__ = [
    "Ablate",
    "Activations",
    "Arithmetic",
    "Attributions",
    "Excitation",
    "LayerExplorer",
    "LayerNode",
    "LayerTree",
    "PlotView",
    "Replace",
    "Scale",
    "Scan",
    "Watch",
    "activations",
    "arithmetic",
    "attributions",
    "channel_effects",
    "compare",
    "edit",
    "excite",
    "from_tf_keras",
    "gradients",
    "layer_tree",
    "load_scan",
    "load_watch",
    "scan",
    "similarity",
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
