"""The GPU that Keras's backend sees: whether there is one, what lies on it, and how much of its memory is in use."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import keras


def gpus() -> list[Any]:
    """The GPUs that the backend of Keras can use."""
    name = keras.config.backend()
    if name == "tensorflow":
        return list(import_module("tensorflow").config.list_physical_devices("GPU"))
    if name == "jax":
        return [device for device in import_module("jax").devices() if device.platform == "gpu"]
    cuda = import_module("torch").cuda
    return [cuda.get_device_name(number) for number in range(cuda.device_count())]


def is_on_gpu(tensor: Any) -> bool:
    """Whether a tensor of the backend lies on a GPU."""
    name = keras.config.backend()
    if name == "tensorflow":
        return "GPU" in tensor.device
    if name == "jax":
        return {device.platform for device in tensor.devices()} == {"gpu"}
    return bool(tensor.is_cuda)


def bytes_in_use() -> int:
    """How many bytes of the first GPU's memory tensors take."""
    name = keras.config.backend()
    if name == "tensorflow":
        return int(import_module("tensorflow").config.experimental.get_memory_info("GPU:0")["current"])
    if name == "jax":
        return int(gpus()[0].memory_stats()["bytes_in_use"])
    return int(import_module("torch").cuda.memory_allocated())
