"""Small real models and pictures, for tutorials and tests.

Everything here comes out of an installed package: nothing is downloaded when it runs. The extra
`actwidget[samples]` brings those packages.
"""

from __future__ import annotations

from actwidget.samples.efficientnet import efficientnet_lite0
from actwidget.samples.handwriting import digits, digits_cnn
from actwidget.samples.imagenet import imagenet_class_names
from actwidget.samples.photos import photo

__all__ = ["digits", "digits_cnn", "efficientnet_lite0", "imagenet_class_names", "photo"]
