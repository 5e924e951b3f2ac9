"""Makes the gallery, an offline explorer for each kind of model: `python docs/gallery.py [kind ...]`.

The networks are small and trained here, within seconds, on data that scikit-learn and scikit-image bring along; a seed
makes them the same each time on one machine.
"""

from __future__ import annotations

import base64
import io
import os
import re
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

DOCS = Path(__file__).resolve().parent
FOLDER = DOCS / "made" / "gallery"
LIMIT = 3_000_000
"""No page takes more bytes than this."""
MARGIN = 15_000
"""How far from that a page stays."""
THUMBNAIL = (560, 350)


def convnet():
    """EfficientNet-Lite0, with its real weights, looks at a cup of coffee."""
    import actwidget as aw
    from actwidget.samples import efficientnet_lite0, imagenet_class_names, photo

    model, names = efficientnet_lite0(), imagenet_class_names()
    return aw.LayerExplorer(model, photo("coffee"), class_names=names, layer="block1_project_bn", channel=4)


def u_net():
    """A U-Net finds the coins in a photograph."""
    import keras
    import numpy as np
    from scipy.ndimage import binary_fill_holes
    from skimage import data, filters, transform

    import actwidget as aw

    picture = transform.resize(data.coins(), (192, 256), anti_aliasing=True).astype("float32")
    # What counts as a coin is computed: brighter than its neighbourhood, and without holes.
    coin = binary_fill_holes(picture > filters.threshold_local(picture, 101)).astype("float32")
    random = np.random.default_rng(0)
    corners = [(random.integers(128), random.integers(192)) for _ in range(400)]
    x = np.stack([picture[r : r + 64, c : c + 64, None] for r, c in corners])
    y = np.stack([coin[r : r + 64, c : c + 64, None] for r, c in corners])

    layers = keras.layers

    def block(z, filters, name):
        z = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"{name}_conv1")(z)
        return layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"{name}_conv2")(z)

    image = keras.Input((64, 64, 1), name="image")
    z, skips = image, []
    for depth, filters_here in enumerate((8, 16)):
        z = block(z, filters_here, f"down{depth}")
        skips.append(z)
        z = layers.MaxPooling2D(name=f"down{depth}_pool")(z)
    z = block(z, 32, "bottom")
    for depth, filters_here in ((1, 16), (0, 8)):
        z = layers.UpSampling2D(name=f"up{depth}_larger")(z)
        z = layers.Concatenate(name=f"up{depth}_skip")([z, skips[depth]])
        z = block(z, filters_here, f"up{depth}")
    model = keras.Model(image, layers.Conv2D(1, 1, activation="sigmoid", name="coin")(z), name="u_net")
    model.compile(keras.optimizers.Adam(3e-3), "binary_crossentropy")
    model.fit(x, y, batch_size=20, epochs=5, verbose=0)
    return aw.LayerExplorer(model, x[:3], layer="up0_conv2", channel=0)


def transformer():
    """A transformer reads twelve words and says which data set the text is about."""
    import keras
    import numpy as np
    from sklearn import datasets

    import actwidget as aw

    topics = {"wine": "load_wine", "cancer": "load_breast_cancer", "diabetes": "load_diabetes", "iris": "load_iris"}
    texts = [re.findall(r"[a-z]{2,}", getattr(datasets, name)().DESCR.lower()) for name in topics.values()]
    words = sorted({word for text in texts for word in text})
    number = {word: index for index, word in enumerate(words)}
    length = 12
    windows = [
        (text[start : start + length], topic) for topic, text in enumerate(texts) for start in range(len(text) - length)
    ]
    x = np.array([[number[word] for word in window] for window, _ in windows])
    y = np.array([topic for _, topic in windows])

    layers = keras.layers
    strong = keras.initializers.RandomNormal(stddev=1.0)  # so that attention tells words apart from the start
    tokens = keras.Input((length,), name="words", dtype="int32")
    z = layers.Embedding(len(words), 16, strong, name="meaning")(tokens)
    places = keras.ops.cumsum(keras.ops.ones_like(tokens), axis=1) - 1
    z = layers.Add(name="with_place")([z, layers.Embedding(length, 16, strong, name="place")(places)])
    for block in (1, 2):
        attended = layers.MultiHeadAttention(4, 8, name=f"block{block}_attention")(z, z)
        z = layers.LayerNormalization(name=f"block{block}_norm1")(layers.Add(name=f"block{block}_add1")([z, attended]))
        fed = layers.Dense(32, activation="gelu", name=f"block{block}_dense1")(z)
        fed = layers.Dense(16, name=f"block{block}_dense2")(fed)
        z = layers.LayerNormalization(name=f"block{block}_norm2")(layers.Add(name=f"block{block}_add2")([z, fed]))
    z = layers.GlobalAveragePooling1D(name="mean")(z)
    model = keras.Model(tokens, layers.Dense(len(topics), activation="softmax", name="topic")(z), name="transformer")
    model.compile(keras.optimizers.Adam(5e-3), "sparse_categorical_crossentropy")
    model.fit(x, y, batch_size=64, epochs=8, verbose=0)
    shown = [text.index(word) - 5 for text, word in zip(texts, ("alcohol", "cell", "blood", "petal"), strict=True)]
    starts = np.cumsum([0, *(len(text) - length for text in texts[:-1])])
    samples = x[starts + np.maximum(shown, 0)]
    return aw.LayerExplorer(
        model, samples, tokens=dict(enumerate(words)), class_names=[*topics], layer="block1_attention/scores", channel=1
    )


def lstm():
    """An LSTM reads a handwritten digit from top to bottom, one row of pixels at each step."""
    import keras

    import actwidget as aw
    from actwidget.samples import digits

    images, labels = digits()
    layers = keras.layers
    rows = keras.Input((8, 8), name="rows")
    z = layers.LSTM(32, return_sequences=True, name="reader")(rows)
    z = layers.LSTM(24, name="last_state")(z)
    model = keras.Model(rows, layers.Dense(10, activation="softmax", name="digit")(z), name="lstm")
    model.compile(keras.optimizers.Adam(5e-3), "sparse_categorical_crossentropy")
    model.fit(images[8:, ..., 0], labels[8:], batch_size=32, epochs=12, verbose=0)
    return aw.LayerExplorer(
        model, images[:8, ..., 0], labels=labels[:8], class_names=[str(digit) for digit in range(10)],
        tokens=[f"row {row}" for row in range(1, 9)], layer="reader", channel=3, sample=3,
    )  # fmt: skip


def tabular():
    """A network of dense layers tells three cultivars of wine apart by thirteen measurements."""
    import keras
    from sklearn.datasets import load_wine

    import actwidget as aw

    wine = load_wine(as_frame=True)
    x, y = wine.data.astype("float32"), wine.target.to_numpy()
    scaled = keras.layers.Normalization(name="scaled")
    scaled.adapt(x.to_numpy())
    stack = [keras.Input((13,), name="measurements"), scaled]
    stack += [keras.layers.Dense(16, activation="relu", name="hidden1")]
    stack += [
        keras.layers.Dense(8, activation="relu", name="hidden2"),
        keras.layers.Dense(3, "softmax", name="cultivar"),
    ]
    model = keras.Sequential(stack, name="tabular")
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(x.to_numpy(), y, epochs=25, verbose=0)
    chosen = [0, 20, 60, 80, 140, 160]
    scan = aw.scan(model, x.to_numpy(), labels=y, progress=False)
    explorer = aw.LayerExplorer(
        model,
        x.iloc[chosen],
        labels=y[chosen],
        class_names=["Barolo", "Grignolino", "Barbera"],
        scan=scan,
        layer="hidden1",
    )
    explorer.show = "why"
    explorer.run()
    return explorer


def autoencoder():
    """An autoencoder presses a handwritten digit into two numbers and draws it again from these."""
    import keras

    import actwidget as aw
    from actwidget.samples import digits

    images, labels = digits()
    layers = keras.layers
    stack = [keras.Input((8, 8, 1), name="digit")]
    stack += [
        layers.Conv2D(16, 3, 2, "same", activation="relu", name="encoder_conv"),
        layers.Flatten(name="encoder_flat"),
    ]
    stack += [layers.Dense(64, activation="relu", name="encoder_dense"), layers.Dense(2, name="code")]
    stack += [layers.Dense(64, activation="relu", name="decoder_dense1")]
    stack += [
        layers.Dense(256, activation="relu", name="decoder_dense2"),
        layers.Reshape((4, 4, 16), name="decoder_maps"),
    ]
    stack += [layers.Conv2DTranspose(8, 3, 2, "same", activation="relu", name="decoder_conv")]
    stack += [layers.Conv2D(1, 3, padding="same", activation="sigmoid", name="drawn")]
    model = keras.Sequential(stack, name="autoencoder")
    model.compile(keras.optimizers.Adam(4e-3), "binary_crossentropy")
    model.fit(images, images, batch_size=32, epochs=30, verbose=0)
    scan = aw.scan(model, images, labels=labels, progress=False)
    explorer = aw.LayerExplorer(model, images[:10], scan=scan, layer="code", show="samples")
    explorer.options = {"samples_color": "label"}
    explorer.run()
    return explorer


def gan():
    """The generator of a GAN draws digits from noise; it has learned from 1,797 real ones."""
    import keras
    import numpy as np
    import tensorflow as tf

    import actwidget as aw
    from actwidget.samples import digits

    images, _ = digits()
    layers = keras.layers
    generator = keras.Sequential([
        keras.Input((16,), name="noise"), layers.Dense(4 * 4 * 32, activation="relu", name="start"),
        layers.Reshape((4, 4, 32), name="maps"),
        layers.Conv2DTranspose(24, 4, 2, "same", activation="relu", name="larger"),
        layers.Conv2D(16, 3, padding="same", activation="relu", name="strokes"),
        layers.Conv2D(1, 3, padding="same", activation="sigmoid", name="digit"),
    ], name="generator")  # fmt: skip
    critic = keras.Sequential([
        keras.Input((8, 8, 1)), layers.Conv2D(32, 3, 2, "same"), layers.LeakyReLU(0.2), layers.Dropout(0.3),
        layers.Conv2D(48, 3, 2, "same"), layers.LeakyReLU(0.2), layers.Dropout(0.3), layers.Flatten(), layers.Dense(1),
    ])  # fmt: skip
    told_apart = keras.losses.BinaryCrossentropy(from_logits=True)

    class Game(keras.Model):
        """Both networks, which learn from each other."""

        def train_step(self, real):
            with tf.GradientTape(persistent=True) as tape:
                drawn = generator(tf.random.normal((64, 16)), training=True)
                of_real, of_drawn = critic(real, training=True), critic(drawn, training=True)
                found = told_apart(0.9 * tf.ones_like(of_real), of_real) + told_apart(tf.zeros_like(of_drawn), of_drawn)
                fooled = told_apart(tf.ones_like(of_drawn), of_drawn)
            for network, loss, optimizer in ((critic, found, critics), (generator, fooled, generators)):
                weights = network.trainable_variables
                optimizer.apply(tape.gradient(loss, weights), weights)
            return {"fooled": fooled}

    critics, generators = keras.optimizers.Adam(5e-4, 0.5), keras.optimizers.Adam(1e-3, 0.5)
    game = Game()
    game.compile()
    game.fit(images, batch_size=64, epochs=60, verbose=0)
    noise = np.random.default_rng(0).normal(size=(8, 16)).astype("float32")
    return aw.LayerExplorer(generator, noise, layer="digit", show="every_sample")


LAYERS = {
    "convnet": [f"block{block}_project_bn" for block in (1, 5, 11, 15)],
    "u_net": [
        "up0_conv2", "coin", "down0_conv2", "up0_skip", "bottom_conv2", "down0_pool", "down1_conv2", "up1_conv2",
        "up0_larger", "up1_skip", "down0_conv1", "image",
    ],
}  # fmt: skip
"""The layers of a page that has no room for all, the most wanted first."""
KINDS = (convnet, u_net, transformer, lstm, tabular, autoencoder, gan)


def make(kinds=KINDS) -> None:
    """Writes the page and the picture of each kind, unless they are newer than all that they are made from."""
    sources = [Path(__file__), *(DOCS.parent / "actwidget").rglob("*.*")]
    newest = max(path.stat().st_mtime for path in sources if path.suffix in {".py", ".js", ".css"})
    FOLDER.mkdir(parents=True, exist_ok=True)
    for kind in kinds:
        page, picture = (FOLDER / f"{kind.__name__}.{suffix}" for suffix in ("html", "webp"))
        if page.exists() and picture.exists() and min(path.stat().st_mtime for path in (page, picture)) > newest:
            continue
        import keras

        keras.backend.clear_session()
        keras.utils.set_random_seed(0)
        explorer = kind()
        save(explorer, page, LAYERS.get(kind.__name__))
        thumbnail(explorer).save(picture, quality=82)
        explorer.close()


def save(explorer, page: Path, layers: list[str] | None) -> None:
    """Writes an explorer's page with as much as it has room for, beside plotly.js and the explorer's own code."""
    room = LIMIT // 3
    explorer.to_html(page, layers=layers, max_bytes=room)
    while (over := page.stat().st_size - LIMIT + MARGIN) > 0:
        room -= over
        explorer.to_html(page, layers=layers, max_bytes=room)


def thumbnail(explorer):
    """The upper left part of the snapshot that a notebook stores of an explorer."""
    from PIL import Image, ImageOps

    png = explorer._repr_mimebundle_()["image/png"]
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    return ImageOps.fit(picture, THUMBNAIL, centering=(0, 0))


if __name__ == "__main__":
    wanted = [kind for kind in KINDS if kind.__name__ in (sys.argv[1:] or [kind.__name__ for kind in KINDS])]
    for each in wanted:
        began = time.perf_counter()
        make([each])
        print(each.__name__, (FOLDER / f"{each.__name__}.html").stat().st_size, f"{time.perf_counter() - began:.1f} s")
