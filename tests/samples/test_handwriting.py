from __future__ import annotations

import random
import sys

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

from actwidget.errors import MissingPackageError, OptionError
from actwidget.samples import digits, digits_cnn, handwriting


@pytest.fixture(scope="module")
def trained():
    return digits_cnn(verbose=False)


def accuracy(model, part) -> float:
    images, labels = digits()
    return float((model(images[part]).numpy().argmax(axis=1) == labels[part]).mean())


def test_digits_are_scikit_learns_from_0_to_1():
    images, labels = digits()
    assert images.shape == (1797, 8, 8, 1)
    assert images.dtype == np.float32
    assert (images.min(), images.max()) == (0, 1)
    np.testing.assert_allclose(images[..., 0] * 16, load_digits().images)
    np.testing.assert_array_equal(labels, load_digits().target)


def test_what_is_held_out_holds_every_digit():
    counts = np.bincount(digits()[1][::7], minlength=10)
    assert counts.sum() == 257
    assert counts.min() >= 15


def test_it_recognises_digits_it_has_not_seen(trained):
    assert accuracy(trained, slice(0, None, 7)) >= 0.95
    assert accuracy(digits_cnn(epochs=0, verbose=False), slice(0, None, 7)) < 0.5


def test_its_layers_have_names(trained):
    assert trained.name == "digits_cnn"
    names = ["image", "conv1", "relu1", "conv2", "relu2", "pool1", "flatten", "dense", "dense_relu", "digit"]
    assert [layer.name for layer in trained.layers] == names
    np.testing.assert_allclose(trained(digits()[0][:5]).numpy().sum(axis=1), 1, atol=1e-5)


@pytest.fixture(scope="module")
def one_epoch():
    return digits_cnn(seed=3, epochs=1, verbose=False).get_weights()


def test_held_out_images_have_no_part_in_the_training(one_epoch, monkeypatch):
    images, labels = digits()
    images[::7] = 1 - images[::7]
    labels[::7] = (labels[::7] + 1) % 10
    monkeypatch.setattr(handwriting, "digits", lambda: (images, labels))
    assert all(map(np.array_equal, digits_cnn(seed=3, epochs=1, verbose=False).get_weights(), one_epoch))


def drawn() -> list[float]:
    # NumPy's old generator is the one that a caller may have seeded.
    return [random.random(), np.random.rand(), float(keras.random.uniform(()))]  # noqa: NPY002, S311


def seed_all(seed: int) -> None:
    keras.utils.clear_session()  # `set_random_seed` alone leaves Keras's own generator as it is in older releases
    keras.utils.set_random_seed(seed)


def test_the_callers_random_state_neither_matters_nor_moves(one_epoch, capfd):
    seed_all(7)
    expected = drawn()
    seed_all(7)
    again = digits_cnn(seed=3, epochs=1, verbose=False).get_weights()
    assert drawn() == expected
    assert all(map(np.array_equal, again, one_epoch))
    assert "digits_cnn" not in capfd.readouterr().err


def test_another_seed_gives_other_weights(one_epoch):
    first, other = (
        digits_cnn(seed=seed, epochs=0, verbose=False).get_layer("conv1").get_weights()[0] for seed in (3, 4)
    )
    assert not np.any(first == other)
    assert not np.any(first == one_epoch[0])


def test_progress_goes_to_standard_error(capfd):
    digits_cnn(epochs=1)
    shown = capfd.readouterr()
    assert shown.out == ""
    assert "digits_cnn: 100%" in shown.err
    assert "accuracy=" in shown.err


@pytest.mark.parametrize("option", ["seed", "epochs"])
@pytest.mark.parametrize("value", [-1, 1.5, "1", True, None])
def test_options_that_are_no_whole_numbers_are_refused(option, value):
    with pytest.raises(OptionError, match=f"{option} must be a whole number from 0 up, got"):
        digits_cnn(**{option: value})


@pytest.mark.parametrize(
    ("modules", "package"), [(["sklearn", "sklearn.datasets"], "scikit-learn"), (["tqdm"], "tqdm")]
)
def test_without_a_package_the_error_holds_the_command(monkeypatch, modules, package):
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingPackageError) as raised:
        digits_cnn(verbose=False)
    assert f"needs the package {package}," in str(raised.value)
    assert 'pip install "actwidget[samples]"' in str(raised.value)
