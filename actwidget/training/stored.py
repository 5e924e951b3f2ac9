"""Files with the history of a training: NumPy's npz, with JSON in it and no pickle."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from actwidget.analysis.histogram import Histogram
from actwidget.analysis.statistics import ChannelStatistics
from actwidget.errors import OptionError, error_text, shown
from actwidget.files import write_whole
from actwidget.training.records import Fault, LayerRecord, Record, WeightRecord

_FORMAT = "actwidget.Watch 1"
_CLASSES = {each.__name__: each for each in (ChannelStatistics, Fault, Histogram, LayerRecord, Record, WeightRecord)}


def write(file: Path, history: list[Record], fault: Fault | None) -> None:
    """Writes a history to a file: aside first, then under its name."""
    writer = _Writer()
    content = json.dumps({"format": _FORMAT, "history": writer.plain(history), "fault": writer.plain(fault)})
    blob = b"".join(writer.parts)
    stream = io.BytesIO()
    text = np.frombuffer(content.encode(), np.uint8)
    np.savez_compressed(stream, json=text, arrays=np.frombuffer(blob, np.uint8))
    write_whole(file, stream.getvalue())


def read_history(file: Path) -> tuple[list[Record], Fault | None]:
    """The history and the fault in a file that `write` has written.

    Raises:
        OptionError: It is no such file, or it is damaged.
        FileNotFoundError: There is none.
    """
    history: Any
    fault: Any
    try:
        with np.load(file, allow_pickle=False) as stored:
            content, blob = json.loads(stored["json"].tobytes()), stored["arrays"].tobytes()
        known = content["format"] == _FORMAT
        reader = _Reader(blob)
        history, fault = (reader.value(content[name]) if known else None for name in ("history", "fault"))
    except FileNotFoundError:
        raise
    except (OSError, ValueError, LookupError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        message = f"Expected a file that Watch.save has written, got {shown(str(file))}: {error_text(error)}"
        raise OptionError(message) from error
    if not known:
        message = f"Expected a file of the form {_FORMAT!r}, got {shown(content['format'])} in {shown(str(file))}."
        raise OptionError(message)
    return history, fault


class _Writer:
    """Turns records into what JSON holds, with the arrays apart; an object that is there again is named by number."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self._size = 0
        self._seen: dict[int, int] = {}

    def plain(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            part = np.ascontiguousarray(value).tobytes()
            place = {"array": [value.dtype.str, list(value.shape), self._size]}
            self.parts.append(part)
            self._size += len(part)
            return place
        if is_dataclass(value) and not isinstance(value, type):
            if id(value) in self._seen:
                return {"again": self._seen[id(value)]}
            named = {each.name: self.plain(getattr(value, each.name)) for each in fields(value)}
            self._seen[id(value)] = len(self._seen)
            return {"object": type(value).__name__, "fields": named}
        if isinstance(value, dict):
            return {"dict": [[key, self.plain(each)] for key, each in value.items()]}
        if isinstance(value, list | tuple):
            return {type(value).__name__: [self.plain(each) for each in value]}
        return value.item() if isinstance(value, np.generic) else value


class _Reader:
    """Makes records of what `_Writer` gave."""

    def __init__(self, blob: bytes) -> None:
        self._blob = blob
        self._seen: list[Any] = []

    def value(self, plain: Any) -> Any:
        if not isinstance(plain, dict):
            return plain
        ((kind, content), *_) = plain.items()
        return getattr(self, f"_{kind}")(content, plain)

    def _array(self, content: Any, _plain: Any) -> Any:
        dtype, shape, start = content
        array = np.zeros(shape, np.dtype(dtype))
        array.reshape(-1)[:] = np.frombuffer(self._blob[start : start + array.nbytes], array.dtype)
        return array

    def _again(self, content: Any, _plain: Any) -> Any:
        return self._seen[content]

    def _object(self, content: Any, plain: Any) -> Any:
        named = {name: self.value(each) for name, each in plain["fields"].items()}
        self._seen.append(_CLASSES[content](**named))
        return self._seen[-1]

    def _dict(self, content: Any, _plain: Any) -> Any:
        return {key: self.value(each) for key, each in content}

    def _list(self, content: Any, _plain: Any) -> Any:
        return [self.value(each) for each in content]

    def _tuple(self, content: Any, _plain: Any) -> Any:
        return tuple(self.value(each) for each in content)
