"""What is said of a Keras that is not known, and that every private part in use is looked up."""

import ast
import re
import subprocess
import sys
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src.ops.node import Node

from actwidget.errors import ActwidgetError, UnsupportedKerasError
from actwidget.keras_internals import versions
from actwidget.keras_internals.versions import KNOWN, PARTS, Difference, check_releases, known_in_use

ROOM = Path(versions.__file__).parent
PACKAGE = ROOM.parent


def test_every_part_is_there_in_the_installed_releases():
    # Only the tests need Keras 2: whoever has a model of it has it installed.
    packages = {known.package for known in known_in_use()} | {"tf_keras"}
    parts = [part for part in PARTS if (package := part.owner.partition(".")[0]) in packages and find_spec(package)]
    assert [str(part) for part in parts if not part.is_there()] == []


def test_a_part_that_the_release_lacks_is_named_with_its_use_and_what_to_do(monkeypatch):
    monkeypatch.setattr(keras, "__version__", "4.1.0")
    monkeypatch.delattr(Node, "input_tensors")
    with pytest.raises(UnsupportedKerasError) as raised:
        check_releases()
    assert isinstance(raised.value, ActwidgetError)
    assert isinstance(raised.value, ImportError)
    assert re.fullmatch(
        r"Keras 4\.1\.0 has no `Node\.input_tensors` \(the edges of a model's graph\): "
        r"actwidget \S+ knows Keras 3\.8 to 3\.15\. "
        r"Install that, pip install 'keras==3\.15\.\*', or a newer actwidget\.",
        str(raised.value),
    )


def test_all_missing_parts_are_named_those_that_only_instances_have_too(monkeypatch):
    def init_without_losses(self):
        self._called = False

    monkeypatch.setattr(keras, "__version__", "3.99.0.dev0")
    monkeypatch.setattr(keras.Layer, "__init__", init_without_losses)
    monkeypatch.delattr(keras.Layer, "_flatten_layers")
    with pytest.raises(UnsupportedKerasError) as raised:
        check_releases()
    named = re.findall(r"`(\S+)`", str(raised.value))
    assert {"Layer._flatten_layers", "Layer._losses", "Layer._loss_ids"} <= set(named)
    assert "Layer._called" not in named


def test_an_unknown_release_that_has_every_part_is_taken(monkeypatch):
    monkeypatch.setattr(keras, "__version__", "4.1.0")
    monkeypatch.setattr(tf, "__version__", "3.0.0-rc1")
    check_releases()


@pytest.mark.backend("tensorflow")
def test_a_part_of_tensorflow_is_said_to_be_tensorflows(monkeypatch):
    from tensorflow.python.eager.context import Context

    monkeypatch.setattr(tf, "__version__", "2.40.0")
    monkeypatch.delattr(Context, "_internal_operation_seed")
    with pytest.raises(UnsupportedKerasError, match=r"TensorFlow 2\.40\.0 has no `Context\._internal_operation_seed`"):
        check_releases()


def test_on_known_releases_nothing_is_looked_up(monkeypatch):
    monkeypatch.setattr(versions.Part, "is_there", lambda part: pytest.fail(f"{part} was looked up"))
    check_releases()


def test_the_installed_releases_are_known():
    in_use = known_in_use()
    assert [known.package for known in in_use] == ["keras", keras.backend.backend()]
    assert all(versions._installed(known.package) in known for known in in_use)


DIFFERENCES = {name: value for name, value in vars(versions).items() if isinstance(value, Difference)}


def test_every_difference_is_between_known_releases_and_used_by_its_name():
    known = {each.package: each for each in KNOWN}
    sources = [*PACKAGE.rglob("*.py"), *(PACKAGE.parent / "tests").rglob("*.py")]
    others = [
        path.read_text(encoding="utf-8") for path in sources if path.name not in {"versions.py", Path(__file__).name}
    ]
    words = {word for source in others for word in re.findall(r"\w+", source)}
    for name, difference in DIFFERENCES.items():
        assert known[difference.package].oldest <= difference.oldest, f"{name} can go, and the code that asks for it"
        assert difference.oldest <= difference.newest < known[difference.package].newest
        assert name in words


@pytest.mark.parametrize(
    ("version", "applies"), [("3.9.2", False), ("3.10.0", True), ("3.13.2", True), ("3.14.0", False)]
)
def test_a_difference_applies_from_its_oldest_release_to_its_newest(monkeypatch, version, applies):
    monkeypatch.setattr(keras, "__version__", version)
    assert Difference("keras", (3, 10), (3, 13), "").applies is applies


def with_four_bits():
    layer = keras.layers.Dense(2)
    layer.build((None, 4))
    layer.quantize("int4")
    return layer


def is_given_to_no_layer():
    used, unused = keras.Input((2,)), keras.Input((2,))
    keras.Model([used, unused], keras.layers.Dense(2)(used))


class Either(keras.Layer):
    def call(self, first, second=None):
        return first if second is None else second


def either(kind):
    first, second = keras.Input((2,), name="first"), keras.Input((2,), name="second", optional=True)
    return keras.Model(kind(first=first, second=second), Either()(first, second))


def listed(**inputs):
    return [*inputs.values()]


class Told(keras.Layer):
    def call(self, inputs, training=None):
        if not training:
            raise ValueError(training)
        return inputs


class Around(keras.Layer):
    def __init__(self):
        super().__init__()
        self.inner = Told()

    def call(self, inputs):
        return self.inner(inputs)


# For each difference what raises an error where it applies, and nowhere else.
TRIALS = {
    "NO_RAGGED_INPUTS": lambda: keras.Input((None,), ragged=True),
    "NO_RMS_NORMALIZATION": lambda: keras.layers.RMSNormalization,
    "NAMED_INPUTS_NEEDED": lambda: either(dict)({"first": np.ones((1, 2)), "second": None}),
    "PREDICT_NEEDS_ALL_INPUTS": lambda: either(listed).predict([np.ones((1, 2)), None], verbose=0),
    "TRAINING_DROPPED": lambda: Around()(np.ones(2), training=True),
    "NO_SPARSE_SIGMOID": lambda: keras.ops.sparse_sigmoid,
    "NO_INT4": with_four_bits,
    "INT4_ALONG_INPUTS": lambda: with_four_bits()._kernel.assign(np.zeros((4, 1))),
    "INT4_STAYS_PACKED": lambda: keras.ops.convert_to_numpy(with_four_bits().kernel).reshape(4, 2),
    "NO_GPTQ": lambda: keras.dtype_policies.GPTQDTypePolicy,
    "UNUSED_INPUTS_REFUSED": is_given_to_no_layer,
}


# Ragged tensors are there on TensorFlow alone.
TRIED = [name for name in DIFFERENCES if name != "NO_RAGGED_INPUTS" or keras.backend.backend() == "tensorflow"]


@pytest.mark.parametrize("name", TRIED)
def test_what_a_difference_says_is_so_in_the_installed_releases(name):
    with pytest.raises((AttributeError, TypeError, ValueError)) if DIFFERENCES[name].applies else nullcontext():
        TRIALS[name]()


def test_the_site_says_what_older_releases_lack():
    page = (PACKAGE.parent / "docs" / "models.md").read_text(encoding="utf-8")
    rows = [f"| {difference.releases} | {difference.what} |" for difference in DIFFERENCES.values()]
    assert [row for row in rows if row not in page] == []


def test_no_code_but_the_table_asks_for_a_version():
    asking = [path.name for path in PACKAGE.rglob("*.py") if "__version__" in path.read_text(encoding="utf-8")]
    assert sorted(asking) == ["__init__.py", "versions.py"]


def test_the_first_name_of_actwidget_that_needs_keras_raises_that_error():
    program = """
import keras
from keras.src.ops.node import Node
keras.__version__ = "4.1.0"
del Node.input_tensors
import actwidget.errors
for attempt in range(2):
    try:
        from actwidget import layer_tree
    except actwidget.errors.UnsupportedKerasError as error:
        print(error)
"""
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=PACKAGE.parent, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("Keras 4.1.0 has no `Node.input_tensors`") == 2


def private_names(source):
    """The names in a source of this room that Keras or TensorFlow have not made public."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and re.match(r"keras\.src|tensorflow\.python|jax\._src", node.module or ""):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Attribute):
            chain = ast.unparse(node)
            is_own = isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}
            is_private = re.fullmatch(r"_[a-z]\w*", node.attr) and not is_own
            if is_private or re.fullmatch(r"keras\.src\.\w+\.\w+|tf\.(raw_ops|compat\.v1)\.\w+", chain):
                found.add(node.attr)
        elif isinstance(node, ast.Constant) and re.fullmatch(r"_[a-z]\w+", str(node.value)):
            found.add(node.value)
    return found - {"_test"}  # how the files of Keras's own tests end


def test_every_private_name_that_the_room_uses_is_in_the_table():
    used = {
        name: path.name
        for path in ROOM.rglob("*.py")
        if path.name != "versions.py"
        for name in private_names(path.read_text(encoding="utf-8"))
    }
    known = {part.name for part in PARTS}
    assert {name: file for name, file in used.items() if name not in known} == {}


def test_every_part_in_the_table_is_used():
    sources = [path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py") if path.name != "versions.py"]
    words = {word for source in sources for word in re.findall(r"\w+", source)}
    assert {part.name for part in PARTS} <= words


def test_the_reader_of_private_names_sees_every_form():
    source = """
from keras.src.ops.node import Node
import keras
keras.src.models.Functional
tf.raw_ops.Equal
layer._losses
getattr(layer, "_tracker")
self._own
"""
    assert private_names(source) == {"Node", "Functional", "Equal", "_losses", "_tracker"}
