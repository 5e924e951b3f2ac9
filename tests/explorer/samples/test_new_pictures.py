from __future__ import annotations

import io

import keras
import numpy as np
import pytest
from PIL import Image

from actwidget.capture.trace import read
from actwidget.errors import InvalidInputsError
from actwidget.explorer.samples.new_pictures import CAFFE_MEAN, PictureInput
from actwidget.figures.parts import picture_file


def file_of(image: Image.Image, kind: str = "png", **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def picture_input(batch: np.ndarray, *layers: keras.Layer) -> PictureInput | None:
    shape = batch.shape[1:]
    model = keras.Sequential([keras.Input(shape, dtype=str(batch.dtype)), *layers, keras.layers.Flatten()], name="m")
    return PictureInput.of(*read(model, batch))


def photos(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)


COLORS = picture_input(photos(2, 32, 32, 3))


def halves() -> Image.Image:
    """1,200 × 800 pixels: black, with the middle 800 columns red on the left and blue on the right."""
    pixels = np.zeros((800, 1200, 3), np.uint8)
    pixels[:, 200:600, 0] = 255
    pixels[:, 600:1000, 2] = 255
    return Image.fromarray(pixels)


def test_a_picture_is_cropped_to_the_middle_and_resized_and_says_so():
    sample, words = COLORS.opened(file_of(halves()), "cup.jpg")
    expected = "cup.jpg, 1200 × 800: cropped to the middle 800 × 800 and resized to 32 × 32; values from 0 to 255"
    assert words == expected
    assert sample.shape == (32, 32, 3)
    assert sample.dtype == np.float32
    np.testing.assert_array_equal(sample[:, :12], np.broadcast_to([255, 0, 0], (32, 12, 3)))
    np.testing.assert_array_equal(sample[:, 20:], np.broadcast_to([0, 0, 255], (32, 12, 3)))


def test_a_large_jpeg_gives_the_same_as_the_same_picture_as_a_png():
    large = halves().resize((4800, 3200))
    png, jpeg = (COLORS.opened(file_of(large, kind), "a")[0] for kind in ("png", "jpeg"))
    assert np.abs(png - jpeg).mean() < 3


def test_a_picture_that_fits_is_taken_as_it_is():
    pixels = photos(32, 32, 3).astype(np.uint8)
    sample, words = COLORS.opened(file_of(Image.fromarray(pixels)), "a.png")
    np.testing.assert_array_equal(sample, pixels)
    assert words == "a.png, 32 × 32: taken as it is; values from 0 to 255"


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_becomes_white(mode):
    image = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 16, 32))
    sample, _ = COLORS.opened(file_of(image.convert(mode)), "a.png")
    assert sample[:, :15].max() == 0
    assert sample[:, 17:].min() == 255


def test_a_grey_picture_of_8_or_16_bits_has_equal_channels():
    pixels = np.linspace(0, 255, 32 * 32).reshape(32, 32).astype(np.uint8)
    for image in (Image.fromarray(pixels), Image.fromarray(pixels.astype(np.uint16) * 257)):
        sample, _ = COLORS.opened(file_of(image), "a.png")
        np.testing.assert_allclose(sample, np.repeat(pixels[..., np.newaxis], 3, axis=-1), atol=1)


def test_a_photo_held_upright_is_upright():
    tag = Image.Exif()
    tag[0x0112] = 6  # turn by 90 degrees clockwise to see it upright
    image = Image.new("RGB", (64, 32))
    image.paste((255, 255, 255), (0, 0, 32, 32))  # the left half becomes the upper one
    sample, words = COLORS.opened(file_of(image, "jpeg", exif=tag, quality=100), "a.jpg")
    assert words.startswith("a.jpg, 32 × 64: cropped to the middle 32 × 32;")
    assert sample[:14].min() > 250
    assert sample[18:].max() < 5


def test_a_colour_picture_turns_grey_for_a_model_of_grey_pictures():
    grey = picture_input(photos(2, 16, 16, 1))
    sample, words = grey.opened(file_of(Image.new("RGB", (16, 16), (255, 0, 0))), "a.png")
    assert sample.shape == (16, 16, 1)
    np.testing.assert_allclose(sample, 0.299 * 255, atol=1)  # ITU-R BT.601
    assert "turned to grey" in words


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"this is a text", "notes.txt is no picture"),
        (b"", "notes.txt is no picture"),
        (file_of(halves())[:2000], "notes.txt can't be read to its end"),
    ],
)
def test_what_is_no_picture_is_refused_with_what_was_expected(data, words):
    with pytest.raises(InvalidInputsError, match=words) as refused:
        COLORS.opened(data, "notes.txt")
    assert "expected a JPEG, PNG" in str(refused.value)


def test_a_picture_of_too_many_pixels_is_not_opened(monkeypatch):
    monkeypatch.setattr(picture_file, "MOST_PIXELS", 900_000)
    with pytest.raises(InvalidInputsError, match=r"Save it smaller\. Nothing has changed"):
        COLORS.opened(file_of(halves()), "a.png")
    monkeypatch.undo()
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(InvalidInputsError, match="million pixels"):
        COLORS.opened(file_of(halves()), "a.png")


def ends(given: PictureInput) -> tuple[float, float]:
    return given.black[0], given.white[0]


@pytest.mark.parametrize(
    ("batch", "expected"),
    [
        (photos(2, 8, 8, 3), (0, 255)),
        (photos(2, 8, 8, 3) / 2, (0, 255)),
        (photos(2, 8, 8, 3) / 255, (0, 1)),
        (photos(2, 8, 8, 3) / 127.5 - 1, (-1, 1)),
        (np.rint(photos(2, 8, 8, 1) / 16).clip(0, 16), (0, 16)),
        (photos(2, 8, 8, 1).astype(np.uint8), (0, 255)),
    ],
)
def test_black_and_white_are_what_the_batch_has(batch, expected):
    assert ends(picture_input(batch)) == expected


def test_the_model_knows_better_than_the_batch_which_values_it_takes():
    assert ends(picture_input(photos(2, 8, 8, 3) / 255, keras.layers.Rescaling(1 / 255))) == (0, 255)


def test_standardised_pictures_have_a_black_and_a_white_for_each_channel():
    mean, spread = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    batch = photos(4, 32, 32, 3)
    batch[0, 0, :2] = [[0] * 3, [255] * 3]
    given = picture_input(((batch / 255 - mean) / spread).astype(np.float32))
    pixels = photos(32, 32, 3).astype(np.uint8)
    np.testing.assert_allclose(given.values(pixels), (pixels / 255 - mean) / spread, atol=1e-5)


def test_pictures_for_vgg_and_resnet_have_blue_first_and_no_mean():
    batch = keras.applications.resnet50.preprocess_input(photos(2, 32, 32, 3).copy())
    given = picture_input(np.asarray(batch))
    assert given.is_bgr
    pixels = photos(32, 32, 3).astype(np.uint8)
    expected = keras.applications.resnet50.preprocess_input(pixels.astype(np.float32))
    np.testing.assert_allclose(given.values(pixels), expected, atol=1e-3)
    np.testing.assert_allclose(given.black, [-mean for mean in CAFFE_MEAN])


def test_a_drawing_has_the_ground_of_the_data():
    ink = np.zeros((8, 8), np.uint8)
    ink[3] = 255
    on_black, on_white = np.zeros((2, 8, 8, 1), np.float32), np.ones((2, 8, 8, 1), np.float32)
    on_black[:, 3:5, 3:5], on_white[:, 3:5, 3:5] = 1, 0
    for batch, is_dark in ((on_black, True), (on_white, False)):
        given = picture_input(batch)
        assert given.is_dark == is_dark
        assert given.is_drawable
        np.testing.assert_array_equal(given.drawn(ink)[..., 0], (ink if is_dark else 255 - ink) / 255)


def test_squares_without_channels_are_pictures_and_other_inputs_are_none():
    assert picture_input(photos(2, 28, 28)).drawn(np.zeros((28, 28), np.uint8)).shape == (28, 28)
    for shape in [(2, 20, 8), (2, 5), (2, 8, 8, 2), (2, 3, 8, 8, 3)]:
        assert picture_input(photos(*shape)) is None
    assert picture_input(photos(2, 16, 16) - 128) is None  # rather the steps of a sequence
    two = keras.Model([first := keras.Input((8, 8, 3)), second := keras.Input((8, 8, 3))], first + second)
    assert PictureInput.of(*read(two, [photos(1, 8, 8, 3)] * 2)) is None


def test_without_a_batch_the_model_says_what_it_wants():
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Rescaling(1 / 255), keras.layers.Flatten()])
    given = PictureInput.of(*read(model))
    assert (given.height, given.width, given.channels, ends(given)) == (8, 8, 1, (0, 255))
    assert PictureInput.of(*read(keras.Sequential([keras.Input((None, None, 3)), keras.layers.Flatten()]))) is None
