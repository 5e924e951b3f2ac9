"""What other packages make of the activations of one layer: `python tests/benchmarks/packages.py`.

It makes an environment in a temporary folder and puts the latest release of each package beside it, so
that all run with the same TensorFlow and Keras. The layer is the second of two convolutions, `conv2`; what a package
gives is compared with calling the layers one after the other. It takes some minutes and a network.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

COMMON = ("tensorflow-cpu>=2.21", "keras>=3.15", "matplotlib", "scipy", "imageio", "deprecated", "packaging")
# What some of the packages need without saying so, or bring in another build.
UNSAID = ("opencv-python-headless", "scikit-learn", "termcolor", "tqdm")
MODELS = ("functional", "nested", "subclassed")

# For each package what gives the activation of `conv2`, and what gives it inside the nested model `base`.
KERACT = "import keract; value = list(keract.get_activations(model, x, layer_names=[{0!r}], nested={1}).values())[-1]"
EXPLAIN = (
    "from tf_explain.core.activations import ExtractActivations;"
    "value = ExtractActivations().explain((x, None), model, ['conv2'])"
)
GRADCAM = (
    "from tf_keras_vis.gradcam import Gradcam; from tf_keras_vis.utils.scores import CategoricalScore;"
    "value = Gradcam(model)(CategoricalScore(1), x, penultimate_layer='conv2')"
)
# Its own __init__ keeps quiet about what could not be imported.
SEE_RNN = "from see_rnn.inspect_gen import get_outputs; value = get_outputs(model, 'conv2', x)"
CONV = (
    "from keras_conv_visualizer.intermediate_activations import IntermediateActivations;"
    "IntermediateActivations(model).plot_intermediate_activations(x[0], layer_name='conv2'); value = None"
)
GRID = (
    "from VisualiseKerasLayers.Visualise import display_activations_grid;"
    "display_activations_grid(model, x[0], (8, 8, 1)); value = None"
)
PLAIN = "value = keras.Model(model.input, model.get_layer('conv2').output)(x)"
INNER = "value = keras.Model(model.input, model.get_layer('base').get_layer('conv2').output)(x)"
OURS = "import actwidget; value = actwidget.activations(model, x, {0!r})[{0!r}]"
TRIED = {
    "keras": (PLAIN, INNER),
    "keract": (KERACT.format("conv2", False), KERACT.format("base/conv2", True)),
    "tf-explain": (EXPLAIN, EXPLAIN),
    "tf-keras-vis": (GRADCAM, GRADCAM),
    "see-rnn": (SEE_RNN, SEE_RNN),
    "keras-conv-visualizer": (CONV, CONV),
    "visualisekeraslayers": (GRID, GRID),
    "actwidget": (OURS.format("conv2"), OURS.format("base/conv2")),
}

PROGRAM = """
import sys
from importlib.metadata import version
import keras, numpy as np

kind, package, code = sys.argv[1:]
keras.utils.set_random_seed(0)
first = keras.layers.Conv2D(16, 3, activation="relu", name="conv1")
second = keras.layers.Conv2D(16, 3, activation="relu", name="conv2")
last = [keras.layers.GlobalAveragePooling2D(name="pool"), keras.layers.Dense(3, name="dense")]

class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2, self.pool, self.dense = first, second, *last

    def call(self, inputs):
        return self.dense(self.pool(self.conv2(self.conv1(inputs))))

x = np.random.default_rng(0).random((1, 8, 8, 1), np.float32)
image = keras.Input((8, 8, 1))
if kind == "functional":
    model = keras.Model(image, last[1](last[0](second(first(image)))))
elif kind == "nested":
    base = keras.Model(image, second(first(image)), name="base")
    outer = keras.Input((8, 8, 1))
    model = keras.Model(outer, last[1](last[0](base(outer))))
else:
    model = Subclassed()
    model(x)
try:
    exec(code)
except BaseException as error:
    lines = str(error).strip().splitlines()
    result = f"{type(error).__name__}: {lines[0] if lines else ''}"
else:
    truth = second(first(x)).numpy()
    if value is None or np.shape(value) != truth.shape:
        result = f"a picture{'' if value is None else f', {np.shape(value)}'}"
    else:
        result = "the values" if np.allclose(value, truth, atol=1e-5) else "other values"
print("RESULT", version(package), result, sep="|")
"""


def main() -> None:
    """Prints one line for each package and model."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        venv.create(home / "venv", with_pip=True)
        python = str(home / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python")
        install = [python, "-m", "pip", "install", "--quiet"]
        subprocess.run([*install, *COMMON, *UNSAID], check=True)
        subprocess.run([*install, str(Path(__file__).parents[2])], check=True)
        for package, (plain, nested) in TRIED.items():
            beside = home / package
            if package not in {"keras", "actwidget"}:
                subprocess.run([*install, "--no-deps", "--target", str(beside), package], check=True)
            for kind in MODELS:
                code = nested if kind == "nested" else plain
                print(f"{package:22} {kind:12} {tried(python, beside, kind, package, code)}", flush=True)


def tried(python: str, beside: Path, kind: str, package: str, code: str) -> str:
    """The version, and what came of it in one line."""
    environment = {**os.environ, "PYTHONPATH": str(beside), "MPLBACKEND": "Agg", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [python, "-c", PROGRAM, kind, package, code]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    found = [line for line in run.stdout.splitlines() if line.startswith("RESULT|")]
    return " ".join(found[-1].split("|", 2)[1:]) if found else f"no result: {run.stderr.strip().splitlines()[-1:]}"


if __name__ == "__main__":
    main()
