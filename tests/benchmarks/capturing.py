"""Capture beside what it stands on: a sub-model's bare call, a plain eager pass; and large models."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import keras
import numpy as np
from networks import SOURCES, network, spread_over
from table import Row

import actwidget as aw
from actwidget.capture.access.submodel import connect
from actwidget.capture.run.conversion import as_array, as_tensors
from actwidget.capture.run.restore import unchanged
from actwidget.capture.trace import trace

if TYPE_CHECKING:
    from collections.abc import Callable

EXPLORE = """
import json, resource, sys
import keras, numpy as np, actwidget as aw
model = keras.applications.EfficientNetB7(weights=None)
x = np.random.default_rng(0).random((1, 600, 600, 3), dtype="float32") * 255
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
keep = aw.activations(model, x, model.layers[-1])
plain = peak()
view = aw.LayerExplorer(model, x, max_bytes=100_000_000)
paths = [node.path for node in view.tree]
for path in paths[:: len(paths) // 60]:
    view.layer = path
print(json.dumps([plain, peak(), view._explorer.session.bytes_kept / 1e6]))
"""


MANY = """
import json, resource
import keras, numpy as np, actwidget as aw
from actwidget.capture.access import session
layers = keras.layers
model = keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(96, 3, padding="same", name="wide"),
                          layers.GlobalAveragePooling2D(), layers.Dense(3, name="last")])
x = np.random.default_rng(0).random((1000, 28, 28, 1), dtype="float32")
passes, original = [], session.capture
session.capture = lambda *args, **options: passes.append(1) or original(*args, **options)
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
view = aw.LayerExplorer(model, x, layer="last", max_bytes=50_000_000)
before = peak()
passes.clear()
view.layer = "wide"
for channel in range(8):
    view.channel = channel
print(json.dumps([1000 * 28 * 28 * 96 * 4 / 1e6, peak() - before, len(passes)]))
"""


class Wrapped(keras.Model):
    """A subclassed model around another one: nothing in it can be had by a functional graph."""

    def __init__(self, model: keras.Model) -> None:
        super().__init__(name="wrapped")
        self.inside = model

    def call(self, inputs: object) -> object:
        return self.inside(inputs)


def captures(layers: int, repeats: int) -> list[Row]:
    """One layer, then all of them, functional and tapped."""
    rows = []
    for name in SOURCES:
        model, x = network(name)
        rows += _one_layer(name, model, x, layers, repeats)
        wrapped = Wrapped(model)
        wrapped(x)
        for label, each in ((name, model), (f"{name}, subclassed", wrapped)):
            tensor = keras.ops.convert_to_tensor(x)
            plain, whole = in_turn(
                repeats, lambda e=each, t=tensor: e(t, training=False), lambda e=each, v=x: aw.activations(e, v)
            )
            rows += [
                Row.of(f"{label}: a plain eager pass", plain, "ms"),
                Row.of(
                    "  all layers",
                    whole,
                    "ms",
                    goal=median(plain) * 1.15,
                    base=median(plain),
                    base_name="the plain pass",
                ),
            ]
    return rows


def _one_layer(name: str, model: keras.Model, x: np.ndarray, layers: int, repeats: int) -> list[Row]:
    graph = trace(model, x)
    calls, captured = [], []
    for path in spread_over(graph.tree, layers):
        sub = connect(graph, [path], "one")

        tensor = as_tensors(x, graph.inputs)
        bare, ours = in_turn(
            repeats, lambda s=sub, t=tensor: s(t, training=False), lambda s=sub, v=x: _capture(s, v, graph.inputs)
        )
        calls.append(median(bare))
        captured.append(median(ours))
    total = sum(calls)
    return [
        Row(f"{name}: bare calls of {len(calls)} sub-models", total, "ms"),
        Row(
            "  their captures, sub-models at hand",
            sum(captured),
            "ms",
            goal=total * 1.05,
            base=total,
            base_name="the bare calls",
        ),
    ]


def _capture(sub: keras.Model, x: np.ndarray, inputs: object) -> list[np.ndarray]:
    with unchanged(sub):
        return [as_array(output) for output in sub(as_tensors(x, inputs), training=False)]


def in_turn(repeats: int, *functions: Callable[[], object]) -> list[list[float]]:
    """Milliseconds of each function, called in turn so that a busy moment meets all of them."""
    taken: list[list[float]] = [[] for _ in functions]
    for function in functions:
        function()
    for _ in range(repeats):
        for function, times in zip(functions, taken, strict=True):
            start = time.perf_counter()
            function()
            times.append((time.perf_counter() - start) * 1000)
    return taken


def trees() -> list[Row]:
    """The tree of a very large model, and what an explorer adds to the memory of one forward pass."""
    large = keras.applications.NASNetLarge(weights=None)
    (times,) = in_turn(7, lambda: aw.layer_tree(large))
    rows = [Row.of(f"layer_tree of NASNetLarge, {len(list(aw.layer_tree(large))):,} nodes", times, "ms", goal=100)]
    result = subprocess.run([sys.executable, "-c", EXPLORE], capture_output=True, text=True, check=True, cwd=Path.cwd())
    plain, peak, kept = json.loads(result.stdout.splitlines()[-1])
    rows += [
        Row("EfficientNetB7 at 600x600: peak memory of one forward pass", plain, "MB"),
        Row(
            "  and of exploring 60 layers, budget 100 MB",
            peak,
            "MB",
            goal=plain + 100 + 150,
            base=plain,
            base_name="the pass",
        ),
        Row("  kept in the cache at the end", kept, "MB", goal=100),
    ]
    result = subprocess.run([sys.executable, "-c", MANY], capture_output=True, text=True, check=True, cwd=Path.cwd())
    layer, grown, passes = json.loads(result.stdout.splitlines()[-1])
    rows += [
        Row("A layer for 1,000 samples, budget 50 MB: the layer", layer, "MB"),
        Row("  more memory to show it and 8 channels", grown, "MB", goal=100, base=layer, base_name="the layer"),
        Row("  passes through the sample in sight", passes, "", goal=1),
    ]
    return rows
