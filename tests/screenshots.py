"""Takes the screenshots of the explorer: `python tests/screenshots.py [folder]`.

Image, sequence and dense models, wide and narrow, light and dark, in real JupyterLab. `docs` pictures in the README come
from here.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from browser.lab import browser, jupyter_lab, open_notebook, set_theme, title_of, wait_for_explorer, write_notebook

IMAGE = """
import actwidget as aw
from actwidget.samples import efficientnet_lite0, imagenet_class_names, photo
aw.LayerExplorer(efficientnet_lite0(), photo("coffee"), class_names=imagenet_class_names(), layer="block1_expand_relu", channel=17)
"""
SEQUENCE = """
import keras, numpy as np, actwidget as aw
keras.utils.set_random_seed(1)
inputs = keras.Input((40,), name="tokens", dtype="int32")
x = keras.layers.Embedding(100, 16, name="embedding")(inputs)
x = keras.layers.Conv1D(24, 5, padding="same", activation="relu", name="conv")(x)
x = keras.layers.LSTM(32, return_sequences=True, name="lstm")(x)
x = keras.layers.GlobalMaxPooling1D(name="pool")(x)
model = keras.Model(inputs, keras.layers.Dense(5, activation="softmax", name="topic")(x), name="text_classifier")
aw.LayerExplorer(model, np.arange(80).reshape(2, 40), layer="lstm", channel=3)
"""
DENSE = """
import keras, numpy as np, actwidget as aw
keras.utils.set_random_seed(1)
layers = [keras.Input((20,), name="features"), keras.layers.Dense(64, activation="relu", name="hidden_1")]
layers += [keras.layers.Dense(1024, activation="tanh", name="hidden_2"), keras.layers.Dense(3, activation="softmax", name="species")]
model = keras.Sequential(layers, name="mlp")
aw.LayerExplorer(model, np.random.default_rng(0).normal(size=(8, 20)), layer="hidden_1", channel=5)
"""
SIZES = {"wide": (1400, 900), "narrow": (640, 1500)}
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


def main(folder: Path) -> None:
    """Writes the pictures into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, jupyter_lab(Path(scratch)) as address, browser() as chromium:
        for name, cell in {"image": IMAGE, "sequence": SEQUENCE, "dense": DENSE}.items():
            write_notebook(Path(scratch) / f"{name}.ipynb", cell)
            page = chromium.new_page(viewport={"width": 1400, "height": 900})
            open_notebook(page, address, f"{name}.ipynb")
            explorer = wait_for_explorer(page)
            for theme, theme_name in THEMES.items():
                set_theme(page, theme_name)
                for size, (width, height) in SIZES.items():
                    page.set_viewport_size({"width": width, "height": height})
                    explorer.scroll_into_view_if_needed()
                    page.wait_for_function("() => document.fonts.status === 'loaded'")
                    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
                    path = folder / f"{name}-{theme}-{size}.png"
                    explorer.screenshot(path=path)
                    print(path, title_of(explorer))  # noqa: T201 - a command's output
            page.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots"))
