"""What a scan has counted as a file: arrays and plain text, without pickle."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from actwidget.errors import ScanError, error_text
from actwidget.files import write_whole
from actwidget.scanning.counting.tally import Tally
from actwidget.scanning.state import State

_FORMAT = "actwidget scan 1"
_PLAIN = ("model_name", "shard", "done", "batches", "count", "complete", "identity")


def as_bytes(state: State) -> bytes:
    """A state as the content of a file."""
    bounds = [tally.bounds for tally in state.tallies.values()]
    header = {name: getattr(state, name) for name in _PLAIN} | {
        "format": _FORMAT,
        "paths": list(state.tallies),
        "bounds": bounds,
        "lengths": sorted(state.lengths.items()),
        "sizes": sorted(state.sizes.items()),
        "skips": state.skips,
    }
    arrays = {"header": np.frombuffer(json.dumps(header).encode(), np.uint8)}
    for place, tally in enumerate(state.tallies.values()):
        arrays |= {f"{place}.{name}": array for name, array in tally.arrays().items()}
    written = io.BytesIO()
    np.savez(written, **arrays)  # type: ignore[arg-type]  # numpy's types take a name for allow_pickle
    return written.getvalue()


def from_bytes(content: bytes) -> State:
    """The state of which `as_bytes` made the content of a file.

    Raises:
        ValueError, KeyError, OSError, zipfile.BadZipFile: It is something else.
    """
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    header = json.loads(arrays.pop("header").tobytes())
    if header.get("format") != _FORMAT:
        message = f"its format is {header.get('format')!r}, not {_FORMAT!r}"
        raise ValueError(message)
    state = State(**{name: header[name] for name in _PLAIN})
    state.lengths = {int(shard): int(length) for shard, length in header["lengths"]}
    state.sizes = {int(shard): [[int(size), int(count)] for size, count in runs] for shard, runs in header["sizes"]}
    state.skips = [(int(start), int(size), str(why)) for start, size, why in header["skips"]]
    for place, (path, bounds) in enumerate(zip(header["paths"], header["bounds"], strict=True)):
        prefix = f"{place}."
        own = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
        state.tallies[path] = Tally.from_arrays(own, None if bounds is None else tuple(bounds))
    return state


def write(state: State, file: Any) -> None:
    """Writes a file aside, and then puts it in its place.

    Raises:
        ScanError: It can't be written.
    """
    path = Path(file)
    try:
        write_whole(path, as_bytes(state))
    except OSError as error:
        message = f"The scan could not be written to {str(path)!r}: {error_text(error)}. Give another file."
        raise ScanError(message) from error


def load(file: Any) -> State:
    """What a file holds.

    Raises:
        ScanError: It can't be read, or it is no scan.
    """
    try:
        return from_bytes(Path(file).read_bytes())
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        message = f"{str(file)!r} can't be read as a scan: {error_text(error)}. Give a file that scan or save wrote."
        raise ScanError(message) from error
