"""Handwritten digits, and a small network that learns them while one waits."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from actwidget.errors import OptionError
from actwidget.samples.packages import imported, imported_keras

if TYPE_CHECKING:
    import keras

# Much of the set goes through the digits from 0 to 9 in turn; as 7 and 10 have no common divisor, every seventh image
# still gives every digit.
_HELD_OUT = 7
_BATCH = 35


def digits() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Scikit-learn's 1,797 handwritten digits (`sklearn.datasets.load_digits`), in its order.

    Returns:
        The images, `(1797, 8, 8, 1)`, float32 from 0 (paper) to 1 (ink), and the digits they show, `(1797,)`, 0 to 9.
        `digits_cnn()` never sees every seventh, `images[::7]`: those 257 are there to test it.

    Raises:
        MissingPackageError: scikit-learn is not installed.

    Example:
        >>> from actwidget.samples import digits
        >>> images, labels = digits()
        >>> images.shape, labels[:5].tolist()
        ((1797, 8, 8, 1), [0, 1, 2, 3, 4])
    """
    stored = imported("sklearn.datasets", "scikit-learn").load_digits()
    images = (stored.images[..., np.newaxis] / 16).astype(np.float32)
    return images, stored.target.astype(np.int64)


def digits_cnn(seed: int = 0, epochs: int = 8, *, verbose: bool = True) -> keras.Model:
    """Trains a small convolutional network on `digits()`, every seventh held out; it takes a few seconds.

    It gets about 0.98 of the held-out images right. Which ones are held out matters: trained on the first 1,500
    instead, it gets 0.92 to 0.94 of the last 297.

    The same seed gives the same weights on the same machine; with another number of threads sums are rounded
    differently. The global random state (of `random`, `numpy.random` and `keras.utils.set_random_seed`) is neither
    used nor changed.

    Args:
        seed: Of the first weights and of the order of the images.
        epochs: How often each image is seen; 0 gives the untrained network.
        verbose: Whether to show a progress bar, on standard error.

    Returns:
        A functional model named `digits_cnn`, compiled. Its input `image` is `(batch, 8, 8, 1)`, 0 to 1; its output
        `digit` is `(batch, 10)`, probabilities.

    Raises:
        OptionError: `seed` or `epochs` is negative or no whole number.
        MissingPackageError: Keras, TensorFlow, scikit-learn or tqdm is not installed.

    Example:
        >>> from actwidget.samples import digits, digits_cnn
        >>> model = digits_cnn(verbose=False)
        >>> images, labels = digits()
        >>> bool((model(images[::7]).numpy().argmax(axis=1) == labels[::7]).mean() > 0.95)
        True
    """
    for option, value in (("seed", seed), ("epochs", epochs)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
            message = f"{option} must be a whole number from 0 up, got {value!r}."
            raise OptionError(message)
    images, labels = digits()
    seen = np.flatnonzero(np.arange(len(images)) % _HELD_OUT)
    keras = imported_keras()
    tqdm = imported("tqdm", "tqdm").tqdm
    model = _untrained(keras, seed)
    order = np.random.default_rng(seed)
    with tqdm(total=epochs, desc="digits_cnn", unit="epoch", file=sys.stderr, disable=not verbose) as progress:
        for _ in range(epochs):
            accuracies = [
                model.train_on_batch(images[batch], labels[batch], return_dict=True)["accuracy"]
                for batch in order.permutation(seen).reshape(-1, _BATCH)
            ]
            progress.set_postfix(accuracy=f"{np.mean(accuracies):.3f}", refresh=False)
            progress.update()
    return model


def _untrained(keras: Any, seed: int) -> Any:
    layers = keras.layers
    # An initialiser without a seed would draw one from Python's global random state.
    seeds = iter(np.random.default_rng([seed, 1]).integers(2**31, size=4).tolist())

    def initial() -> Any:
        return keras.initializers.GlorotUniform(next(seeds))

    image = keras.Input((8, 8, 1), name="image")
    x = layers.Conv2D(16, 3, padding="same", kernel_initializer=initial(), name="conv1")(image)
    x = layers.ReLU(name="relu1")(x)
    x = layers.Conv2D(32, 3, padding="same", kernel_initializer=initial(), name="conv2")(x)
    x = layers.ReLU(name="relu2")(x)
    x = layers.MaxPooling2D(name="pool1")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(64, kernel_initializer=initial(), name="dense")(x)
    x = layers.ReLU(name="dense_relu")(x)
    x = layers.Dense(10, activation="softmax", kernel_initializer=initial(), name="digit")(x)
    model = keras.Model(image, x, name="digits_cnn")
    model.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model
