"""A figure as a page takes it: JSON, with its pictures and large arrays as bytes apart."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from plotly.utils import PlotlyJSONEncoder

PNG = "data:image/png;base64,"
_PLACEHOLDER = "actwidget:image:"
_ARRAY_PLACEHOLDER = "actwidget:array:"
_LARGE = 512
"""Arrays of more bytes than this travel as bytes; as text they would take a third more."""
_OF_THE_PAGE = {"template", "paper_bgcolor", "plot_bgcolor"}


@dataclass(frozen=True)
class Serialized:
    """A figure as the page takes it.

    Attributes:
        figure: The figure as a dict.
        spec: The same as JSON, with placeholders for its pictures and its large arrays.
        images: The pictures as data URIs of PNGs.
        arrays: The large arrays, as plotly.js takes their numbers.
    """

    figure: dict[str, Any]
    spec: str
    images: list[str]
    arrays: list[bytes]


def serialize(figure: dict[str, Any]) -> Serialized:
    """A figure's dict of `data` and `layout` as the page takes it.

    Example:
        >>> serialize({"data": [{"type": "bar", "y": np.array([1, 3], np.int16)}], "layout": {}}).spec
        '{"data":[{"type":"bar","y":{"dtype":"i2","bdata":"AQADAA=="}}],"layout":{}}'
    """
    traces: list[dict[str, Any]] = []
    images: list[str] = []
    arrays: list[bytes] = []
    for trace in figure["data"]:
        sent = {
            name: _array(value, arrays) if isinstance(value, np.ndarray) else value for name, value in trace.items()
        }
        if trace["type"] == "image" and (trace.get("source") or "").startswith(PNG):
            sent["source"] = f"{_PLACEHOLDER}{len(images)}"
            images.append(trace["source"])
        traces.append(sent)
    # Colours come from the page, so the template that every figure carries stays here, and so does the paper.
    layout = {name: value for name, value in figure["layout"].items() if name not in _OF_THE_PAGE}
    # Not plotly's to_json, which writes each slash (of these base64 is full) as six characters.
    spec = json.dumps({**figure, "data": traces, "layout": layout}, cls=PlotlyJSONEncoder, separators=(",", ":"))
    return Serialized(figure, spec, images, arrays)


def _array(values: np.ndarray[Any, Any], arrays: list[bytes]) -> Any:
    """Numbers as plotly.js takes them packed, many of them apart; what it has no packed form for stays as it is."""
    if values.dtype.kind == "i" and values.itemsize == 8 and np.abs(values).max(initial=0) < 2**31:
        values = values.astype(np.int32)
    if values.dtype.str.lstrip("<|") not in {"i1", "u1", "i2", "u2", "i4", "u4", "f4", "f8"}:
        return values
    numbers = values.tobytes()
    if len(numbers) > _LARGE:
        text = f"{_ARRAY_PLACEHOLDER}{len(arrays)}"
        arrays.append(numbers)
    else:
        text = base64.b64encode(numbers).decode("ascii")
    packed = {"dtype": values.dtype.str.lstrip("<|"), "bdata": text}
    return packed if values.ndim == 1 else {**packed, "shape": ", ".join(map(str, values.shape))}
