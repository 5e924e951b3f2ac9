"""An edit is made in every way to run or to look at an edited model, or the call says that it was not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import actwidget as aw
from actwidget.errors import NotCapturableError
from tests.capture import zoo
from tests.capture.deep_witness import as_array
from tests.rounding import assert_close

pytestmark = pytest.mark.filterwarnings("ignore:`build\\(\\)` was called on layer:UserWarning")
WIDTH = 5


@keras.saving.register_keras_serializable("test_editor")
class Steps(keras.Model):
    """`hidden`, then `out`; how `hidden` is called is told by `way`."""

    def __init__(self, way="plain", **kwargs):
        super().__init__(**kwargs)
        self.way = way
        self.hidden, self.out = layers.Dense(WIDTH, name="hidden"), layers.Dense(2, name="out")

    def build(self, input_shape):
        self.hidden.build(input_shape)
        self.out.build((None, WIDTH))

    def call(self, inputs):
        return self.out(WAYS[self.way](self.hidden, inputs))

    def get_config(self):
        return {**super().get_config(), "way": self.way}


def in_a_thread(layer, x):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(layer, x).result()


def of_large_batches(layer, x):
    return layer(x) if x.shape[0] is None or x.shape[0] > 100 else keras.ops.tile(x[:, :1], (1, WIDTH))


WAYS = {
    "plain": lambda layer, x: layer(x),
    "vectorized_map": lambda layer, x: keras.ops.vectorized_map(lambda row: layer(row[None])[0], x),
    "function": lambda layer, x: tf.function(layer)(x),
    "thread": lambda layer, x: in_a_thread(layer, x) if tf.executing_eagerly() else layer(x),
    "large batches": of_large_batches,
    "left out": lambda _layer, x: keras.ops.tile(x[:, :1], (1, WIDTH)),
}
WHY = {
    "vectorized_map": "runs inside a loop, a branch or a function that TensorFlow compiles",
    "thread": "was called in another thread",
    "large batches": "was not called",
}


def explored(model, x):
    explorer = aw.LayerExplorer(model, x, layer="out")
    explorer.close()
    return explorer


def by_code(model, x):
    names = {"model": model, "x": x}
    exec(explored(model, x).code, names)  # noqa: S102 - it is our own
    return np.array(names["activation"])


RUN = {
    "call": lambda edited, x: np.array(edited(x)),
    "predict": lambda edited, x: edited.predict(x, verbose=0),
    "tf.function": lambda edited, x: as_array(tf.function(edited)(x)),
    "in another model": lambda edited, x: as_array(keras.Sequential([keras.Input(x.shape[1:]), edited])(x)),
}
LOOK = {
    "all layers": lambda edited, x: aw.activations(edited, x)["out"],
    "one layer": lambda edited, x: aw.activations(edited, x, "out")["out"],
    "some layers": lambda edited, x: aw.activations(edited, x, ["hidden", "out"])["out"],
    "submodel": lambda edited, x: np.array(aw.submodel(edited, "out")(x)),
    "submodel of two": lambda edited, x: np.array(aw.submodel(edited, ["hidden", "out"])(x)[1]),
    "explorer": lambda edited, x: explored(edited, x).activation,
    "explorer.submodel": lambda edited, x: np.array(explored(edited, x).submodel(x)),
    "explorer.code": by_code,
}


def edited_to_half(way, **options):
    """A model of which `hidden` is all 0.5, and what follows from that."""
    model = Steps(way, name="steps")
    model(zoo.noise(2, 3))
    edited = aw.edit(model, {"hidden": aw.Ablate(range(WIDTH), 0.5)}, **options)
    kernel, bias = model.out.get_weights()
    return model, edited, np.full((4, WIDTH), 0.5, "float32") @ kernel + bias


@pytest.mark.parametrize("run", [*RUN.values(), *LOOK.values()], ids=[*RUN, *LOOK])
def test_what_an_edited_subclassed_model_gives_is_edited(run):
    _, edited, expected = edited_to_half("plain")
    assert_close(run(edited, zoo.noise(4, 3)), expected)


@pytest.mark.parametrize("run", [RUN["call"], *LOOK.values()], ids=["call", *LOOK])
@pytest.mark.parametrize("way", ["vectorized_map", "thread", "large batches"])
@pytest.mark.filterwarnings("ignore:.*triggered tf.function retracing")
def test_an_edit_that_is_not_made_is_an_error_that_names_the_layer_and_the_cause(way, run):
    _, edited, _ = edited_to_half(way)
    asked = run in (LOOK["some layers"], LOOK["submodel of two"])  # `hidden` itself, which the tree may refuse
    with pytest.raises(NotCapturableError, match="'hidden'.*" + ("" if asked else WHY[way])):
        run(edited, zoo.noise(4, 3))


def test_the_error_says_that_nothing_was_changed_and_how_to_allow_that():
    _, edited, _ = edited_to_half("large batches")
    with pytest.raises(NotCapturableError) as caught:
        edited(zoo.noise(4, 3))
    assert str(caught.value) == (
        "The edit of 'hidden' in model 'steps' was not made, and the output is that of the model without it: 'hidden' "
        "was not called for this batch. If that depends on the batch, allow it: edit(model, ..., allow_unreached=True)."
    )


@pytest.mark.parametrize("run", [*RUN.values(), *LOOK.values()], ids=[*RUN, *LOOK])
@pytest.mark.parametrize("way", ["vectorized_map", "function", "thread", "large batches"])
def test_no_way_to_run_gives_the_answer_without_the_edit(way, run):
    try:
        _, edited, expected = edited_to_half(way)
        result = run(edited, zoo.noise(4, 3))
    except NotCapturableError as error:
        assert "'hidden'" in str(error)  # noqa: PT017 - or the edited answer
    else:
        assert_close(result, expected)


@pytest.mark.parametrize("step", ["fit", "evaluate"])
def test_a_compiled_step_that_does_not_make_an_edit_is_an_error(step):
    model, edited, expected = edited_to_half("plain")
    x, target = zoo.noise(4, 3), np.zeros((4, 2), "float32")
    edited.compile("sgd", "mse")
    assert_close(edited.evaluate(x, target, verbose=0), np.mean(expected**2))
    model.way = "left out"
    edited.compile("sgd", "mse")
    before = model.out.get_weights()
    with pytest.raises(NotCapturableError, match=r"edit of 'hidden'.*was not called"):
        getattr(edited, step)(x, target, verbose=0)
    for now, then in zip(model.out.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_reached_tells_of_each_edit_whether_the_latest_call_made_it():
    _, edited, _ = edited_to_half("large batches", allow_unreached=True)
    assert edited.reached == {"hidden": False}
    edited(zoo.noise(200, 3))
    assert edited.reached == {"hidden": True}
    edited(zoo.noise(4, 3))
    assert edited.reached == {"hidden": False}
    edited.predict(zoo.noise(200, 3), batch_size=200, verbose=0)
    assert edited.reached == {"hidden": True}


@pytest.mark.parametrize("look", LOOK.values(), ids=LOOK)
def test_an_edit_that_may_be_left_out_is_made_where_the_layer_is_called(look):
    model, edited, expected = edited_to_half("large batches", allow_unreached=True)
    assert_close(look(edited, zoo.noise(200, 3)), np.tile(expected[:1], (200, 1)))
    small = zoo.noise(4, 3)
    if look is not LOOK["some layers"] and look is not LOOK["submodel of two"]:  # these ask for `hidden` itself
        assert_close(look(edited, small), model(small))


@pytest.mark.parametrize("way", ["vectorized_map", "thread"])
@pytest.mark.filterwarnings("ignore:.*triggered tf.function retracing")
def test_an_edit_that_may_be_left_out_is_an_error_where_its_layer_runs_without_it(way):
    _, edited, _ = edited_to_half(way, allow_unreached=True)
    for run in (RUN["call"], LOOK["all layers"], LOOK["submodel"]):
        with pytest.raises(NotCapturableError, match=WHY[way]):
            run(edited, zoo.noise(4, 3))


def test_a_call_on_symbols_need_not_make_an_edit_and_is_not_the_latest_call():
    model, edited, expected = edited_to_half("plain")
    edited(zoo.noise(4, 3))
    model.way = "left out"
    inputs = keras.Input((3,))
    outer = keras.Model(inputs, edited(inputs))
    assert edited.compute_output_spec(keras.KerasTensor((None, 3))).shape == (None, 2)
    assert edited.reached == {"hidden": True}
    with pytest.raises(NotCapturableError, match="edit of 'hidden'"):
        outer(zoo.noise(4, 3))
    model.way = "plain"
    assert_close(outer(zoo.noise(4, 3)), expected)


@pytest.mark.parametrize("allow", [False, True])
def test_whether_an_edit_may_be_left_out_is_saved_with_the_model(allow, tmp_path):
    _, edited, expected = edited_to_half("large batches", allow_unreached=allow)
    for made in (edited, aw.submodel(edited, "out")):
        made.save(tmp_path / "edited.keras")
        again = keras.saving.load_model(tmp_path / "edited.keras")
        assert_close(again(zoo.noise(101, 3))[:4], expected)
        if allow:
            assert_close(again(zoo.noise(4, 3)), edited(zoo.noise(4, 3)))
        else:
            with pytest.raises(NotCapturableError, match="edit of 'hidden'"):
                again(zoo.noise(4, 3))


def test_the_latest_edit_of_a_layer_says_whether_it_may_be_left_out():
    model = Steps("large batches", name="steps")
    model(zoo.noise(2, 3))
    strict, lax = {"allow_unreached": False}, {"allow_unreached": True}
    for first, second, allowed in ((strict, lax, True), (lax, strict, False)):
        twice = aw.edit(aw.edit(model, {"hidden": aw.Ablate(0)}, **first), {"hidden": aw.Ablate(1)}, **second)
        assert twice.allow_unreached == ({"hidden"} if allowed else set())
    other = aw.edit(aw.edit(model, {"hidden": aw.Ablate(0)}, **lax), {"out": aw.Ablate(1)})
    assert other.allow_unreached == {"hidden"}
    np.testing.assert_allclose(other(zoo.noise(4, 3))[:, 1], 0)
    assert other.reached == {"hidden": False, "out": True}


def test_a_layer_that_is_wanted_and_not_called_is_an_error_after_loading_too(tmp_path):
    model = Steps("large batches", name="steps")
    model(zoo.noise(2, 3))
    tapped = aw.submodel(model, "hidden")
    tapped.save(tmp_path / "tapped.keras")
    again = keras.saving.load_model(tmp_path / "tapped.keras")
    for each in (tapped, again):
        assert_close(each(zoo.noise(101, 3)), model.hidden(zoo.noise(101, 3)))
        with pytest.raises(NotCapturableError, match="'hidden' of model 'steps' can't be captured: it was not called"):
            each(zoo.noise(4, 3))


def test_a_submodel_of_an_edited_one_runs_no_further_than_its_layers_and_their_edits_need():
    ran = []

    class Noted(layers.Dense):
        def call(self, inputs):
            ran.append(self.name)
            return super().call(inputs)

    x = keras.Input((3,))
    model = keras.Sequential([x, *(Noted(3, name=name) for name in ("first", "second", "third"))])
    value = zoo.noise(2, 3)
    edited = aw.edit(model, {"first": aw.Ablate(0), "third": aw.Ablate(1)})
    sub = aw.submodel(edited, "second")
    for run in (lambda: sub(value), lambda: aw.activations(edited, value, "second")["second"]):
        ran.clear()
        kernel, bias = model.get_layer("second").get_weights()
        first = np.array(aw.Ablate(0)(model.get_layer("first")(value)))
        ran.clear()
        assert_close(run(), first @ kernel + bias)
        assert ran == ["first", "second"]


def test_compare_and_summaries_of_an_edited_subclassed_model_show_the_edit():
    model, edited, expected = edited_to_half("plain")
    x = zoo.noise(4, 3)
    apart = aw.compare(model, x, edited)
    assert_close(apart["hidden"], 0.5 - np.array(model.hidden(x)))
    assert_close(apart["out"], expected - np.array(model(x)))
    found = {row.path: row for row in explored(edited, x).summaries}
    assert found["hidden"].maximum == found["hidden"].minimum == 0.5
    assert_close(found["out"].maximum, expected.max())


def test_another_thread_that_runs_the_same_model_is_no_reason_for_an_error():
    class Signed(keras.Model):
        def __init__(self):
            super().__init__(name="signed")
            self.up, self.down = layers.Dense(4, name="up"), layers.Dense(4, name="down")
            self.meanwhile = lambda: None

        def build(self, shape):
            self.up.build(shape)
            self.down.build(shape)
            self.built = True

        def call(self, inputs):
            if keras.ops.is_tensor(inputs) and not tf.is_symbolic_tensor(inputs) and float(tf.reduce_sum(inputs)) < 0:
                self.meanwhile()
                return self.down(inputs)
            return self.up(inputs)

    model, x = Signed(), np.ones((2, 3), "float32")
    model.build((None, 3))
    edited = aw.edit(model, {"up": aw.Ablate([0])}, x, allow_unreached=True)

    def elsewhere():
        with ThreadPoolExecutor(1) as pool:
            pool.submit(model, x).result(60)

    model.meanwhile = elsewhere
    assert_close(edited(-x), model.down(-x))
    assert edited.reached == {"up": False}
