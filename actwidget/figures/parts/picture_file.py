"""A file with a picture as pixels: upright, on white, cropped to the middle and resized."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from actwidget.errors import InvalidInputsError, short

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_PIXELS = 100_000_000
"""A larger picture is not opened: it would take more than 300 MB."""
_ORIENTATION = 0x0112  # the tag of EXIF: https://exiftool.org/TagNames/EXIF.html
_ON_ITS_SIDE = {5, 6, 7, 8}


def picture_in_file(
    data: bytes, name: str, width: int, height: int, *, in_color: bool
) -> tuple[NDArray[np.uint8], str]:
    """The pixels of a picture in a file, and what was done to it, in words.

    Its middle is taken, in the ratio of the sides that are wanted, and resized. Transparent parts are white.

    Args:
        data: The contents of the file: JPEG, PNG, or any other picture that Pillow reads.
        name: The file's name.
        width: How many columns are wanted.
        height: How many rows are wanted.
        in_color: Whether three channels are wanted; otherwise one.

    Returns:
        The pixels, shape `(height, width, 3 or 1)`, and a sentence.

    Raises:
        InvalidInputsError: It is no picture, or has too many pixels.
    """
    name = short(name, 60)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, on pictures that are large or odd in their metadata
        image, size = _read(data, name, 4 * max(width, height))
    part = _middle(*size, width / height)
    done = [f"cropped to the middle {part[0]} × {part[1]}"] if part != size else []
    if part != (width, height):
        done.append(f"resized to {width} × {height}")
    if not in_color and image.mode != "L":
        done.append("turned to grey")
    scale = image.width / size[0]  # a large JPEG is read at a fraction of its size
    left, top = ((whole - taken * scale) / 2 for whole, taken in zip(image.size, part, strict=True))
    middle = image.crop((round(left), round(top), round(image.width - left), round(image.height - top)))
    image = middle.convert("RGB" if in_color else "L").resize((width, height), Image.Resampling.LANCZOS)
    words = " and ".join([", ".join(done[:-1]), done[-1]] if len(done) > 1 else done) or "taken as it is"
    return np.asarray(image).reshape(height, width, -1), f"{name}, {size[0]} × {size[1]}: {words}"


def _read(data: bytes, name: str, enough: int) -> tuple[Image.Image, tuple[int, int]]:
    """A picture upright, grey or in colour, and its width and height in the file.

    Args:
        data: The contents of the file.
        name: The file's name.
        enough: A large JPEG may be read at a fraction of its size with both sides at least that long.
    """
    try:
        image: Image.Image = Image.open(io.BytesIO(data))
        width, height = image.size
        _check_size(name, width * height)
        image.draft(None, (enough, enough))
        is_on_its_side = image.getexif().get(_ORIENTATION, 1) in _ON_ITS_SIDE
        image = _on_white(ImageOps.exif_transpose(image))
    except Image.DecompressionBombError as error:
        raise _too_large(name) from error
    except InvalidInputsError:
        raise
    except Exception as error:  # a broken file can raise anything
        what = "is no picture" if isinstance(error, UnidentifiedImageError) else "can't be read to its end"
        message = f"{name} {what}: expected a JPEG, PNG, GIF, BMP, TIFF or WebP file. Nothing has changed."
        raise InvalidInputsError(message) from error
    return image, (height, width) if is_on_its_side else (width, height)


def _check_size(name: str, pixels: int) -> None:
    if pixels > MOST_PIXELS:
        raise _too_large(name)


def _too_large(name: str) -> InvalidInputsError:
    most = MOST_PIXELS // 1_000_000
    return InvalidInputsError(f"{name} has more than {most} million pixels. Save it smaller. Nothing has changed.")


def _middle(width: int, height: int, ratio: float) -> tuple[int, int]:
    """The size of the largest part of a picture with a ratio of width to height."""
    if width > height * ratio:
        return max(round(height * ratio), 1), height
    return width, max(round(width / ratio), 1)


def _on_white(image: Image.Image) -> Image.Image:
    """A picture in 8 bits, grey or in colour, its transparent parts white."""
    if image.mode.startswith(("I", "F")):  # 16 bits or more a pixel
        return Image.fromarray(_in_8_bits(np.asarray(image, np.float64), is_float=image.mode == "F"))
    if "A" in image.getbands() or "transparency" in image.info:
        is_grey = image.mode in {"LA", "La", "L"}
        colors = image.convert("RGBA")
        ground = Image.new("RGBA", colors.size, "white")
        return Image.alpha_composite(ground, colors).convert("L" if is_grey else "RGB")
    return image.convert("L" if image.mode in {"1", "L"} else "RGB")


def _in_8_bits(pixels: NDArray[Any], *, is_float: bool) -> NDArray[np.uint8]:
    high = float(pixels.max(initial=0)) or 1.0
    white = high if is_float or high > 65_535 else 255.0 if high <= 255 else 65_535.0
    scaled: NDArray[np.uint8] = np.clip(pixels / white * 255, 0, 255).astype(np.uint8)
    return scaled
