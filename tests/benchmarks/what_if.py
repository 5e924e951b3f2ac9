"""What it costs to ask what if: the effects of all channels, and one step of the slider."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

import keras
import numpy as np
import tensorflow as tf
from browser.lab import Explorer, Notebook, browser, jupyter_lab, new_page, write_notebook
from networks import SOURCES, network
from page import painted
from table import Row

import actwidget as aw

LAYER, BATCH = "block5_dw", 32


def partial_by_hand(model: keras.Model, x: Any, layer: str) -> tuple[Any, Any]:
    """The activation of a layer, and a compiled function that runs what lies behind it."""
    before, value = aw.submodel(model, layer), keras.Input(model.get_layer(layer).output.shape[1:])
    names = [each.name for each in model.layers]
    tensors: dict[str, Any] = {layer: value}
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    for each in model.layers[names.index(layer) + 1 :]:
        given = [tensors[source.name] for source in _sources(each)]
        tensors[each.name] = copy.get_layer(each.name)(given[0] if len(given) == 1 else given)
    partial = keras.Model(value, tensors[names[-1]])
    run = tf.function(lambda value: partial(value, training=False))
    return before(x, training=False).numpy(), run


def by_hand(model: keras.Model, x: Any, layer: str) -> Any:
    """A function that sets each channel of a layer to 0, in batches, and runs what lies behind it, compiled."""
    start, run = partial_by_hand(model, x, layer)
    channels = start.shape[-1]

    def effects() -> Any:
        found = []
        answer = np.asarray(run(start))
        top = answer[0].argmax()
        for first in range(0, channels, BATCH):
            count = min(BATCH, channels - first)
            edited = np.repeat(start, count, axis=0)
            edited[np.arange(count), :, :, first + np.arange(count)] = 0
            found.append(answer[0, top] - np.asarray(run(edited))[:, top])
        return np.concatenate(found)

    return effects


def _sources(layer: Any) -> list[Any]:
    inputs = layer.input if isinstance(layer.input, list) else [layer.input]
    return [tensor._keras_history.operation for tensor in inputs]


def effects_of_channels(repeats: int) -> list[Row]:
    """All 240 channels of a layer, beside the same passes by hand, warm, in turn."""
    model, x = network("EfficientNet-Lite0")
    hand = by_hand(model, x, LAYER)
    expected, found = hand(), aw.channel_effects(model, x, LAYER)
    np.testing.assert_allclose(found[0], expected, atol=1e-5)
    taken: dict[str, list[float]] = {"hand": [], "own": []}
    for _ in range(repeats):
        for name, run in (("hand", hand), ("own", lambda: aw.channel_effects(model, x, LAYER))):
            start = time.perf_counter()
            run()
            taken[name].append(time.perf_counter() - start)
    base = float(np.median(taken["hand"]))
    what = f"effects of {found.shape[1]} channels"
    return [
        Row.of(f"{what}, by hand", taken["hand"], "s"),
        Row.of(what, taken["own"], "s", goal=1.1 * base, base=base, base_name="by hand"),
    ]


STEP_LAYER = "block15_dw"


def steps_of_the_slider(repeats: int) -> list[Row]:
    """A step of the slider up to the message to the page, beside the bare partial pass of one sample."""
    model, x = network("EfficientNet-Lite0")
    start, run = partial_by_hand(model, x, STEP_LAYER)
    view = aw.LayerExplorer(model, x, layer=STEP_LAYER, show="what_if")
    view.edits = {STEP_LAYER: aw.Scale([3, 4, 5], 0.5)}
    slider = view._screen.controls.widget("what_if_factor")
    taken: dict[str, list[float]] = {"hand": [], "own": []}
    with patch.object(view, "_check_weights_soon"):  # with a page that comes after the figure is drawn
        for step in range(repeats + 2):
            begin = time.perf_counter()
            np.asarray(run(start))
            middle = time.perf_counter()
            slider.value = 0.01 * (step + 1)
            end = time.perf_counter()
            if step >= 2:
                taken["hand"].append(1000 * (middle - begin))
                taken["own"].append(1000 * (end - middle))
    view.close()
    base = float(np.median(taken["hand"]))
    return [
        Row.of("partial pass by hand", taken["hand"], "ms"),
        Row.of("a step of the slider, without the page", taken["own"], "ms", goal=base + 80),
    ]


PARTIAL = f"""
import sys, time
sys.path[:0] = [{str(Path(__file__).parent)!r}, {str(Path(__file__).parents[1])!r}]
import numpy as np
from what_if import partial_by_hand
start, run = partial_by_hand(model, x, {STEP_LAYER!r})
def partial():
    begin = time.perf_counter()
    np.asarray(run(start))
    return (time.perf_counter() - begin) * 1000
partial()
view.edits = {{{STEP_LAYER!r}: aw.Scale([3, 4, 5], 0.5)}};
"""


def steps_on_a_page(repeats: int) -> list[Row]:
    """From the press of an arrow key on the slider to the painted figure, beside the bare partial pass."""
    hand, own = [], []
    with tempfile.TemporaryDirectory() as folder, jupyter_lab(Path(folder)) as address, browser() as chromium:
        write_notebook(Path(folder) / "what_if.ipynb", "0")
        notebook = Notebook(new_page(chromium, viewport={"width": 1400, "height": 1000}), address, "what_if.ipynb")
        notebook.run(
            f"import actwidget as aw\n{SOURCES['EfficientNet-Lite0']}\n"
            f"view = aw.LayerExplorer(model, x, layer={STEP_LAYER!r}, show='what_if')\nview"
        )
        explorer = Explorer(notebook)
        notebook.ask(PARTIAL)
        explorer.settle()
        handle = explorer.element.locator(".noUi-handle")
        for step in range(repeats + 2):
            taken = painted(notebook, explorer.graph, handle, "", "ArrowRight")
            explorer.settle()
            if step >= 2:
                own.append(taken)
                hand.append(float(notebook.ask("print(partial())")))
        notebook.shut_down()
        assert notebook.errors == [], notebook.errors
    return [
        Row.of("partial pass by hand, in that kernel", hand, "ms"),
        Row.of("key on the slider to paint", own, "ms", goal=float(np.median(hand)) + 80),
    ]


def what_if(repeats: int) -> list[Row]:
    """All that is measured of what if."""
    return [*effects_of_channels(5), *steps_of_the_slider(repeats), *steps_on_a_page(repeats)]
