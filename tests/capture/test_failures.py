"""Whatever a layer raises comes as a `CaptureError` with the path of the layer; what is no `Exception` goes on."""

from __future__ import annotations

import keras
import pytest
import tensorflow as tf
from keras import layers

import actwidget as aw
from actwidget.errors import CaptureError
from tests.capture import zoo
from tests.rounding import assert_close


class Unprintable(Exception):  # noqa: N818 - as a user may call it
    def __str__(self):
        message = "no message"
        raise RuntimeError(message)


class OfTwo(LookupError):  # noqa: N818 - as a user may call it
    def __init__(self, first, second):
        super().__init__(first, second)


class Stop(BaseException):
    """No `Exception`."""


class Unreadable:
    def __str__(self):
        message = "no text"
        raise ValueError(message)

    __repr__ = __str__


RAISED = {
    "KeyError": lambda: KeyError("missing"),
    "a class of the user's": lambda: OfTwo(1, 2),
    "no message to read": lambda: Unprintable("never seen"),
    "an argument that can't be read": lambda: ValueError(Unreadable()),
    "StopIteration": lambda: StopIteration("over"),
    "a group": lambda: ExceptionGroup("several", [ValueError("one")]),
    "AssertionError": AssertionError,
    "RecursionError": lambda: RecursionError("deep"),
    "of TensorFlow": lambda: tf.errors.NotFoundError(None, None, "no file"),
    "UnicodeDecodeError": lambda: UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"),
}


class Breaks(layers.Layer):
    """Raises once it is told what."""

    raised = None

    def call(self, inputs):
        if self.raised is not None:
            raise self.raised()
        return inputs


def functional(broken, name="functional"):
    x = keras.Input((3,))
    y = layers.Dense(4, name="before")(x)
    return keras.Model(x, layers.Dense(2, name="after")(broken(y)), name=name)


class Subclassed(keras.Model):
    def __init__(self, broken):
        super().__init__(name="subclassed")
        self.before, self.broken, self.after = layers.Dense(4, name="before"), broken, layers.Dense(2, name="after")

    def call(self, inputs):
        return self.after(self.broken(self.before(inputs)))


class First(keras.Model):
    """The layer that raises is the first, and no layer of Keras's own that could refuse its inputs."""

    def __init__(self, broken):
        super().__init__(name="first")
        self.broken, self.after = broken, layers.Dense(2, name="after")

    def call(self, inputs):
        return self.after(self.broken(inputs))


def nested(broken):
    x = keras.Input((3,))
    return keras.Model(x, layers.Dense(2, name="after")(functional(broken, "inner")(x)), name="nested")


MODELS = {"functional": functional, "nested": nested, "subclassed": Subclassed, "first": First}
WAYS = {
    "all layers": lambda model, _edited, x, _path: aw.activations(model, x),
    "a layer after it": lambda model, _edited, x, _path: aw.activations(model, x, "after"),
    "the layer itself": lambda model, _edited, x, path: aw.activations(model, x, path),
    "all layers of an edited model": lambda _model, edited, x, _path: aw.activations(edited, x),
    "a layer of an edited model": lambda _model, edited, x, _path: aw.activations(edited, x, "after"),
    "two batches": lambda model, _edited, x, _path: aw.compare(model, x, x + 1),
    "two models": lambda model, edited, x, _path: aw.compare(model, x, edited, "after"),
}


def broken_model(make, raised):
    """A model that raises from now on, an edited form of it, and the path of the layer that raises."""
    broken = Breaks(name="broken")
    model = make(broken)
    model(zoo.noise(2, 3))
    edited = aw.edit(model, {"after": aw.Ablate(0)})
    broken.raised = raised
    return model, edited, "inner/broken" if make is nested else "broken"


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_an_error_in_a_layer_names_its_path_in_every_way(make, way):
    model, edited, path = broken_model(make, RAISED["a class of the user's"])
    with pytest.raises(CaptureError, match=f"failed in layer '{path}'") as caught:
        way(model, edited, zoo.noise(4, 3), path)
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize("raised", RAISED.values(), ids=RAISED)
@pytest.mark.parametrize("make", [functional, Subclassed])
def test_an_error_of_any_class_is_a_capture_error(make, raised):
    model, _, path = broken_model(make, raised)
    for layer in (None, "after"):
        with pytest.raises(CaptureError, match=f"failed in layer '{path}'"):
            aw.activations(model, zoo.noise(4, 3), layer)


@pytest.mark.parametrize("make", [functional, nested])
def test_the_explorer_names_the_layer_whether_it_resumes_or_begins_at_the_inputs(make):
    model, _, path = broken_model(make, RAISED["KeyError"])
    explorer = aw.LayerExplorer(model, zoo.noise(4, 3), layer="before" if make is functional else "inner/before")
    assert explorer.activation.shape == (4, 4)
    explorer.layer = "after"
    with pytest.raises(CaptureError, match=f"failed in layer '{path}'. KeyError: .*missing"):
        _ = explorer.activation
    with pytest.raises(CaptureError, match=f"failed in layer '{path}'"):
        _ = explorer.summaries
    explorer.close()


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit, GeneratorExit, Stop])
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("make", [functional, Subclassed])
def test_what_is_no_exception_is_never_swallowed(make, way, raised):
    model, edited, path = broken_model(make, raised)
    with pytest.raises(raised):
        way(model, edited, zoo.noise(4, 3), path)


def test_an_error_in_an_edit_names_the_layer_that_is_edited():
    def change(_values):
        raise OfTwo(1, 2)

    for make in (functional, Subclassed):
        model = make(Breaks(name="broken"))
        model(zoo.noise(2, 3))
        edited = aw.edit(model, {"before": change})
        for layer in (None, "after"):
            with pytest.raises(CaptureError, match="failed in layer 'before'"):
                aw.activations(edited, zoo.noise(4, 3), layer)


def test_what_stands_before_the_layer_that_raises_can_still_be_had():
    model, _, _ = broken_model(Subclassed, RAISED["KeyError"])
    x = zoo.noise(4, 3)
    assert_close(aw.activations(model, x, "before")["before"], model.before(x))
