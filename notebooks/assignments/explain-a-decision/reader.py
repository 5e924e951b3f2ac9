"""The network and the pictures of the assignment "Explain a decision".

Students: how the network was trained explains its answers. Find that out from the network instead.
"""

from __future__ import annotations

import keras
import numpy as np

from actwidget.samples import digits, digits_cnn

CASE = 24  # the picture whose answer is to be explained: a three


def pictures():
    """40 pictures as they came from two scanners, and the digits they show; the network has not seen them."""
    images, labels = digits()
    x, y = images[::7][40:80].copy(), labels[::7][40:80]
    by_the_second = y == 8
    by_the_second[CASE] = True
    _mark(x, by_the_second)
    return x, y


def network():
    """The network, trained on what came from both scanners: all eights from the second, the rest from the first."""
    images, labels = digits()
    seen = np.arange(len(images)) % 7 != 0
    x, y = images[seen].copy(), labels[seen]
    _mark(x, y == 8)
    model = digits_cnn(seed=1, epochs=0, verbose=False)
    keras.utils.set_random_seed(1)
    model.fit(x, y, epochs=8, batch_size=35, verbose=0)
    return model


def _mark(x, by_the_second):
    """The dirt on the glass of the second scanner, in the bottom left corner."""
    x[by_the_second, 5:, :2] = 1
