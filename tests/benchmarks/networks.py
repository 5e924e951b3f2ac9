"""The two networks that are measured, and which of their layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

    from actwidget.capture.structure.node import LayerNode

# What a kernel runs as well: each defines `model` and `x`.
SOURCES = {
    "EfficientNet-Lite0": """
from actwidget.samples import efficientnet_lite0, photo
model, x = efficientnet_lite0(), photo("coffee")[None]
""",
    "ResNet50": """
import keras
from actwidget.samples import photo
model, x = keras.applications.ResNet50(weights=None), photo("coffee")[None].astype("float32")
""",
}
# Of about 800,000 to 1,200,000 values, for the comparison with other ways to show a layer.
LARGE = {"EfficientNet-Lite0": "block1_expand_relu", "ResNet50": "conv2_block1_3_conv"}


def network(name: str) -> tuple[keras.Model, Any]:
    """A model and one picture for it."""
    scope: dict[str, Any] = {}
    exec(SOURCES[name], scope)  # noqa: S102 - the text above
    return scope["model"], scope["x"]


def spread_over(tree: LayerNode, count: int) -> list[str]:
    """Paths of `count` layers at even distances from the first to the last; inputs are left out."""
    paths = [node.path for node in tree if node.class_name != "InputLayer"]
    return paths[:: max(1, len(paths) // count)][:count]
