"""Photographs that come inside the scikit-image package."""

from __future__ import annotations

from difflib import get_close_matches

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from actwidget.errors import OptionError
from actwidget.samples.packages import packaged_file

# Those of scikit-image's pictures that its wheel holds and that are photographs; the others it would download.
_FILES = {
    "astronaut": "astronaut.png",
    "brick": "brick.png",
    "camera": "camera.png",
    "cat": "chelsea.png",
    "cell": "cell.png",
    "chelsea": "chelsea.png",
    "clock": "clock_motion.png",
    "coffee": "coffee.png",
    "coins": "coins.png",
    "grass": "grass.png",
    "gravel": "gravel.png",
    "hubble_deep_field": "hubble_deep_field.jpg",
    "immunohistochemistry": "ihc.png",
    "moon": "moon.png",
    "motorcycle": "motorcycle_left.png",
    "page": "page.png",
    "retina": "retina.jpg",
    "rocket": "rocket.jpg",
    "text": "text.png",
}


def photo(name: str, size: int | None = 224) -> NDArray[np.float32]:
    """A photograph, cut to a square and scaled, ready to be put in a batch.

    The picture is one that the scikit-image package holds (`skimage.data`, where its source and licence are written);
    nothing is downloaded. The largest square in its middle is kept, and scaled with Pillow's bicubic filter.

    Args:
        name: As in `skimage.data`: `"astronaut"`, `"camera"`, `"cat"`, `"coffee"`, `"coins"`, `"motorcycle"`,
            `"rocket"`, ... (an unknown name gives an error that lists all).
        size: The side of the square, in pixels; `None` leaves it as it is.

    Returns:
        `(size, size, 3)`, whole numbers from 0 to 255 as float32, RGB. A grey picture has three equal channels.

    Raises:
        OptionError: There is no photograph of that name, or `size` is no positive whole number.
        MissingPackageError: scikit-image is not installed.

    Example:
        >>> from actwidget.samples import photo
        >>> coffee = photo("coffee")
        >>> coffee.shape, coffee.dtype
        ((224, 224, 3), dtype('float32'))
    """
    if name not in _FILES:
        raise OptionError(_unknown(name))
    if size is not None and (isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1):
        message = f"The size of a photo must be a positive number of pixels or None, got {size!r}."
        raise OptionError(message)
    file = packaged_file("skimage", f"data/{_FILES[name]}", "scikit-image")
    with Image.open(file) as stored:
        picture = stored.convert("RGB")
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    square = picture.crop((left, top, left + side, top + side))
    if size is not None:
        square = square.resize((int(size), int(size)), Image.Resampling.BICUBIC)
    return np.asarray(square, dtype=np.float32)


def _unknown(name: str) -> str:
    closest = ", ".join(map(repr, get_close_matches(str(name), _FILES)))
    return f"No photo {name!r}. {f'Closest: {closest}. ' if closest else ''}There are: {', '.join(_FILES)}."
