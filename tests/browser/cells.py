"""Cells that show each kind of layer and view: for screenshots, and for tests of the layout."""

from __future__ import annotations

IMAGE = """
import actwidget as aw
from actwidget.samples import efficientnet_lite0, imagenet_class_names, photo
model, names = efficientnet_lite0(), imagenet_class_names()
aw.LayerExplorer(model, photo("coffee"), class_names=names, layer="block1_expand_relu", channel=17)
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
layers += [keras.layers.Dense(1024, activation="tanh", name="hidden_2")]
layers += [keras.layers.Dense(3, activation="softmax", name="species")]
model = keras.Sequential(layers, name="mlp")
aw.LayerExplorer(model, np.random.default_rng(0).normal(size=(8, 20)), layer="hidden_1", channel=5)
"""
ATTENTION = """
import keras, numpy as np, actwidget as aw
keras.utils.set_random_seed(2)
layers = keras.layers
strong = keras.initializers.RandomNormal(stddev=2.0)
class Block(layers.Layer):
    def __init__(self, width, heads, **kwargs):
        super().__init__(**kwargs)
        self.attention = layers.MultiHeadAttention(heads, width // heads, name="attention")
        self.feed = keras.Sequential([layers.Dense(32, activation="gelu"), layers.Dense(width)], name="feed")
        self.norm = layers.LayerNormalization(name="norm")
    def call(self, inputs):
        y = self.norm(inputs + self.attention(inputs, inputs))
        return y + self.feed(y)
class Reader(keras.Model):
    def __init__(self):
        super().__init__(name="reader")
        self.embedding = layers.Embedding(50, 16, embeddings_initializer=strong, mask_zero=True, name="embedding")
        self.blocks = [Block(16, 4, name=f"block_{number}") for number in (1, 2)]
        self.lstm = layers.LSTM(12, return_sequences=True, name="lstm")
        self.head = layers.Dense(3, activation="softmax", name="mood")
    def call(self, inputs):
        y = self.embedding(inputs)
        for block in self.blocks:
            y = block(y)
        return self.head(self.lstm(y)[:, -1])
words = "the cat sat on the mat and then it slept".split()
x = np.zeros((1, 14), int)
x[0, : len(words)] = [3, 7, 9, 4, 3, 12, 5, 8, 11, 2]
tokens = [words + ["·"] * 4]
aw.LayerExplorer(Reader(), x, tokens=tokens, layer="block_1/attention/scores", channel=2)
"""
MASKED = ATTENTION.replace('layer="block_1/attention/scores", channel=2', 'layer="embedding", channel=4')
OVERLAY = IMAGE.replace(
    'layer="block1_expand_relu", channel=17',
    'state={"show": "overlay", "layer": "block5_expand_relu", "channel": 30, "position": [14, 12]}',
)
TABLE = IMAGE.replace("channel=17", 'channel=17, show="table"')
WEIGHTS = IMAGE.replace('layer="block1_expand_relu", channel=17', 'layer="stem_conv", channel=3, show="weights"')
OVERVIEW = IMAGE.replace("channel=17", 'channel=17, show="overview"')
COSTS = IMAGE.replace("channel=17", 'channel=17, state={"show": "overview", "options": {"overview_columns": "cost"}}')
STRIPS = COSTS.replace('"cost"', '"pictures"')
COMPARISON = (
    IMAGE.replace('photo("coffee")', 'np.stack([photo("coffee"), photo("astronaut")])')
    .replace("channel=17", "channel=17, compare=1")
    .replace("import actwidget", "import numpy as np, actwidget")
)
VOLUME = """
import keras, numpy as np, actwidget as aw
keras.utils.set_random_seed(1)
x = keras.Input((12, 32, 32, 1), name="scan")
y = keras.layers.Conv3D(12, 3, padding="same", activation="relu", name="conv")(x)
model = keras.Model(x, keras.layers.Dense(2)(keras.layers.GlobalMaxPooling3D()(y)), name="volumes")
z, r, c = np.indices((12, 32, 32))
ball = (((z - 6) / 5) ** 2 + ((r - 16) / 11) ** 2 + ((c - 14) / 9) ** 2 < 1).astype("float32")[None, ..., None]
aw.LayerExplorer(model, ball, state={"layer": "conv", "channel": 4, "slice": 3})
"""
CLASSES = """
import actwidget as aw
from actwidget.samples import efficientnet_lite0, imagenet_class_names, photo
model, names = efficientnet_lite0(), imagenet_class_names()
aw.LayerExplorer(model, photo("coffee"), class_names=names, layer="predictions", labels=[names.index("espresso")])
"""
LABELS = """
import keras, numpy as np, actwidget as aw
x = keras.Input((24, 24, 1))
y = keras.layers.Conv2D(5, 5, padding="same", name="conv")(x)
model = keras.Model(x, keras.ops.argmax(y, axis=-1), name="segmenter")
keras.utils.set_random_seed(4)
view = aw.LayerExplorer(model, np.random.default_rng(0).random((1, 24, 24, 1)))
view.layer = [node.path for node in view.tree][-1]
view
"""
KINDS = {
    "image": IMAGE, "overlay": OVERLAY, "comparison": COMPARISON, "table": TABLE, "weights": WEIGHTS,
    "overview": OVERVIEW, "costs": COSTS, "strips": STRIPS,
    "sequence": SEQUENCE, "dense": DENSE, "classes": CLASSES, "attention": ATTENTION,
    "masked": MASKED, "volume": VOLUME, "labels": LABELS,
}  # fmt: skip
