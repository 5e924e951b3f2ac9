"""Every architecture of keras.applications, and real subclassed ones, each node held to an independent observer."""

from __future__ import annotations

import gc
import inspect
import time
from typing import Any

import keras
import numpy as np
from capture.deep_witness import deep_witness as observed
from capture.real_subclassed import NETWORKS, real

import actwidget as aw
from actwidget import samples

# The least sizes at which they build without their pretrained top.
SIZES = {"InceptionV3": 75, "InceptionResNetV2": 75, "Xception": 71, "NASNetLarge": 64, "NASNetMobile": 64}


def report() -> None:
    """Prints one line a model: nodes, those that can't be had and why, mismatches, side effects."""
    print("\nFidelity: each node against an eager pass with every call observed")
    print(f"{'':24}{'nodes':>7}{'opaque':>8}{'mismatches':>12}{'side effects':>14}{'s':>7}")
    for name, make in _models():
        start = time.perf_counter()
        try:
            model, x = make()
        except Exception as error:  # noqa: BLE001 - told in the table
            print(f"{name:24} does not build here: {type(error).__name__}: {str(error)[:80]}")
            continue
        nodes, opaque, wrong, effects = held(model, x)
        print(f"{name:24}{nodes:7,}{len(opaque):8}{len(wrong):12}{len(effects):14}{time.perf_counter() - start:7.0f}")
        for line in [*opaque, *wrong, *effects]:
            print(f"  {line}")
        del model
        keras.backend.clear_session()
        gc.collect()


def held(model: keras.Model, x: Any) -> tuple[int, list[str], list[str], list[str]]:
    """How many nodes there are, which are opaque, which differ from the witness, what has changed in the model."""
    before = _state(model)
    tree = aw.layer_tree(model, x)
    values = aw.activations(model, x)
    effects = [
        name for name, was, now in zip(before, before.values(), _state(model).values(), strict=True) if was != now
    ]
    expected = observed(model, x)
    opaque = [f"{node.path}: {node.reason}" for node in tree if node.origin == "opaque"]
    wrong = [f"{path}: not seen by us" for path in expected if path not in values]
    wrong += [f"{path}: seen by us alone" for path in values if path not in expected]
    for path in values:
        if path in expected and not _same(values[path], expected[path]):
            wrong.append(f"{path}: other values")
    return len(list(tree)), opaque, wrong, effects


def _same(ours: Any, theirs: Any) -> bool:
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    if ours.shape != theirs.shape:
        return False
    if ours.dtype == object:
        return bool((ours == theirs).all())
    return np.allclose(ours.astype("float64"), theirs.astype("float64"), rtol=1e-4, atol=1e-5, equal_nan=True)


def _state(model: keras.Model) -> dict[str, Any]:
    layers = model._flatten_layers()
    return {
        "nodes": [(len(layer._inbound_nodes), len(layer._outbound_nodes)) for layer in layers],
        "variables": [hash(np.asarray(variable).tobytes()) for variable in model.variables],
        "flags": [(layer.trainable, layer.built, layer.dtype) for layer in layers],
        "losses": len(model.losses),
    }


def _models() -> list[tuple[str, Any]]:
    makers = [(name, each) for name, each in vars(keras.applications).items() if inspect.isfunction(each)]
    found: list[tuple[str, Any]] = [
        (name, lambda n=name, m=maker: _application(n, m)) for name, maker in sorted(makers)
    ]
    found.append(("sample efficientnet_lite0", lambda: (samples.efficientnet_lite0(), samples.photo("coffee")[None])))
    found += [(f"bayesflow {name}", lambda n=name: real(n)) for name in NETWORKS]
    found.append(("sample digits_cnn", lambda: (samples.digits_cnn(), samples.digits()[0][:3])))
    return found


def _application(name: str, maker: Any) -> tuple[keras.Model, np.ndarray]:
    size = SIZES.get(name, 64)
    keras.utils.set_random_seed(0)
    model = maker(weights=None, include_top=False, input_shape=(size, size, 3))
    return model, np.random.default_rng(0).random((1, size, size, 3), dtype="float32") * 255
