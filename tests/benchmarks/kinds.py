"""Large activations of each kind: Python's work to draw one, its bytes, and in the browser from click to paint."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

from browser.lab import Explorer, Notebook, browser, jupyter_lab, new_page, write_notebook
from page import painted
from table import Row

import actwidget as aw

# Each gives `model` and `x`; what is measured is the layer called `large`, coming from the one called `small`.
HEAD = """
import keras, numpy as np
from keras import layers
rng = np.random.default_rng(0)
keras.utils.set_random_seed(0)
"""
IMAGE = """
image = keras.Input({size}, name="image")
y = layers.Conv2D({channels}, 3, padding="same", activation="relu", name="large")(image)
model = keras.Model(image, layers.GlobalAveragePooling2D(name="small")(y), name="{name}")
x = rng.random(({samples}, *{size}), dtype="float32")
"""
SOURCES = {
    "VGG16's first block, 64 of 224x224": HEAD
    + """
model = keras.applications.VGG16(weights=None, name="vgg")
from actwidget.samples import photo
x = photo("coffee")[None].astype("float32")
LARGE, SMALL = "block1_conv2", "block1_pool"
""",
    "2,048 channels of 7x7": HEAD + IMAGE.format(size=(7, 7, 8), channels=2048, samples=1, name="wide"),
    "a sequence of 512 by 768": HEAD
    + """
tokens = keras.Input((512,), dtype="int32", name="tokens")
y = layers.Embedding(1000, 768, name="large")(tokens)
model = keras.Model(tokens, layers.GlobalAveragePooling1D(name="small")(y), name="sequence")
x = rng.integers(0, 1000, (1, 512))
""",
    "12 heads of 128 by 128": HEAD
    + """
words = keras.Input((128, 96), name="words")
y = layers.MultiHeadAttention(12, 8, name="attention")(words, words)
model = keras.Model(words, layers.GlobalAveragePooling1D(name="small")(y), name="heads")
x = rng.random((1, 128, 96), dtype="float32")
LARGE = "attention/scores"
""",
    "a batch of 64, 32 of 56x56": HEAD + IMAGE.format(size=(56, 56, 3), channels=32, samples=64, name="batch"),
}
ENDS = '\nLARGE, SMALL = globals().get("LARGE", "large"), globals().get("SMALL", "small")\n'


def drawings(repeats: int) -> list[Row]:
    """Python's work for a layer whose activation is at hand and that was not drawn before, in each view."""
    rows = []
    for name, source in SOURCES.items():
        scope: dict[str, Any] = {}
        exec(source + ENDS, scope)  # noqa: S102 - the text above
        model, small, large = scope["model"], scope["SMALL"], scope["LARGE"]
        view = aw.LayerExplorer(model, scope["x"], layer=small, compare=model, show="activation")
        for session in (view._explorer.session, view._explorer.other):
            session.value(large)
        taken = [_changed(view, "layer", small, large) for _ in range(repeats)]
        rows.append(Row.of(name, taken, "ms", goal=60))
        rows.append(Row("  bytes to the page", _bytes(view) / 1e3, "kB"))
        for show in ("overlay", "comparison", "table", "weights"):
            if show == "overlay" and view._explorer.data.picture is None:
                continue
            taken = [_changed(view, "show", "activation", show) for _ in range(repeats)]
            rows.append(Row.of(f"  {show}", taken, "ms", goal=60))
        view.close()
    return rows


def _changed(view: aw.LayerExplorer, trait: str, before: str, after: str) -> float:
    """Milliseconds to go from one value of a trait to another, with nothing drawn at hand."""
    setattr(view, trait, before)
    view._explorer.inspector.clear()
    start = time.perf_counter()
    setattr(view, trait, after)
    return (time.perf_counter() - start) * 1000


def _bytes(view: aw.LayerExplorer) -> int:
    return len(view._screen.plot._spec) + sum(map(len, (*view._screen.plot._images, *view._screen.plot._arrays)))


def pages(repeats: int) -> list[Row]:
    """Click to paint in JupyterLab: the layer new, and seen before."""
    rows = []
    with tempfile.TemporaryDirectory() as folder, jupyter_lab(Path(folder)) as address, browser() as chromium:
        for number, (name, source) in enumerate(SOURCES.items()):
            write_notebook(Path(folder) / f"{number}.ipynb", "0")
            page = new_page(chromium, viewport={"width": 1400, "height": 1000})
            notebook = Notebook(page, address, f"{number}.ipynb")
            notebook.run(f"import json, actwidget as aw\n{source}{ENDS}")
            notebook.run("view = aw.LayerExplorer(model, x, layer=SMALL, grouped=False)\nview")
            explorer = Explorer(notebook)
            large, small = json.loads(notebook.ask("print(json.dumps([LARGE, SMALL]))"))
            bare, new, seen = [], [], []
            for _ in range(repeats):
                bare.append(float(notebook.ask(BARE)))  # each time: the machine's speed moves in between
                notebook.ask("view._explorer.session._cache.pop(LARGE, None); view._explorer.inspector.clear()")
                new.append(_click(explorer, large) - bare[-1])
                seen += [_click(explorer, path) for path in (small, large, small)]
            rows.append(Row.of(f"{name}: bare call", bare, "ms"))
            rows.append(Row.of("  new, beyond the bare call", new, "ms", goal=100))
            rows.append(Row.of("  seen before", seen[1::3], "ms", goal=100))
            notebook.shut_down()
            page.context.close()
            assert notebook.errors == [], notebook.errors
    return rows


BARE = """
import statistics, time
sub, tensor, taken = aw.submodel(model, LARGE), keras.ops.convert_to_tensor(view.inputs), []
for _ in range(3):
    start = time.perf_counter()
    sub(tensor, training=False)
    taken.append((time.perf_counter() - start) * 1000)
print(statistics.median(taken))
"""


def _click(explorer: Explorer, path: str) -> float:
    explorer.settle()
    return painted(explorer.notebook, explorer.graph, explorer.row(path), f"{path} ·")
