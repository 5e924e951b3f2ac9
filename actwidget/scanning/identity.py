"""Of what a scan is: hashes by which a file knows its model, weights and data again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np

from actwidget.capture.run.conversion import as_array
from actwidget.keras_internals.layers import flat_layers
from actwidget.keras_internals.variables import recurrent_states, seed_states, value_of, variables_of

Identity = dict[str, str | int | None]


def of_model(model: keras.Model) -> Identity:
    """The hash of a model's layers with their settings, and that of its weights."""
    layers = flat_layers(model)
    made = hashlib.sha256()
    for layer in layers:
        made.update(f"{type(layer).__name__} {_settings(layer)}\n".encode())
    weights = hashlib.sha256()
    moving = {
        id(each) for each in (*seed_states(layers), *recurrent_states(layers))
    }  # no weights: each call moves them
    for variable in (each for each in variables_of([model], layers) if id(each) not in moving):
        weights.update(_bytes(as_array(value_of(variable))))
    return {"model": made.hexdigest(), "weights": weights.hexdigest()}


def of_values(values: Any) -> str | None:
    """The hash of a batch, or of labels; `None` for none."""
    if values is None:
        return None
    found = hashlib.sha256()
    for leaf in keras.tree.flatten(values):
        found.update(b"none" if leaf is None else _bytes(as_array(leaf) if keras.ops.is_tensor(leaf) else leaf))
    return found.hexdigest()


def differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """What two identities do not share, in words; what one of them does not know counts as the same."""
    return list(_differences(there, here))


def _differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> Iterable[str]:
    for name, known in there.items():
        now = here.get(name)
        if name not in here or known is None or now is None or known == now:
            continue
        is_hash = isinstance(known, str) and len(known) == 64
        kind = "other" if name in {"weights", "labels"} else "another"
        yield f"{kind} {name}" if is_hash else f"{name} is {known} there and {now} here"


def _settings(layer: keras.Layer) -> str:
    """A layer's settings but for names, which Keras numbers anew when a model is made a second time."""
    if isinstance(layer, keras.Model):
        return ""
    try:
        config = _nameless(layer.get_config())
        return json.dumps(config, sort_keys=True, default=lambda value: type(value).__name__)
    except Exception:  # noqa: BLE001 - a layer of the user's may have no config
        return ""


def _nameless(config: Any) -> Any:
    if not isinstance(config, Mapping):
        return config
    return {key: each if key == "dtype" else _nameless(each) for key, each in config.items() if key != "name"}


def _bytes(values: Any) -> bytes:
    array = np.asarray(values)
    form = f"{array.dtype} {array.shape}\n".encode()
    return form + (repr(array.tolist()).encode() if array.dtype.kind in "OV" else np.ascontiguousarray(array).tobytes())
