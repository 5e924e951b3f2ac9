"""What each backend of Keras is asked for, held to NumPy; these tests run on every backend."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers, ops

import actwidget as aw
from actwidget.capture.access.weight_watch import WeightWatch
from actwidget.errors import InvalidInputsError, UnsupportedKerasError
from actwidget.keras_internals import backend as chosen
from actwidget.keras_internals.backend import backend
from actwidget.keras_internals.isolation import isolated
from tests.capture.deep_witness import as_array
from tests.rounding import assert_close

NAME = keras.backend.backend()
REPOSITORY = Path(__file__).parents[2]
FRAMEWORKS = {"tensorflow", "jax", "torch"}


def in_a_new_process(program: str, **environment: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_tensorflow_is_imported_only_with_its_own_backend():
    program = """
import sys
import numpy as np
import keras
import actwidget as aw
model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(2, 3), keras.layers.Flatten()])
x = np.ones((2, 4, 4, 1), "float32")
aw.LayerExplorer(aw.edit(model, {0: aw.Ablate(1)}), x).summaries
aw.compare(model, x, x)
print("tensorflow" in sys.modules)
"""
    assert in_a_new_process(program).splitlines()[-1] == str(NAME == "tensorflow")


def test_a_backend_that_is_not_known_is_named_with_what_to_do(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "openvino")
    with pytest.raises(UnsupportedKerasError, match=r"got the backend 'openvino'\. Set the environment var"):
        chosen._chosen()


@pytest.mark.parametrize("name", sorted(FRAMEWORKS))
def test_a_backend_that_is_not_installed_is_named_with_its_command(name):
    program = f"""
import sys

class NotInstalled:
    def find_spec(self, name, *_):
        if name == {name!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, NotInstalled())
try:
    from actwidget import layer_tree
except ImportError as error:
    print(type(error).__name__, error)
"""
    told = in_a_new_process(program, KERAS_BACKEND=name)
    assert told.startswith("MissingPackageError ")
    assert f'pip install "actwidget[{name}]"' in told


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "int8", "uint8", "int32", "bool"])
def test_a_tensor_becomes_the_array_of_its_values(dtype):
    values = np.array([[0, 1], [1, 3]]).astype("float32")
    tensor = ops.cast(ops.convert_to_tensor(values), dtype)
    array = backend.to_array(tensor)
    assert array.dtype.name == {"bfloat16": "float32"}.get(dtype, dtype)
    np.testing.assert_array_equal(array, values.astype(array.dtype))
    assert backend.dtype_of(tensor) == dtype
    assert backend.shape_of(tensor) == (2, 2)
    assert backend.is_dense(tensor)
    assert not backend.is_sparse(tensor)
    assert not backend.is_ragged(tensor)


def test_rows_are_cut_and_joined():
    values = np.arange(12, dtype="float32").reshape(4, 3)
    tensor = ops.convert_to_tensor(values)
    first, last = backend.rows(tensor, 0, 1), backend.rows(tensor, 1, 4)
    np.testing.assert_array_equal(as_array(last), values[1:])
    np.testing.assert_array_equal(as_array(backend.joined([last, first])), values[[1, 2, 3, 0]])


BITS = {
    "equal": (1.5, 1.5, True),
    "another number": (1.5, 1.25, False),
    "not a number": (np.nan, np.nan, True),
    "the sign of zero": (0.0, -0.0, False),
}


@pytest.mark.parametrize(("one", "other", "same"), BITS.values(), ids=BITS)
@pytest.mark.parametrize("size", [1, 200_000], ids=["small", "large"])
def test_bits_are_compared(one, other, same, size):
    first, second = (ops.convert_to_tensor(np.full((size,), each, "float32")) for each in (one, other))
    assert backend.have_same_bits(first, second) is same


def test_tensors_of_other_shapes_or_dtypes_differ_in_their_bits():
    zeros = ops.zeros((2, 2))
    assert not backend.have_same_bits(zeros, ops.zeros((4,)))
    assert not backend.have_same_bits(zeros, ops.zeros((2, 2), "int32"))


def small() -> keras.Model:
    return keras.Sequential([keras.Input((3,)), layers.Dense(4, name="first"), layers.Dense(1, name="last")])


def fit_once(model: keras.Model) -> None:
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(np.ones((2, 3), "float32"), np.ones((2, 1), "float32"), verbose=0)


def train_on_one_batch(model: keras.Model) -> None:
    model.compile("adam", "mse")
    model.train_on_batch(np.ones((2, 3), "float32"), np.ones((2, 1), "float32"))


def assign_one(model: keras.Model) -> None:
    kernel = model.get_layer("first").kernel
    values = np.array(as_array(kernel))
    values[0, 0] += 1
    kernel.assign(values)


WRITES = {
    "fit": fit_once,
    "train_on_batch": train_on_one_batch,
    "assign": assign_one,
    "set_weights": lambda model: model.set_weights([each + 1 for each in model.get_weights()]),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_written_weights_are_noticed_and_read_ones_are_not(write):
    model, x = small(), np.ones((2, 3), "float32")
    watch = WeightWatch()
    watch.add([model])
    model(x)
    model.get_weights()
    assert watch.unwritten()
    write(model)
    assert not watch.unwritten()


def test_an_explorer_shows_the_weights_of_now_after_training():
    model, x = small(), np.ones((2, 3), "float32")
    explorer = aw.LayerExplorer(model, x, layer="first")
    before = explorer.activation.copy()
    fit_once(model)
    after = explorer.activation
    assert not np.allclose(before, after)
    assert_close(after, as_array(model.get_layer("first")(x)))
    explorer.close()


def test_a_look_in_training_mode_leaves_statistics_seeds_and_the_process_s_random_numbers():
    model = keras.Sequential([keras.Input((4,)), layers.BatchNormalization(name="normal"), layers.Dropout(0.5, seed=3)])
    x = np.random.default_rng(0).normal(2, 3, (16, 4)).astype("float32")
    before = [np.array(as_array(each)) for each in model.variables]
    keras.utils.clear_session()  # `set_random_seed` alone leaves Keras's own generator as it is in older releases
    keras.utils.set_random_seed(1)
    expected = as_array(keras.random.normal((3,)))
    keras.utils.clear_session()
    keras.utils.set_random_seed(1)
    found = aw.activations(model, x, training=True)
    np.testing.assert_array_equal(as_array(keras.random.normal((3,))), expected)
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(as_array(variable), value)
    normal = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-3)
    np.testing.assert_allclose(found["normal"], normal, rtol=1e-3, atol=1e-4)


def test_text_is_refused_or_taken_as_the_backend_has_tensors_of_text():
    class Counts(keras.Model):
        def __init__(self):
            super().__init__()
            self.last = layers.Dense(1)

        def call(self, inputs):
            return self.last(ops.ones((len(inputs), 1)))

    model, texts = Counts(), np.array([["a"], ["b"]])
    if backend.holds_text:
        assert aw.layer_tree(model, texts).output_shape == (None, 1)
    else:
        with pytest.raises(InvalidInputsError, match="Keras has tensors of text only on TensorFlow"):
            aw.layer_tree(model, texts)


class AddsInPlace(layers.Layer):
    """Writes to its input where the backend's tensors can be written."""

    def call(self, inputs):
        inputs += 1
        return inputs


def test_a_value_is_that_of_its_own_call_though_a_later_layer_writes_to_it():
    x = keras.Input((3,))
    first = layers.Dense(4, name="first", bias_initializer="ones")(x)
    model = keras.Model(x, layers.Dense(2, name="last")(AddsInPlace(name="adds")(first)))
    value = np.ones((2, 3), "float32")
    kernel, bias = model.get_layer("first").get_weights()
    for wanted in (None, ["first", "adds"], ["first"]):
        found = aw.activations(model, value, wanted)
        assert_close(found["first"], value @ kernel + bias)
        if "adds" in found:
            assert_close(found["adds"], value @ kernel + bias + 1)


def halved_where_large(value):
    return value / 2 if float(ops.max(value)) > 0 else value


@pytest.mark.parametrize("run", ["call", "predict", "evaluate"])
def test_a_callable_that_needs_values_changes_what_flows_by_in_a_graph_too(run):
    model, x = small(), np.ones((2, 3), "float32")
    edited = aw.edit(model, {"first": halved_where_large})
    first = aw.activations(model, x, ["first"])["first"]
    kernel, bias = model.get_layer("last").get_weights()
    expected = (first / 2 if first.max() > 0 else first) @ kernel + bias
    if run == "evaluate":
        edited.compile(loss="mse")
        assert edited.evaluate(x, expected, verbose=0) == pytest.approx(0, abs=1e-6)
    else:
        found = edited(x) if run == "call" else edited.predict(x, verbose=0)
        assert_close(as_array(found), expected)


@pytest.mark.backend("jax")
def test_on_jax_a_gradient_through_a_callable_that_needs_values_says_what_to_write_instead():
    import jax

    model, x = small(), ops.ones((2, 3))
    by_values, by_ops = (
        aw.edit(model, {"first": change}) for change in (halved_where_large, lambda v: ops.where(v > 0, v / 2, v))
    )
    with pytest.raises(TypeError, match=r"JAX can compute no gradient .* Write it with keras\.ops or jax\.numpy"):
        jax.grad(jax.jit(lambda value: by_values(value).sum()))(x)
    gradient = jax.grad(jax.jit(lambda value: by_ops(value).sum()))(x)
    (first, _), (last, _) = (model.get_layer(name).get_weights() for name in ("first", "last"))
    slope = np.where(as_array(model.get_layer("first")(x)) > 0, 0.5, 1.0)
    assert_close(gradient, (slope * last.T) @ first.T)


@pytest.mark.backend("jax")
def test_on_jax_what_runs_inside_a_compiled_function_counts_as_not_called():
    import jax

    class Compiled(keras.Model):
        def __init__(self):
            super().__init__()
            self.inside, self.outside = layers.Dense(3, name="inside"), layers.Dense(2, name="outside")
            self.run = jax.jit(self.inside)

        def call(self, inputs):
            return self.outside(self.run(inputs))

    model, x = Compiled(), np.ones((2, 3), "float32")
    model.inside.build((None, 3))
    model(x)
    tree = aw.layer_tree(model, x)
    assert {node.path: node.origin for node in tree} == {"inside": "opaque", "outside": "tapped"}
    assert "not called" in tree["inside"].reason
    assert_close(aw.activations(model, x)["outside"], as_array(model(x)))


@pytest.mark.backend("torch")
def test_on_pytorch_buffers_and_random_numbers_are_as_before_after_a_look_in_training_mode():
    import torch

    class Noisy(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = keras.layers.TorchModuleWrapper(torch.nn.BatchNorm1d(3))
            self.last = layers.Dense(1)

        def call(self, inputs, training=None):
            return self.last(self.inner(inputs + torch.randn(3), training=training))

    model, x = Noisy(), np.random.default_rng(0).normal(1, 2, (8, 3)).astype("float32")
    model(x, training=False)
    before = [buffer.clone() for buffer in model.inner.module.buffers()]
    torch.manual_seed(5)
    expected = torch.randn(3)
    torch.manual_seed(5)
    aw.activations(model, x, training=True)
    assert torch.equal(torch.randn(3), expected)
    for buffer, value in zip(model.inner.module.buffers(), before, strict=True):
        assert torch.equal(buffer, value)


def test_gradients_of_a_function_are_those_of_its_first_result():
    x = ops.convert_to_tensor(np.array([[1.0, 2.0], [3.0, 4.0]], "float32"))
    y = ops.convert_to_tensor(np.array([5.0, 6.0], "float32"))
    (value, more), gradients = backend.with_gradients(lambda x, y: (ops.sum(x * x * y), x + 1), [x, y])
    assert float(value) == 1 * 5 + 4 * 6 + 9 * 5 + 16 * 6
    np.testing.assert_array_equal(as_array(more), [[2, 3], [4, 5]])
    np.testing.assert_array_equal(as_array(gradients[0]), [[10, 24], [30, 48]])
    np.testing.assert_array_equal(as_array(gradients[1]), [10, 20])


def test_a_tensor_without_influence_has_no_gradient_or_zeros():
    x, y = (ops.ones((2,)) for _ in range(2))
    _, gradients = backend.with_gradients(lambda x, _y: (ops.sum(x), None), [x, y])
    assert gradients[1] is None or not np.any(as_array(gradients[1]))


def test_a_compiled_function_reads_the_current_weights_within_an_isolated_pass_of_user_code():
    class Own(layers.Layer):
        traces = 0

        def __init__(self):
            super().__init__()
            self.inner = layers.Dense(1, use_bias=False, kernel_initializer="ones")

        def call(self, x):
            Own.traces += 1
            return self.inner(x)

    layer = Own()
    x = ops.ones((2, 3))
    layer(x)

    def gradient(x):
        return backend.with_gradients(lambda x: (ops.sum(layer(x)), None), [x])

    function = backend.compiled(gradient, layer.variables)
    Own.traces = 0
    for factor in (1.0, 2.0):
        layer.set_weights([np.full((3, 1), factor, "float32")])
        with isolated([layer]):
            (value, _), (found,) = function(x)
        assert float(value) == 6 * factor
        np.testing.assert_array_equal(as_array(found), np.full((2, 3), factor))
    assert Own.traces == (2 if NAME == "torch" else 1)
