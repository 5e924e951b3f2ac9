"""Files of weights, written here as torch.save wrote them before PyTorch 1.6."""

from __future__ import annotations

import os
import pickle
import struct
from dataclasses import dataclass
from functools import singledispatch
from pathlib import Path

import numpy as np
import pytest

from actwidget.samples.torch_file import read_state_dict

MAGIC = 0x1950A86A20F9469CFC6C


@dataclass
class Name:
    """A function or class by module and name, whether or not it exists here."""

    module: str
    name: str


@dataclass
class Call:
    function: Name
    arguments: tuple = ()


@dataclass
class Storage:
    key: str
    count: int
    kind: str = "FloatStorage"


# Pickles are written by hand, since they name PyTorch's functions, which need not be installed.
@singledispatch
def opcodes(value) -> bytes:
    raise TypeError(value)


opcodes.register(type(None), lambda _: b"N")
opcodes.register(bool, lambda value: b"\x88" if value else b"\x89")
opcodes.register(int, lambda value: b"\x8a\x10" + value.to_bytes(16, "little", signed=True))
opcodes.register(str, lambda value: b"X" + struct.pack("<I", len(value)) + value.encode())
opcodes.register(tuple, lambda value: b"(" + b"".join(map(opcodes, value)) + b"t")
opcodes.register(list, lambda value: b"](" + b"".join(map(opcodes, value)) + b"e")
opcodes.register(dict, lambda value: b"}(" + b"".join(opcodes(part) for item in value.items() for part in item) + b"u")
opcodes.register(Name, lambda value: f"c{value.module}\n{value.name}\n".encode())
opcodes.register(Call, lambda value: opcodes(value.function) + opcodes(value.arguments) + b"R")


@opcodes.register
def _(value: Storage) -> bytes:
    return opcodes(("storage", Name("torch", value.kind), value.key, "cpu", value.count, None)) + b"Q"


def pickled(value) -> bytes:
    return b"\x80\x02" + opcodes(value) + b"."


def tensor(storage: Storage, offset: int, shape: tuple, strides: tuple) -> Call:
    hooks = Call(Name("collections", "OrderedDict"))
    return Call(Name("torch._utils", "_rebuild_tensor_v2"), (storage, offset, shape, strides, False, hooks))


def written(path: Path, tensors, storages: dict[str, np.ndarray], *, little_endian: bool = True) -> Path:
    parts = [pickled(MAGIC), pickled(1001), pickled({"little_endian": little_endian}), pickled(tensors)]
    parts.append(pickled(list(storages)))
    parts += [len(numbers).to_bytes(8, "little") + numbers.tobytes() for numbers in storages.values()]
    path.write_bytes(b"".join(parts))
    return path


def test_strided_views_of_one_storage_and_a_scalar_of_another(tmp_path):
    numbers = np.arange(12, dtype="<f4") / 7
    tensors = {
        "rows": tensor(Storage("a", 12), 0, (3, 4), (4, 1)),
        "columns": tensor(Storage("a", 12), 0, (4, 3), (1, 4)),
        "tail": tensor(Storage("a", 12), 7, (5,), (1,)),
        "count": tensor(Storage("b", 1, "LongStorage"), 0, (), ()),
    }
    read = read_state_dict(written(tmp_path / "w.pth", tensors, {"a": numbers, "b": np.array([-5], "<i8")}))
    assert list(read) == ["rows", "columns", "tail", "count"]
    np.testing.assert_array_equal(read["rows"], numbers.reshape(3, 4))
    np.testing.assert_array_equal(read["columns"], numbers.reshape(3, 4).T)
    np.testing.assert_array_equal(read["tail"], numbers[7:])
    assert read["count"] == -5
    assert [array.dtype for array in read.values()] == [np.float32] * 3 + [np.int64]
    assert not any(array.flags.writeable for array in read.values())


class _RunsACommand:
    def __init__(self, command: str):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.mark.parametrize("place", range(5))
def test_a_hostile_pickle_is_refused_wherever_it_stands_and_runs_nothing(tmp_path, place):
    ran = tmp_path / "ran"
    hostile = pickle.dumps(_RunsACommand(f"touch {ran}"), protocol=2)
    parts = [pickled(MAGIC), pickled(1001), pickled({"little_endian": True}), pickled({}), pickled([])]
    parts[place] = hostile
    path = tmp_path / "w.pth"
    path.write_bytes(b"".join(parts))
    with pytest.raises(pickle.UnpicklingError, match=r"may not name (posix|nt)\.system"):
        read_state_dict(path)
    assert not ran.exists()
    pickle.loads(hostile)  # noqa: S301  the witness: an ordinary unpickler runs it
    assert ran.exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [("builtins", "eval"), ("builtins", "getattr"), ("torch", "load"), ("torch._utils", "_rebuild_qtensor")],
)
def test_other_names_are_refused_too(tmp_path, module, name):
    path = written(tmp_path / "w.pth", {"w": Name(module, name)}, {})
    with pytest.raises(pickle.UnpicklingError, match=f"may not name {module}.{name}"):
        read_state_dict(path)


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [(9, (4,), (1,)), (0, (3, 4), (5, 1)), (-1, (4,), (1,)), (5, (4,), (-1,)), (0, (2**60,), (1,)), (12, (), ())],
)
def test_a_tensor_that_reaches_outside_its_storage_is_refused(tmp_path, offset, shape, strides):
    tensors = {"w": tensor(Storage("a", 12), offset, shape, strides)}
    path = written(tmp_path / "w.pth", tensors, {"a": np.zeros(12, "<f4")})
    with pytest.raises(pickle.UnpicklingError, match="'w' reaches outside its storage of 12 numbers"):
        read_state_dict(path)


def test_a_file_cut_short_is_refused_wherever_it_is_cut(tmp_path):
    tensors = {"w": tensor(Storage("a", 3), 0, (3,), (1,))}
    whole = written(tmp_path / "w.pth", tensors, {"a": np.ones(3, "<f4")}).read_bytes()
    np.testing.assert_array_equal(read_state_dict(tmp_path / "w.pth")["w"], 1)
    for length in range(len(whole)):
        (tmp_path / "w.pth").write_bytes(whole[:length])
        with pytest.raises(pickle.UnpicklingError):
            read_state_dict(tmp_path / "w.pth")


def test_a_storage_whose_size_the_file_contradicts_is_refused(tmp_path):
    tensors = {"w": tensor(Storage("a", 2**50), 0, (3,), (1,))}
    path = written(tmp_path / "w.pth", tensors, {"a": np.ones(3, "<f4")})
    with pytest.raises(pickle.UnpicklingError, match="should hold 1125899906842624 numbers"):
        read_state_dict(path)


@pytest.mark.parametrize("content", [b"PK\x03\x04 a newer file of PyTorch", b"", pickle.dumps("other", 2)])
def test_another_kind_of_file_is_refused(tmp_path, content):
    path = tmp_path / "w.pth"
    path.write_bytes(content)
    with pytest.raises(pickle.UnpicklingError):
        read_state_dict(path)


def test_big_endian_numbers_and_things_that_are_no_tensors_are_refused(tmp_path):
    with pytest.raises(pickle.UnpicklingError, match="big-endian"):
        read_state_dict(written(tmp_path / "w.pth", {}, {}, little_endian=False))
    with pytest.raises(pickle.UnpicklingError, match="other than named tensors"):
        read_state_dict(written(tmp_path / "w.pth", {"w": 3}, {}))
