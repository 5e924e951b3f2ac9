"""A state dict that torch.save wrote before PyTorch 1.6, read without PyTorch.

Such a file is five pickles (a magic number, the protocol, facts about the machine, the tensors, the keys of the
storages), and after them, for each key, the number of elements as an int64 and the elements themselves. A tensor is a
strided view of a storage.
"""

from __future__ import annotations

import io
import pickle
import sys
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_ELEMENTS = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


@dataclass(frozen=True)
class _Storage:
    key: str
    dtype: np.dtype[Any]
    count: int


@dataclass(frozen=True)
class _View:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _StateDictUnpickler(pickle.Unpickler):
    """Admits the four names that a state dict of float and integer tensors needs, and builds nothing but views."""

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in _ELEMENTS:
            return _ELEMENTS[name]
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return self._view
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        message = f"A file of weights may not name {module}.{name}; only tensors in an ordered dict are read."
        raise pickle.UnpicklingError(message)

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _device, count, part = pid
        if kind != "storage" or part is not None:
            message = f"Expected a whole storage of a tensor, got {kind!r} with the view {part!r}."
            raise pickle.UnpicklingError(message)
        return _Storage(key, dtype, count)

    @staticmethod
    def _view(storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any) -> _View:
        return _View(storage, offset, shape, strides)


def read_state_dict(path: Path) -> dict[str, NDArray[Any]]:
    """Reads the tensors of a pre-1.6 PyTorch file.

    Args:
        path: The file. Only float32 and int64 tensors in little-endian order are read.

    Returns:
        The arrays by name, in the order of the file, read-only, in PyTorch's layout (`(out, in, height, width)` for the
        kernel of a convolution).

    Raises:
        pickle.UnpicklingError: The file is not of this form, or names anything that a state dict does not need.
    """
    # Read into memory first: a file that claims to hold 10**15 numbers then simply ends early.
    content = io.BytesIO(path.read_bytes())
    try:
        return _parsed(content)
    except (EOFError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        message = f"{path.name} is damaged, or is no state dict that torch.save wrote before PyTorch 1.6: {error}"
        raise pickle.UnpicklingError(message) from error


def _parsed(file: BinaryIO) -> dict[str, NDArray[Any]]:
    if _next_pickle(file) != _MAGIC or _next_pickle(file) != _PROTOCOL:
        message = "This is not a file that torch.save wrote before PyTorch 1.6."
        raise pickle.UnpicklingError(message)
    if not _next_pickle(file)["little_endian"]:
        message = "The file holds big-endian numbers; only little-endian ones are read."
        raise pickle.UnpicklingError(message)
    views = _next_pickle(file)
    keys = _next_pickle(file)
    if not isinstance(views, Mapping) or not all(isinstance(view, _View) for view in views.values()):
        message = "The file holds something other than named tensors."
        raise pickle.UnpicklingError(message)
    storages = {view.storage.key: view.storage for view in views.values()}
    elements = {key: _next_elements(file, storages[key]) for key in keys}
    return {name: _strided(name, view, elements[view.storage.key]) for name, view in views.items()}


def _next_pickle(file: BinaryIO) -> Any:
    return _StateDictUnpickler(file).load()


def _next_elements(file: BinaryIO, storage: _Storage) -> NDArray[Any]:
    count = int.from_bytes(file.read(8), "little", signed=True)
    content = file.read(count * storage.dtype.itemsize) if count == storage.count else b""
    if len(content) != storage.count * storage.dtype.itemsize:
        message = f"Storage {storage.key!r} should hold {storage.count} numbers, and the file has not so many there."
        raise pickle.UnpicklingError(message)
    return np.frombuffer(content, storage.dtype)


def _strided(name: str, view: _View, elements: NDArray[Any]) -> NDArray[Any]:
    # as_strided reads whatever memory it is pointed at, so what the file says has to be checked against the storage.
    last = view.offset + sum((size - 1) * stride for size, stride in zip(view.shape, view.strides, strict=True))
    if min((view.offset, *view.shape, *view.strides)) < 0 or last >= len(elements):
        message = f"Tensor {name!r} reaches outside its storage of {len(elements)} numbers."
        raise pickle.UnpicklingError(message)
    steps = [stride * elements.itemsize for stride in view.strides]
    array = np.lib.stride_tricks.as_strided(elements[view.offset :], view.shape, steps, writeable=False)
    return array if sys.byteorder == "little" else array.astype(array.dtype.newbyteorder("="))
