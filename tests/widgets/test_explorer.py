"""The explorer without a browser: its traits, what it reads, its errors, its end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import weakref

import ipywidgets
import keras
import numpy as np
import pytest
import traitlets

import actwidget as aw
from actwidget import errors
from actwidget.capture.access import session
from actwidget.widgets import html
from tests.capture import odd_zoo
from tests.rounding import assert_close

RNG = np.random.default_rng(0)


class Fragile(keras.layers.Layer):
    """Raises while `broken` is set."""

    broken = False

    def call(self, inputs):
        if self.broken and not isinstance(inputs, keras.KerasTensor):
            message = "no <b>bold</b> moves"
            raise ValueError(message)
        return inputs * 2


def convolutional(name="small"):
    layers = keras.layers
    image = keras.Input((8, 8, 3), name="image")
    x = layers.Conv2D(6, 3, activation="relu", name="conv")(image)
    x = Fragile(name="fragile")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(image, layers.Dense(4, activation="softmax", name="classes")(x), name=name)


@pytest.fixture
def images():
    return RNG.normal(size=(3, 8, 8, 3)).astype("float32")


@pytest.fixture
def explorer(images):
    explorer = aw.LayerExplorer(convolutional(), images, class_names=["ant", "bee", "cat", "dog"])
    yield explorer
    explorer.close()


def alert(explorer):
    return explorer._screen.alert.value.partition(">")[2].rpartition("<")[0]


def status(explorer):
    return explorer._screen.status.value


def test_the_first_layer_with_weights_is_selected_at_the_start(explorer):
    assert explorer.layer == "conv"
    assert explorer.channel is None
    assert explorer.figure.layout.title.text.startswith("conv")
    assert 'role="status"' in status(explorer)
    assert alert(explorer) == ""


@pytest.mark.parametrize("selector", ["pool", 3, -2, "object", "pool@0"])
def test_a_layer_is_selected_by_path_index_or_object(explorer, selector):
    explorer.layer = explorer.model.get_layer("pool") if selector == "object" else selector
    assert explorer.layer == "pool"
    assert explorer.node.path == "pool"
    assert explorer._screen.tree.selected == "pool"
    assert explorer.activation.shape == (3, 6)


@pytest.mark.parametrize(
    ("name", "value", "error", "words"),
    [
        ("layer", "cnv", errors.LayerNotFoundError, "'conv'"),
        ("layer", 99, errors.LayerNotFoundError, "out of range"),
        ("layer", None, errors.LayerNotFoundError, "NoneType"),
        ("channel", 6, errors.ChannelError, "from 0 to 5"),
        ("channel", "1", errors.ChannelError, "from 0 to 5"),
        ("channel", 1.5, errors.ChannelError, "from 0 to 5"),
        ("sample", 3, errors.SampleError, "from 0 to 2"),
        ("sample", None, errors.SampleError, "from 0 to 2"),
        ("scaling", "global", errors.OptionError, "'layer', 'robust', 'channel'"),
        ("sort", "size", errors.OptionError, "'index'"),
    ],
)
def test_a_wrong_value_raises_is_said_on_screen_and_changes_nothing(explorer, name, value, error, words):
    before, figure = explorer.state(), explorer.figure
    with pytest.raises(error, match=words):
        setattr(explorer, name, value)
    assert words in alert(explorer).replace("&#x27;", "'")
    assert explorer.state() == before
    assert explorer.figure is figure
    explorer.layer = "pool"
    assert alert(explorer) == ""


def test_each_trait_changes_the_figure(explorer):
    seen = [explorer.figure.to_json()]
    for name, value in [("channel", 2), ("sample", 1), ("sort", "mean"), ("scaling", "layer"), ("layer", "classes")]:
        setattr(explorer, name, value)
        seen.append(explorer.figure.to_json())
    assert len(set(seen)) == len(seen)


def test_a_channel_that_the_next_layer_lacks_is_let_go(explorer):
    explorer.channel = 5
    explorer.layer = "fragile"
    assert explorer.channel == 5
    explorer.layer = "classes"
    assert explorer.channel is None


def test_what_is_read_agrees_with_the_model(explorer, images):
    for node in explorer.tree:
        explorer.layer = node.path
        np.testing.assert_array_equal(explorer.activation, aw.activations(explorer.model, images, node.path)[node.path])
        assert_close(explorer.submodel(images), explorer.activation)
        assert explorer.statistics.maximum == pytest.approx(explorer.activation.max(), rel=1e-5)
        assert explorer.statistics.samples == 3


def graphs():
    layers = keras.layers
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    shared = layers.Dense(3, name="shared")
    one, two = shared(a), shared(b)
    yield keras.Model([a, b], one * two + 1.0, name="shared"), [RNG.normal(size=(2, 4)), RNG.normal(size=(2, 4))]
    yield (
        keras.Model({"a": a, "b": b}, {"sum": shared(a) + b[:, :3]}, name="dicts"),
        {
            "a": RNG.normal(size=(2, 4)),
            "b": RNG.normal(size=(2, 4)),
        },
    )
    steps = keras.Input((5, 2), name="steps")
    states = layers.LSTM(3, return_state=True, name="lstm")(steps)
    yield keras.Model(steps, states, name="lstm"), RNG.normal(size=(2, 5, 2))
    row = keras.Sequential([keras.Input((4,)), shared, layers.Dense(2, name="out")], name="row")
    yield row, RNG.normal(size=(2, 4))


NESTED = (
    odd_zoo.functional_in_functional,
    odd_zoo.sequential_around_a_base,
    odd_zoo.doubly_nested,
    odd_zoo.nested_called_twice,
    odd_zoo.nested_with_two_of_each,
    odd_zoo.nested_with_a_dict,
    odd_zoo.masks_through_nested,
    odd_zoo.frozen_base,
    odd_zoo.subclassed_in_functional,
    odd_zoo.functional_in_subclassed,
    odd_zoo.attention_of_each_kind,
)


@pytest.mark.parametrize(
    ("model", "inputs"),
    [*graphs(), *(build() for build in NESTED), pytest.param(*odd_zoo.wrappers(), marks=pytest.mark.thorough)],
    ids=lambda value: getattr(value, "name", ""),
)
def test_the_code_gives_the_selected_activation_with_only_model_and_x_in_scope(model, inputs):
    explorer = aw.LayerExplorer(model, inputs)
    for node in explorer.tree:
        explorer.layer = node.path
        if node.origin == "opaque":
            assert explorer.code.startswith("#")
            assert explorer.code.count("\n") == 1
            continue
        assert ("actwidget" in explorer.code) >= (node.origin == "tapped")
        scope = {"model": model, "x": inputs}
        exec(explorer.code, scope)  # noqa: S102 - the recipe is meant to be run
        assert_close(scope["activation"], explorer.activation)


def test_plain_keras_is_used_where_it_reaches_and_a_comment_says_where_not():
    model, inputs = next(graphs())
    explorer = aw.LayerExplorer(model, inputs)
    explorer.layer = "shared"
    assert "actwidget" not in explorer.code
    a, b = keras.Input((3,)), keras.Input((3,))
    add = keras.layers.Add(name="again")
    chain = keras.Model([a, b], keras.layers.ReLU()(add([add([add([a, b]), b]), a])), name="chain")
    lost = aw.LayerExplorer(chain, [np.ones((1, 3)), np.ones((1, 3))], layer="again@1")
    assert "actwidget.submodel(model, 'again@1')" in lost.code
    assert lost.code.startswith("# Keras has no public name")


def test_what_has_no_name_is_had_by_calling_the_layer():
    layers = keras.layers
    augment = keras.Sequential([layers.RandomFlip()], name="augment")
    base = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(4, 3, name="conv")], name="base")
    head = keras.Sequential([layers.Flatten(), layers.Dense(3, name="dense")], name="head")
    image, again = keras.Input((8, 8, 3)), layers.Dense(3, name="again")
    y = layers.ReLU()(again(again(again(head(base(augment(image)))))))
    explorer = aw.LayerExplorer(keras.Model(image, y), RNG.normal(size=(2, 8, 8, 3)))
    for path in ("augment", "base", "base/conv", "head/dense", "again@1", "again@2"):
        explorer.layer = path
        assert "actwidget" not in explorer.code
        scope = {"model": explorer.model, "x": explorer.inputs}
        exec(explorer.code, scope)  # noqa: S102 - the recipe is meant to be run
        assert_close(scope["activation"], explorer.activation)


@pytest.mark.parametrize("given", [lambda x: {"b": x * 2, "a": x}, lambda x: [x], lambda x: [x, x * 2]])
def test_a_nested_model_that_is_given_a_structure_needs_no_actwidget(given):
    x = keras.Input((3,), name="x")
    inner = keras.tree.map_structure(lambda _: keras.Input((3,)), given(x))
    y = keras.layers.Dense(2, name="inside")(keras.ops.add(*(keras.tree.flatten(inner) * 2)[:2]))
    model = keras.Model(x, keras.layers.ReLU()(keras.Model(inner, y, name="inner")(given(x))))
    explorer = aw.LayerExplorer(model, RNG.normal(size=(2, 3)), layer="inner/inside")
    assert "actwidget" not in explorer.code
    scope = {"model": model, "x": explorer.inputs}
    exec(explorer.code, scope)  # noqa: S102 - the recipe is meant to be run
    assert_close(scope["activation"], explorer.activation)


def test_the_state_makes_the_same_view_again(explorer, images):
    explorer.layer, explorer.channel, explorer.sample, explorer.sort = "fragile", 3, 2, "mean"
    state = json.loads(json.dumps(explorer.state()))
    again = aw.LayerExplorer(explorer.model, images, state=state)
    assert again.state() == explorer.state()
    assert again.figure.to_json() == explorer.figure.to_json()


@pytest.mark.parametrize("state", [{"layers": "conv"}, ["conv"], "conv"])
def test_a_state_of_another_form_is_refused(explorer, images, state):
    with pytest.raises(errors.OptionError, match="state"):
        aw.LayerExplorer(explorer.model, images, state=state)


def test_traits_can_be_observed_and_linked(explorer, images):
    seen = []
    explorer.observe(lambda change: seen.append(change["new"]), "layer")
    other = aw.LayerExplorer(explorer.model, images)
    traitlets.link((explorer, "layer"), (other, "layer"))
    explorer.layer = "pool"
    assert (seen, other.layer) == (["pool"], "pool")
    other.layer = "conv"
    assert seen == ["pool", "conv"]
    assert isinstance(ipywidgets.HBox([explorer, other]), ipywidgets.Widget)


def test_the_controls_and_the_tree_set_the_traits(explorer):
    explorer._screen.tree.selected = "fragile"
    explorer._screen.controls.widget("channel")._field.value = "4"
    explorer._screen.samples.value = 1
    explorer._screen.controls.widget("sort").value = "maximum"
    explorer._screen.controls.widget("scaling").value = "channel"
    assert explorer.state() == {
        "show": "activation",
        "layer": "fragile",
        "channel": 4,
        "sample": 1,
        "compare": None,
        "scaling": "channel",
        "sort": "maximum",
        "position": None,
        "slice": None,
        "input_channel": None,
        "reading": "auto",
    }
    explorer._screen.controls.widget("channel")._field.value = "seven"
    assert "seven" in explorer._screen.controls.widget("channel").children[-1].value
    assert explorer.channel == 4


def test_a_button_at_the_end_of_the_channels_does_nothing_and_looks_so(explorer):
    stepper = explorer._screen.controls.widget("channel")

    def ended():
        return [button._dom_classes == ("actw-stepper-end",) for button in (stepper._down, stepper._up)]

    last = stepper.maximum
    for start, button, reached, ends in (
        (None, stepper._down, None, [True, False]),
        (None, stepper._up, 0, [True, False]),
        (0, stepper._down, 0, [True, False]),
        (1, stepper._up, 2, [False, False]),
        (last - 1, stepper._up, last, [False, True]),
        (last, stepper._up, last, [False, True]),
    ):
        explorer.channel = start
        button.click()
        assert explorer.channel == reached
        assert ended() == ends


def test_a_click_on_a_tile_selects_its_channel(explorer):
    explorer._screen.plot._answer(explorer._screen.plot, {"kind": "click", "customdata": [5.0, 0, 0]}, [])
    assert explorer.channel == 5
    explorer._screen.plot._answer(explorer._screen.plot, {"kind": "click", "customdata": [99]}, [])
    assert explorer.channel == 5


def test_the_prediction_is_named_once_the_picture_is_there(explorer):
    async def selected():
        explorer.layer = "pool"
        assert not explorer._explorer.inspector.predictions.are_known
        turn = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(turn.set_result, None)
        await turn

    asyncio.run(selected())
    top = explorer.model(explorer.inputs, training=False).numpy()[0].argmax()
    assert ["ant", "bee", "cat", "dog"][top] in explorer._screen.prediction.value


def test_an_output_that_is_not_finite_is_no_prediction():
    x = keras.Input((6,))
    model = keras.Model(x, keras.layers.Identity(name="same")(x))
    rows = np.array([[1, np.inf, np.nan, 2, -1, 0], [0, 0, np.nan, 1, 0, 0], [0, 0, 0, 1, 0, 0]])
    explorer = aw.LayerExplorer(model, rows, layer="same")
    answers = [explorer._explorer.inspector.predictions.answers(sample).items for sample in range(3)]
    assert answers[:2] == [(), ()]
    assert answers[2][0] == ("class 3", 1.0, "100 %")


def test_a_layer_that_raises_is_said_and_the_last_picture_stays(explorer):
    figure = explorer.figure
    fragile = explorer.model.get_layer("fragile")
    fragile.broken = True
    explorer.layer = "fragile"
    assert "fragile" in alert(explorer)
    assert "no &lt;b&gt;bold&lt;/b&gt; moves" in alert(explorer)
    assert explorer.figure is figure
    with pytest.raises(errors.CaptureError, match="bold"):
        _ = explorer.activation
    fragile.broken = False
    explorer.layer = "pool"
    assert alert(explorer) == ""


def test_a_single_sample_is_taken_with_a_note(explorer, images):
    one = aw.LayerExplorer(explorer.model, images[0])
    assert one.activation.shape == (1, 6, 6, 6)
    assert "One picture, sent as a batch of 1." in status(one)


def test_without_inputs_there_is_the_tree_alone():
    explorer = aw.LayerExplorer(convolutional())
    assert explorer.activation is None
    assert explorer.statistics is None
    assert "No inputs" in status(explorer)


def test_class_names_of_the_wrong_number_are_refused(explorer, images):
    with pytest.raises(errors.OptionError, match="Expected 4 class_names"):
        aw.LayerExplorer(explorer.model, images, class_names=["one", "two"])


@pytest.mark.parametrize("wrong", [np.ones((2, 5, 5, 3)), np.ones((0, 8, 8, 3)), "cat.png"])
def test_inputs_that_do_not_fit_are_refused(explorer, wrong):
    with pytest.raises(errors.InvalidInputsError, match=r"Expected|empty"):
        aw.LayerExplorer(explorer.model, wrong)


def test_the_repr_is_one_line_without_addresses(explorer):
    assert repr(explorer) == "LayerExplorer('small', layer='conv', channel=None, sample=0)"
    assert explorer._repr_mimebundle_()["text/plain"] == repr(explorer)


def test_names_of_the_model_are_escaped_wherever_they_become_html():
    hostile = "<img src=x onerror=alert(1)>"
    inputs = keras.Input((3,), name="i")
    model = keras.Model(inputs, keras.layers.Dense(2, activation="softmax", name=hostile)(inputs), name=hostile)
    explorer = aw.LayerExplorer(model, np.ones((1, 3)), class_names=[hostile, hostile])
    for widget in (
        explorer._screen.header,
        explorer._screen.prediction,
        explorer._screen.title,
        explorer._screen.numbers,
        explorer._screen.status,
    ):
        assert "<img src=x" not in widget.value
    assert "&lt;img" in explorer.figure.layout.title.text
    with pytest.raises(errors.LayerNotFoundError):
        explorer.layer = "<script>"
    assert "<script>" not in explorer._screen.alert.value


def test_close_frees_the_explorer_and_its_activations(images):
    model = convolutional()
    explorer = aw.LayerExplorer(model, images)
    activation, widget = weakref.ref(explorer.activation), weakref.ref(explorer)
    explorer.close()
    del explorer
    gc.collect()
    assert widget() is None
    assert activation() is None


def test_activations_beyond_the_budget_are_let_go(images):
    explorer = aw.LayerExplorer(convolutional(), images, max_bytes=22_000)
    for path in ("conv", "fragile", "pool", "classes"):
        explorer.layer = path
        assert explorer._explorer.session.bytes_kept <= 22_000
    assert {key.path for key in explorer._explorer.session.kept.keys("whole")} == {"fragile", "pool", "classes"}
    assert {key.path for key in explorer._explorer.session.kept.keys("picture")} <= {"fragile", "pool", "classes"}
    assert not explorer._explorer.session.holds("conv")


def test_two_explorers_on_one_model_are_independent(explorer, images):
    other = aw.LayerExplorer(explorer.model, images[:1], layer="pool")
    explorer.channel = 1
    assert (other.layer, other.channel, len(other.activation)) == ("pool", None, 1)
    assert (explorer.layer, len(explorer.activation)) == ("conv", 3)


def test_the_status_says_whether_the_model_ran(explorer):
    assert "Captured in" in status(explorer)
    explorer.layer = "pool"
    assert "Captured in" in status(explorer)
    explorer.layer = "conv"
    assert "From the cache" in status(explorer)
    explorer.channel = 2
    assert "From the cache" in status(explorer)


def test_an_activation_larger_than_the_budget_is_computed_once_for_a_drawing(images, monkeypatch):
    explorer = aw.LayerExplorer(convolutional(), images, max_bytes=100)
    passes = []
    for name in ("capture", "stream"):
        monkeypatch.setattr(session, name, counted(getattr(session, name), passes))
    explorer.layer = "fragile"
    assert passes == ["fragile"]
    assert explorer.statistics.maximum == pytest.approx(explorer.activation.max(), rel=1e-5)


def counted(function, passes):
    """A pass through a model that notes what it is for."""

    def run(graph, batch, nodes, *args, **options):
        passes.extend(node.path for node in nodes)
        return function(graph, batch, nodes, *args, **options)

    return run


def test_numbers_that_can_not_be_had_are_said_and_the_explorer_stays_alive(explorer, monkeypatch):
    def no_memory(*_args, **_options):
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr("actwidget.explorer.views.channels.facts_of", no_memory)
        explorer.layer = "fragile"
    assert alert(explorer) == "fragile: MemoryError:"
    explorer.layer = "conv"
    assert alert(explorer) == ""


def shows(explorer, model, images, path):
    """Whether the close-up on screen is the mean over the channels that the model gives now."""
    closeup = next(trace for trace in explorer._screen.plot._shown.figure["data"] if trace.get("coloraxis"))
    now = aw.activations(model, images, path)[path][explorer.sample].mean(-1)
    return np.allclose(closeup["z"], now, atol=1e-6)


def train(model):
    kernel = model.get_layer("conv").kernel
    kernel.assign(kernel * 2)


def test_a_trained_model_is_drawn_anew(explorer, images):
    assert shows(explorer, explorer.model, images, "conv")
    train(explorer.model)
    explorer.sample = 1
    assert shows(explorer, explorer.model, images, "conv")
    train(explorer.model)
    before = explorer._screen.plot._shown
    assert not shows(explorer, explorer.model, images, "conv")
    assert explorer.figure.data
    assert explorer._screen.plot._shown is not before
    assert shows(explorer, explorer.model, images, "conv")


@pytest.mark.parametrize(
    "function", ["keras_internals.backend.backend.address_of", "capture.access.weight_watch.value_of"]
)
def test_so_it_is_where_weights_have_no_address_or_can_not_be_read(images, monkeypatch, function):
    monkeypatch.setattr(f"actwidget.{function}", lambda _given: None)
    drawn = []
    inner = aw.LayerExplorer._render
    monkeypatch.setattr(aw.LayerExplorer, "_render", lambda self: (drawn.append(1), inner(self))[1])
    model = convolutional("elsewhere")
    explorer = aw.LayerExplorer(model, images, layer="conv")
    for show in ("activation", "overview", "weights"):
        explorer.show = show
        before = explorer._screen.plot._shown.spec
        train(model)
        drawn.clear()
        np.testing.assert_array_equal(explorer.activation, aw.activations(model, images, "conv")["conv"])
        assert len(drawn) == 1
        assert explorer._screen.plot._shown.spec != before
    drawn.clear()
    _ = explorer.activation
    assert len(drawn) == function.endswith("value_of")  # what is not known to hold is drawn once more
    explorer.close()


async def redrawn(explorer):
    """Lets the event loop run until the explorer has drawn anew; a minute is too long."""
    drawn = asyncio.Event()
    explorer._screen.plot.observe(lambda _change: drawn.set(), "_spec")
    await asyncio.wait_for(drawn.wait(), 60)


def test_on_a_page_the_weights_are_looked_into_when_the_picture_is_drawn(images):
    async def cell():
        explorer = aw.LayerExplorer(convolutional("paged"), images)
        train(explorer.model)  # in the same cell, before anything could be looked into
        assert not shows(explorer, explorer.model, images, "conv")
        await redrawn(explorer)
        assert shows(explorer, explorer.model, images, "conv")
        train(explorer.model)
        explorer.sample = 2
        assert not shows(explorer, explorer.model, images, "conv")
        await redrawn(explorer)
        assert shows(explorer, explorer.model, images, "conv")
        train(explorer.model)
        np.testing.assert_array_equal(explorer.activation, aw.activations(explorer.model, images, "conv")["conv"])
        assert shows(explorer, explorer.model, images, "conv")
        explorer.close()

    asyncio.run(cell())


def test_the_status_tells_of_the_forward_pass_of_an_overview(images):
    explorer = aw.LayerExplorer(convolutional("whole"), images)
    explorer.show = "overview"
    assert "Captured in" in status(explorer)
    explorer.channel = 1
    explorer.channel = 2
    assert "From the cache" in status(explorer)
    explorer.close()


class Restless(keras.layers.Layer):
    """Writes its weight whenever it runs, behind Keras's back."""

    def build(self, _shape):
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, inputs):
        if not isinstance(inputs, keras.KerasTensor):
            written.append(1)
            self.count.assign(float(len(written)))
        return inputs + self.count


written = []


def test_weights_that_every_pass_writes_make_no_endless_drawing(images, monkeypatch):
    drawn = []
    inner = aw.LayerExplorer._render
    monkeypatch.setattr(aw.LayerExplorer, "_render", lambda self: (drawn.append(1), inner(self))[1])
    monkeypatch.setattr("actwidget.widgets.rendering.DRAWING_TIME", 0)
    # As if a pass could leave a trace.
    monkeypatch.setattr(
        "actwidget.capture.access.forward_pass.unchanged", lambda *_args, **_options: contextlib.nullcontext()
    )

    async def cell():
        image = keras.Input((8, 8, 3))
        model = keras.Model(image, keras.layers.Conv2D(2, 3, name="conv")(Restless(name="restless")(image)))
        explorer = aw.LayerExplorer(model, images, layer="conv")
        explorer.layer = "restless"
        for _ in range(20):
            await asyncio.sleep(0)
        explorer.close()

    asyncio.run(cell())
    assert len(drawn) <= 4


@pytest.mark.parametrize(
    ("name", "wrong"), [("layer", "zz"), ("channel", 99), ("sample", 9), ("sort", "x"), ("scaling", "x"), ("show", "x")]
)
def test_an_error_goes_when_what_is_there_already_is_chosen(explorer, name, wrong):
    drawn = explorer._screen.plot.figure
    before = getattr(explorer, name)
    with pytest.raises(errors.ActwidgetError):
        setattr(explorer, name, wrong)
    assert str(wrong) in explorer._screen.alert.value
    setattr(explorer, name, before)
    assert explorer._screen.alert.value == html.live("alert", "")
    assert explorer._screen.plot.figure is drawn


def test_a_layer_that_failed_is_tried_once_more_when_it_is_chosen_again(images):
    inputs = keras.Input((8, 8, 3), name="image")
    layer = Fragile(name="fragile")
    explorer = aw.LayerExplorer(keras.Model(inputs, layer(inputs)), images, layer="image")
    layer.broken = True
    explorer.layer = "fragile"
    assert "fragile" in explorer._screen.alert.value
    layer.broken = False
    explorer._screen.tree._answer(explorer._screen.tree, {"kind": "again"}, [])
    assert explorer._screen.alert.value == html.live("alert", "")
    assert explorer.figure.layout.title.text.startswith("fragile")


def test_class_names_and_labels_are_those_of_the_first_output():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, [keras.layers.Dense(5, name="q")(inputs), keras.layers.Dense(3, name="p")(inputs)])
    with pytest.raises(errors.OptionError, match="Expected 5 class_names"):
        aw.LayerExplorer(model, np.ones((2, 4)), class_names=list("abc"))
    with pytest.raises(errors.OptionError, match="from 0 to 4"):
        aw.LayerExplorer(model, np.ones((2, 4)), labels=[7, 7])
    explorer = aw.LayerExplorer(model, np.ones((2, 4)), class_names=list("abcde"), labels=[4, 0], layer="q")
    assert "✓ e" in explorer.figure.layout.yaxis.ticktext
    explorer.layer = "p"
    assert explorer._screen.alert.value == html.live("alert", "")


def test_the_code_says_where_its_batch_is_if_another_was_given():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="hidden")])
    explorer = aw.LayerExplorer(model, np.ones(4), layer="hidden")
    assert explorer.code.startswith("# x is a batch, here explorer.inputs\n")
    assert not aw.LayerExplorer(model, np.ones((1, 4))).code.startswith("#")
    scope = {"model": model, "x": explorer.inputs}
    exec(explorer.code, scope)  # noqa: S102 - the recipe is meant to be run
    np.testing.assert_array_equal(scope["activation"], explorer.activation)


def test_an_invalid_number_is_said_beside_its_field_and_nowhere_else(explorer):
    stepper = explorer._screen.controls.widget("channel")
    stepper._field.value = "99"
    *_, message = stepper.children
    assert message.value == html.live("alert", f"Expected a channel from 0 to {stepper.maximum}, got '99'.")
    assert alert(explorer) == ""
    assert explorer.channel is None
    stepper._field.value = "2"
    assert message not in stepper.children
    assert explorer.channel == 2
    stepper._field.value = "x"
    assert stepper.children[-1] is message
    explorer.channel = 3
    assert (message in stepper.children, stepper._field.value) == (False, "3")
