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
ARITHMETIC = IMAGE.replace(
    'layer="block1_expand_relu", channel=17',
    'state={"show": "arithmetic", "layer": "stem_conv", "channel": 3, "position": [40, 60]}',
)
OVERVIEW = IMAGE.replace("channel=17", 'channel=17, show="overview"')
COSTS = IMAGE.replace("channel=17", 'channel=17, state={"show": "overview", "options": {"overview_columns": "cost"}}')
STRIPS = COSTS.replace('"cost"', '"pictures"')
WHAT_IF = IMAGE.replace(
    'layer="block1_expand_relu", channel=17',
    'state={"show": "what_if", "layer": "block5_dw", "options": {"what_if_change": "scale"}, "edits": '
    '{"block5_dw": [{"class": "Scale", "channels": [17, 20, 21, 22], "factor": 0.25, "axis": -1}], '
    '"head_conv": [{"class": "Ablate", "channels": [3], "value": 0.0, "axis": -1}]}}',
)
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
# What a view computes when it is asked to.
RUN = "view.run()\nview\n"


def computed(cell: str, options: dict[str, str], show: str = "why") -> str:
    """A cell whose explorer shows what a view has computed, with some options."""
    *lines, last = cell.strip().split("\n")
    opened = f"view = {last}\nview.options = {options!r}\nview.show = {show!r}\n"
    return "\n".join([*lines, opened + RUN])


# A small network, since integrated gradients take 51 passes.
SMALL = """
import keras, actwidget as aw
from actwidget.samples import photo
keras.utils.set_random_seed(1)
layers = [keras.Input((96, 96, 3)), keras.layers.Rescaling(1 / 255)]
layers += [keras.layers.Conv2D(8, 3, 2, activation="relu"), keras.layers.Conv2D(8, 3, 2, activation="relu")]
layers += [keras.layers.Flatten(), keras.layers.Dense(5, "softmax")]
aw.LayerExplorer(keras.Sequential(layers, name="small"), photo("coffee", 96), layer=1, channel=2)
"""
WHY = computed(SMALL, {"why_method": "integrated_gradients"})
WHY_MAP = computed(IMAGE, {"why_method": "grad_cam"})
WHY_CHANNELS = computed(IMAGE, {"why_about": "layer", "why_method": "gradient_x_input"})
WHY_WORDS = computed(ATTENTION, {})
WHY_FEATURES = computed(DENSE, {})
IDEAL_INPUT = computed(IMAGE, {}, "ideal_input")
SAMPLES = """
import keras, numpy as np, actwidget as aw
from sklearn.datasets import load_digits
digits = load_digits()
x, labels = (digits.images[..., None] / 16).astype("float32"), digits.target
keras.utils.set_random_seed(0)
layers = [keras.Input((8, 8, 1)), keras.layers.Conv2D(16, 3, activation="relu", name="conv")]
layers += [keras.layers.MaxPooling2D(name="pool"), keras.layers.Flatten(name="flat")]
layers += [keras.layers.Dense(32, activation="relu", name="hidden"), keras.layers.Dense(10, "softmax", name="digit")]
model = keras.Sequential(layers, name="digits")
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x[:800], labels[:800], epochs=6, verbose=0)
scan = aw.scan(model, x, labels=labels, progress=False)
names = "zero one two three four five six seven eight nine".split()
aw.LayerExplorer(model, x[:2], scan=scan, class_names=names, layer="hidden", show="samples")
"""
SAMPLES_LABEL = computed(SAMPLES, {"samples_color": "label", "samples_picked": 5}, "samples")
SIMILARITY = SAMPLES.replace('show="samples"', 'show="similarity"')
# With the same network before its training.
SIMILARITY_BEFORE = computed(
    SAMPLES.replace(
        "scan=scan", "scan=[scan, aw.scan(keras.models.clone_model(model), x, labels=labels, progress=False)]"
    ),
    {"similar_to": "scan[1]"},
    "similarity",
)
# A scan of a data set, small enough to be trained and counted on the spot.
EXAMPLES = """
import keras, numpy as np, actwidget as aw
from sklearn.datasets import load_digits
digits = load_digits()
keras.utils.set_random_seed(3)
x = digits.images[..., None].astype("float32")
stack = [keras.Input((8, 8, 1)), keras.layers.Conv2D(12, 3, activation="relu", name="edges")]
stack += [keras.layers.Conv2D(16, 3, activation="relu", name="shapes"), keras.layers.Flatten()]
model = keras.Sequential([*stack, keras.layers.Dense(10, "softmax", name="digit")], name="digits")
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, digits.target, epochs=4, verbose=0)
scan = aw.scan(model, x, labels=digits.target, progress=False)
names = [str(digit) for digit in range(10)]
aw.LayerExplorer(model, x[:8], class_names=names, scan=scan, layer="shapes", channel=9, show="examples")
"""
EXAMPLES_PHOTOS = """
import numpy as np, actwidget as aw
from skimage import data
from skimage.transform import resize
from actwidget.samples import efficientnet_lite0, imagenet_class_names, photo
names, model = ("coffee", "astronaut", "cat", "rocket"), efficientnet_lite0()
whole = [photo(name, 448) for name in names]
x = np.concatenate([[each[r : r + 224, c : c + 224] for r in (0, 112, 224) for c in (0, 112, 224)] for each in whole])
scan = aw.scan(model, x, ["block3_expand_bn"], labels=np.repeat(np.arange(4), 9), progress=False)
view = aw.LayerExplorer(model, x[:2], scan=scan, layer="block3_expand_bn", channel=12, show="examples")
view.options = {"example": 1}
view
"""
EXAMPLES_WORDS = """
import keras, numpy as np, actwidget as aw
keras.utils.set_random_seed(1)
words = "· the a good bad film was is very not plot actor boring great fun dull and cast story end".split()
random = np.random.default_rng(0)
x = random.integers(1, len(words), (400, 24))
for row in x:
    row[random.integers(12, 24) :] = 0
good, bad = ([words.index(each) for each in listed.split()] for listed in ("good great fun", "bad boring dull"))
y = (np.isin(x, good).sum(1) > np.isin(x, bad).sum(1)).astype(int)
inputs = keras.Input((24,), name="tokens", dtype="int32")
z = keras.layers.Embedding(len(words), 12, name="embedding")(inputs)
z = keras.layers.Conv1D(10, 3, padding="same", activation="relu", name="phrases")(z)
z = keras.layers.GlobalMaxPooling1D(name="strongest")(z)
model = keras.Model(inputs, keras.layers.Dense(2, activation="softmax", name="mood")(z), name="reviews")
model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
model.fit(x, y, epochs=8, verbose=0)
scan = aw.scan(model, x, labels=y, progress=False)
aw.LayerExplorer(model, x[:4], tokens=dict(enumerate(words)), class_names=["bad", "good"], scan=scan, layer="phrases",
    channel=int(np.abs(np.diff(scan.by_label("phrases").means, axis=0)).argmax()), show="examples")
"""
EXAMPLES_TABLE = """
import keras, numpy as np, actwidget as aw
from sklearn.datasets import load_wine
wine = load_wine(as_frame=True)
x, y = wine.data, wine.target.to_numpy()
keras.utils.set_random_seed(1)
scaled = keras.layers.Normalization(name="scaled")
scaled.adapt(x.to_numpy())
stack = [keras.Input((13,)), scaled, keras.layers.Dense(16, activation="relu", name="hidden")]
model = keras.Sequential([*stack, keras.layers.Dense(3, "softmax", name="cultivar")], name="wines")
model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
model.fit(x.to_numpy(), y, epochs=15, verbose=0)
scan = aw.scan(model, x.to_numpy(), labels=y, progress=False)
aw.LayerExplorer(model, x[:6], scan=scan, layer="hidden", channel=4, class_names=["Barolo", "Grignolino", "Barbera"],
    show="examples")
"""
EXAMPLES_NUMBERS = EXAMPLES.replace('channel=9, show="examples"', "channel=9")
KINDS = {
    "image": IMAGE, "overlay": OVERLAY, "comparison": COMPARISON, "table": TABLE, "weights": WEIGHTS,
    "arithmetic": ARITHMETIC, "what_if": WHAT_IF, "ideal_input": IDEAL_INPUT,
    "overview": OVERVIEW, "costs": COSTS, "strips": STRIPS,
    "sequence": SEQUENCE, "dense": DENSE, "classes": CLASSES, "attention": ATTENTION,
    "masked": MASKED, "volume": VOLUME, "labels": LABELS,
    "samples": SAMPLES, "examples": EXAMPLES,
    "why": WHY, "why_map": WHY_MAP, "why_channels": WHY_CHANNELS, "why_words": WHY_WORDS, "why_features": WHY_FEATURES,
}  # fmt: skip
MORE = {
    "examples_photos": EXAMPLES_PHOTOS, "examples_words": EXAMPLES_WORDS, "examples_table": EXAMPLES_TABLE,
    "examples_numbers": EXAMPLES_NUMBERS, "samples_label": SAMPLES_LABEL, "similarity": SIMILARITY,
    "similarity_before": SIMILARITY_BEFORE,
}  # fmt: skip
"""For screenshots alone: their layout is that of a kind above."""
