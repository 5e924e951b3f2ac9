"""What is chosen within a layer: a place over the input, a slice, an input channel, a row, a key."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest

import actwidget as aw
from actwidget.errors import ChannelError, OptionError, UnsupportedModelError
from tests.rounding import assert_close

RNG = np.random.default_rng(1)
layers = keras.layers


@pytest.fixture
def explorer():
    x = keras.Input((16, 16, 3))
    y = layers.Conv2D(6, 3, padding="same", activation="relu", name="conv")(x)
    y = layers.Conv2D(5, 3, strides=2, padding="same", name="strided")(y)
    y = layers.Conv2DTranspose(4, 3, name="unknown")(y)
    y = layers.Dense(7, name="units")(layers.GlobalMaxPooling2D(name="pool")(y))
    opened = aw.LayerExplorer(keras.Model(x, y), RNG.random((2, 16, 16, 3), dtype="float32"))
    yield opened
    opened.close()


def title(explorer):
    return explorer.figure.layout.title.text


def alert(explorer):
    return explorer._screen.alert.value.partition(">")[2].rpartition("<")[0]


def click(explorer, *customdata):
    explorer._screen.plot._answer(explorer._screen.plot, {"kind": "click", "customdata": list(customdata)}, [])


def test_a_click_on_the_close_up_pins_the_crosshair_and_the_overlay_shows_what_that_place_sees(explorer):
    explorer.layer, explorer.channel = "strided", 2
    click(explorer, "cell", 3, 0)
    assert (explorer.show, explorer.position) == ("activation", (3, 0))
    assert tuple(explorer.figure.layout.meta["crosshair"]["pinned"]) == (3, 0)
    explorer.show = "overlay"
    assert "depends on 5 × 4 of 16 × 16 pixels" in title(explorer)
    assert "rows 5 to 9 and columns 0 to 3" in explorer._screen.plot.alt
    values = np.asarray(explorer.figure.data[1].z)
    np.testing.assert_array_equal(values, explorer.activation[0, :, :, 2])


def test_without_a_channel_it_is_the_mean_over_all(explorer):
    explorer.show = "overlay"
    assert_close(np.asarray(explorer.figure.data[1].z), explorer.activation[0].mean(axis=-1))


def test_where_the_way_is_not_known_there_is_no_box(explorer):
    explorer.layer, explorer.show, explorer.position = "unknown", "overlay", (4, 4)
    assert "depends on" not in title(explorer)
    assert "stretched over the input<br>receptive field can't be computed" in title(explorer)
    assert "can't be computed" in explorer._screen.plot.alt


def test_a_place_that_sees_padding_alone_says_so():
    x = keras.Input((20, 20, 1))
    model = keras.Model(x, layers.ZeroPadding2D(3, name="pad")(x))
    explorer = aw.LayerExplorer(model, RNG.random((1, 20, 20, 1)), layer="pad", show="overlay")
    click(explorer, -1, 0, 0)
    for text in (title(explorer), explorer._screen.plot.alt):
        assert "depends on padding alone, not on the input" in text
        assert "0 × 0" not in text
    figure = explorer.figure.layout
    assert (figure.xaxis2.range, figure.yaxis2.range) == ((-0.5, 19.5), (19.5, -0.5))
    _, mark = figure.shapes
    assert (mark.x0, mark.x1, mark.y0, mark.y1) == (-3.5, -2.5, -3.5, -2.5)
    assert (figure.xaxis.range, figure.yaxis.range) == ((-0.5, 19.5), (19.5, -0.5))  # none beyond it


CHAINS = {
    "valid": [layers.Conv2D(1, 7), layers.Conv2D(1, 7), layers.Conv2D(1, 7)],
    "same": [layers.Conv2D(1, 5, padding="same"), layers.AveragePooling2D(3, 1, "same")],
    "cropped": [layers.Cropping2D(((0, 16), (3, 1)))],
    "cropped, then seen": [layers.Cropping2D(((7, 2), (0, 5))), layers.Conv2D(1, 3)],
    "padded": [layers.ZeroPadding2D(((4, 0), (1, 6))), layers.Conv2D(1, 3)],
    "strided": [layers.Conv2D(1, 3, 2), layers.Conv2D(1, 3)],
    "strided, same": [layers.Conv2D(1, 3, 2, padding="same"), layers.MaxPooling2D(1), layers.Conv2D(1, 3)],
    "twice strided": [layers.Conv2D(1, 5, 2, padding="same"), layers.AveragePooling2D(3, 2)],
    "dilated": [layers.Conv2D(1, 3, dilation_rate=(3, 2))],
}


def strongest(explorer):
    """The middle, as row and column of the input, of the cells of the highest value."""
    drawn = explorer.figure.data[1]
    cells = np.argwhere(np.asarray(drawn.z) == np.max(drawn.z)).mean(axis=0)
    return (drawn.y0 + cells[0] * drawn.dy, drawn.x0 + cells[1] * drawn.dx)


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize("spot", [(9, 9), (10, 13), (13, 14)])
def test_a_bright_spot_is_answered_where_it_is(name, spot):
    x = y = keras.Input((32, 32, 1))
    for layer in CHAINS[name]:
        y = type(layer).from_config(layer.get_config())(y)
    model = keras.Model(x, layers.Rescaling(1.0, name="end")(y))
    for weight in model.weights:
        weight.assign(np.full(weight.shape, float("bias" not in weight.name)))
    row, column = spot
    picture = np.zeros((1, 32, 32, 1), "float32")
    picture[0, row - 1 : row + 2, column - 1 : column + 2] = 1
    explorer = aw.LayerExplorer(model, picture, layer="end", show="overlay")
    answer, step = strongest(explorer), explorer.figure.data[1].dx
    # A map whose cells are several pixels apart can answer no more closely than that.
    assert np.abs(np.subtract(answer, spot)).max() <= (step - 1) / 2
    assert "stretched" not in title(explorer)
    explorer.position = (1, 2)
    cell, drawn = explorer.figure.layout.shapes[0], explorer.figure.data[1]
    assert ((cell.y0 + cell.y1) / 2, (cell.x0 + cell.x1) / 2) == (drawn.y0 + drawn.dy, drawn.x0 + 2 * drawn.dx)


def test_the_frame_of_a_cell_stands_in_the_middle_of_what_it_sees():
    x = keras.Input((28, 28, 1))
    y = layers.AveragePooling2D(2)(layers.Conv2D(6, 5)(x))
    y = layers.AveragePooling2D(2, name="p2")(layers.Conv2D(16, 5)(y))
    explorer = aw.LayerExplorer(keras.Model(x, y), RNG.random((1, 28, 28, 1)), layer="p2", show="overlay")
    for position in ((0, 0), (3, 1)):
        explorer.position = position
        cell, box = explorer.figure.layout.shapes[1::2]
        assert "depends on 16 × 16" in title(explorer)
        assert (cell.x0 + cell.x1, cell.y0 + cell.y1) == (box.x0 + box.x1, box.y0 + box.y1)
        assert (cell.x1 - cell.x0, cell.y1 - cell.y0) == (4, 4)


def test_of_several_inputs_it_is_the_picture_that_the_layer_depends_on():
    words, a, b = (
        keras.Input(shape, name=name) for shape, name in (((5,), "words"), ((16, 16, 3), "a"), ((32, 32, 1), "b"))
    )
    of_a, of_b = layers.Conv2D(4, 3, name="of_a")(a), layers.Conv2D(4, 5, name="of_b")(b)
    gate = layers.Reshape((1, 1, 4))(layers.Dense(4)(words))
    both = layers.Concatenate(name="both")([layers.Cropping2D(7)(of_b), layers.Multiply()([of_a, gate])])
    square = layers.Reshape((2, 2, 4), name="square")(layers.Dense(16)(words))
    batch = {"words": RNG.random((1, 5)), "a": RNG.random((1, 16, 16, 3)), "b": RNG.random((1, 32, 32, 1))}
    explorer = aw.LayerExplorer(keras.Model([words, b, a], [both, square]), batch, layer="of_b", show="overlay")
    for layer, name, size, seen in (("of_b", "b", 32, 5), ("of_a", "a", 16, 3), ("both", "b", 32, 5)):
        explorer.layer, explorer.position = layer, (3, 3)
        assert f"over input {name} · depends on {seen} × {seen} of {size} × {size} pixels" in title(explorer)
        assert explorer._screen.plot.alt.endswith(f"of input {name}")
        assert explorer.figure.layout.xaxis.range == (-0.5, size - 0.5)
    explorer.layer = "square"
    assert "depends on no input that is a picture" in explorer._screen.plot.alt
    explorer.show = "activation"
    click(explorer, "cell", 0, 0)
    assert explorer.show == "activation"


def test_what_the_layers_take_for_channels_first_is_not_marked_in_a_picture_of_channels_last():
    x = keras.Input((16, 16, 3))
    model = keras.Model(x, layers.Conv2D(4, (3, 1), data_format="channels_first", name="conv")(x))
    explorer = aw.LayerExplorer(model, RNG.random((1, 16, 16, 3)), layer="conv", show="overlay")
    explorer.position = (2, 1)
    assert "stretched over the input" in title(explorer)
    assert "receptive field can't be computed" in title(explorer)
    assert len(explorer.figure.layout.shapes) == 2


def test_a_picture_of_which_a_pixel_is_no_number_is_laid_under_all_the_same():
    x = keras.Input((8, 8, 1))
    pixels = RNG.random((1, 8, 8, 1))
    pixels[0, 2, 3] = np.nan
    model = keras.Model(x, layers.Conv2D(2, 3, name="conv")(x))
    explorer = aw.LayerExplorer(model, pixels, layer="conv", show="overlay")
    assert "NaN" in title(explorer)
    assert explorer.figure.data[0].type == "image"


def test_read_along_another_axis_there_is_no_place_in_the_map():
    x = keras.Input((12, 20, 1))
    model = keras.Model(x, layers.Conv2D(6, 3, padding="same", name="conv")(x))
    explorer = aw.LayerExplorer(model, RNG.random((1, 12, 20, 1)), layer="conv", show="overlay")
    explorer.position = (3, 4)
    assert "depends on 3 × 3" in title(explorer)
    explorer.reading = "last"  # the axis that the layer has
    assert explorer.position == (3, 4)
    explorer.reading = "first"
    assert explorer.position is None
    assert "depends on" not in title(explorer)
    assert not explorer.figure.layout.shapes
    click(explorer, -1, 3, 4)
    assert explorer.position is None
    with pytest.raises(OptionError, match="position"):
        explorer.position = (3, 4)


def test_a_place_outside_of_the_next_map_is_let_go(explorer):
    explorer.show, explorer.position = "overlay", (15, 15)
    explorer.layer = "strided"
    assert explorer.position is None
    assert alert(explorer) == ""


@pytest.mark.parametrize("value", [(16, 0), (-1, 0), (1,), (1.5, 2), "ab", 3, (True, 0)])
def test_a_place_that_is_not_there_is_refused(explorer, value):
    with pytest.raises(OptionError, match="16 by 16"):
        explorer.position = value
    assert "16 by 16" in alert(explorer)


def test_without_a_picture_there_is_no_overlay():
    model = keras.Sequential([keras.Input((12,)), layers.Dense(3, name="dense")])
    explorer = aw.LayerExplorer(model, RNG.random((1, 12)))
    with pytest.raises(OptionError, match="activation"):
        explorer.show = "overlay"
    (tab,) = [item for item in explorer._screen.tabs.items if item["name"] == "overlay"]
    assert "no feature map" in tab["reason"]


def test_a_state_has_the_place_and_gives_it_back(explorer):
    explorer.show, explorer.position = "overlay", (3, 4)
    state = json.loads(json.dumps(explorer.state()))
    again = aw.LayerExplorer(explorer.model, explorer.inputs, state=state)
    assert again.position == (3, 4)
    assert again.figure.to_json() == explorer.figure.to_json()


def test_a_slider_goes_through_a_volume():
    x = keras.Input((5, 8, 8, 1))
    model = keras.Model(x, layers.Flatten(name="flat")(layers.Conv3D(2, 3, padding="same", name="conv")(x)))
    explorer = aw.LayerExplorer(model, RNG.random((1, 5, 8, 8, 1)))
    slider = explorer._screen.controls.widget("slice")
    assert slider in explorer._screen.controls.box.children
    assert (slider.max, slider.value, explorer.slice) == (4, 2, None)
    middle = explorer.figure.to_json()
    slider.value = 4
    assert explorer.slice == 4
    assert "slice 4 (0 to 4)" in title(explorer)
    explorer.channel = 1
    np.testing.assert_array_equal(np.asarray(explorer.figure.data[2].z), explorer.activation[0, 4, :, :, 1])
    explorer.slice = explorer.channel = None
    assert (explorer.figure.to_json(), slider.value) == (middle, 2)
    with pytest.raises(OptionError, match="slice from 0 to 4"):
        explorer.slice = 5
    explorer.slice = 3
    explorer.layer = "flat"
    assert explorer.slice is None
    assert slider not in explorer._screen.controls.box.children


def test_slices_of_two_axes_are_counted_through():
    x = keras.Input((2, 3, 8, 8, 1))
    model = keras.Model(x, layers.Rescaling(2.0, name="twice")(x))
    explorer = aw.LayerExplorer(model, RNG.random((1, 2, 3, 8, 8, 1)), layer="twice", channel=0)
    assert "slice 1 (0 to 5), at 0, 1 of 2 × 3" in title(explorer)
    assert explorer._screen.controls.widget("slice").value == 1
    explorer.slice = 4
    assert "slice 4 (0 to 5), at 1, 1 of 2 × 3" in title(explorer)
    np.testing.assert_array_equal(np.asarray(explorer.figure.data[2].z), explorer.activation[0, 1, 1, :, :, 0])


def test_an_input_channel_of_a_kernel_is_chosen(explorer):
    explorer.layer, explorer.show = "strided", "weights"
    assert "mean over 6 input channels" in title(explorer)
    stepper = explorer._screen.controls.widget("input_channel")
    assert stepper in explorer._screen.controls.box.children
    stepper._field.value = "4"
    assert explorer.input_channel == 4
    assert "input channel 4 of 6" in title(explorer)
    with pytest.raises(ChannelError, match="input channel from 0 to 5"):
        explorer.input_channel = 6
    explorer.layer = "conv"
    assert explorer.input_channel is None
    explorer.show = "activation"
    assert stepper not in explorer._screen.controls.box.children


def test_the_table_has_the_numbers_of_each_channel_over_the_batch(explorer):
    explorer.show = "table"
    table = explorer._screen.table
    assert table in explorer._screen.stage.children
    assert explorer._screen.plot not in explorer._screen.stage.children
    values = np.frombuffer(table._values, np.float32).reshape(6, -1)
    whole = explorer.activation.reshape(-1, 6)
    for name, expected in {
        "channel": np.arange(6),
        "minimum": whole.min(axis=0),
        "maximum": whole.max(axis=0),
        "mean": whole.mean(axis=0),
        "std": whole.std(axis=0),
        "zeros %": 100 * (whole == 0).mean(axis=0),
    }.items():
        np.testing.assert_allclose(values[:, table._columns.index(name)], expected, rtol=1e-4, err_msg=name)
    table.selected = 3
    assert explorer.channel == 3
    explorer.channel = 1
    assert table.selected == 1
    explorer.layer = "units"
    assert np.frombuffer(table._values, np.float32).reshape(7, -1).shape[1] == len(table._columns)
    explorer.show = "activation"
    assert explorer._screen.plot in explorer._screen.stage.children


def test_arrow_keys_move_the_channel_as_the_grid_is_drawn(explorer):
    def press(key):
        explorer._screen.plot._answer(explorer._screen.plot, {"kind": "key", "key": key}, [])

    assert explorer._screen.plot.arrows
    columns = explorer._grid.columns
    press("ArrowRight")
    assert explorer.channel == 0
    press("ArrowRight")
    assert explorer.channel == 1
    press("ArrowDown")
    assert explorer.channel == 1 + columns
    press("ArrowUp")
    press("ArrowLeft")
    press("ArrowLeft")
    assert explorer.channel == 0
    press("End")
    assert explorer.channel == 5
    press("Escape")
    assert explorer.channel is None
    explorer.sort = "mean"
    press("Home")
    assert explorer.channel == int(explorer.activation[0].mean(axis=(0, 1)).argmax())
    press("F1")
    assert explorer.channel == int(explorer.activation[0].mean(axis=(0, 1)).argmax())


def test_integers_that_name_things_are_no_measurements():
    x = keras.Input((6, 6, 4))
    labels = keras.ops.argmax(x, axis=-1)
    model = keras.Model(x, labels)
    explorer = aw.LayerExplorer(model, RNG.random((2, 6, 6, 4)))
    explorer.layer = [node.path for node in explorer.tree][-1]
    assert "likeliest class of 6 × 6 pixels · 4 of 4 classes" in title(explorer)
    tokens = keras.Input((5,), dtype="int32", name="tokens")
    model = keras.Model(tokens, layers.Embedding(9, 3)(tokens))
    explorer = aw.LayerExplorer(model, np.array([[1, 2, 3, 0, 0]]), layer="tokens")
    assert explorer.figure.data[0].type == "table"


def test_what_is_read_has_no_controls_of_channels():
    x = keras.Input((6, 6, 4))
    model = keras.Model(x, keras.ops.argmax(x, axis=-1))
    explorer = aw.LayerExplorer(model, RNG.random((2, 6, 6, 4)), layer=0)
    controls = explorer._screen.controls
    every = [
        controls.widget("channel"),
        controls.widget("size"),
        controls.widget("sort"),
        controls.widget("scaling"),
    ]
    assert list(controls.box.children)[:4] == every
    explorer.layer = [node.path for node in explorer.tree][-1]
    assert list(controls.box.children) == []
    explorer.show = "table"
    assert list(controls.box.children) == [controls.widget("channel")]


def test_flags_in_several_channels_can_be_looked_at_one_by_one():
    x = keras.Input((6, 6, 3))
    model = keras.Model(x, keras.ops.greater(x, 0.5))
    batch = np.zeros((2, 6, 6, 3), "float32")
    batch[..., 2] = 1
    explorer = aw.LayerExplorer(model, batch)
    explorer.layer = [node.path for node in explorer.tree][-1]
    controls = explorer._screen.controls
    assert list(controls.box.children) == [controls.widget("channel")]
    assert "False: 100 %" in explorer.figure.layout.annotations[0].text
    assert controls.widget("channel").placeholder == "first"
    explorer.channel = 2
    assert "True: 100 %" in explorer.figure.layout.annotations[0].text


def test_volumes_are_compared_at_the_chosen_slice():
    x = keras.Input((3, 6, 6, 2))
    model = keras.Model(x, layers.Rescaling(1.0, name="same")(x))
    batch = np.zeros((2, 3, 6, 6, 2), "float32")
    batch[1, 0] = 5
    explorer = aw.LayerExplorer(model, batch, layer="same", show="comparison")
    assert "slice 1 (0 to 2)" in title(explorer).replace("<br>", " · ")
    assert explorer._screen.controls.widget("slice") in explorer._screen.controls.box.children
    explorer.slice = 0
    assert "slice 0 (0 to 2)" in title(explorer).replace("<br>", " · ")


def test_a_layer_without_a_finite_value_says_so_in_words():
    x = keras.Input((6, 6, 2))
    model = keras.Model(x, layers.Rescaling(float("nan"), name="none")(x))
    explorer = aw.LayerExplorer(model, RNG.random((1, 6, 6, 2)), layer="none")
    assert "no finite value" in explorer._screen.numbers.value
    explorer.show = "overview"
    hover = [text for trace in explorer.figure.data for text in np.ravel(getattr(trace, "hovertext", None) or [])]
    words = explorer._screen.numbers.value + explorer._screen.plot.alt + "".join(hover)
    assert "no finite value" in words
    assert "nan" not in words


def test_the_sample_that_is_compared_with_is_chosen_on_screen(explorer):
    controls = explorer._screen.controls
    assert controls.widget("compare") is None
    explorer.show = "comparison"
    stepper = controls.widget("compare")
    assert stepper in controls.box.children
    assert (stepper.value, stepper.maximum) == (None, 1)
    assert "beside sample 1" in explorer._screen.plot.alt
    stepper._field.value = "0"
    assert explorer.compare == 0
    assert "Choose two different samples" in explorer._screen.plot.alt
    explorer.compare = 1
    assert stepper.value == 1
    stepper._field.value = "7"
    assert "from 0 to 1" in stepper.children[-1].value
    assert explorer.compare == 1
    explorer.show = "activation"
    assert stepper not in controls.box.children
    other = keras.Model(explorer.model.inputs, explorer.model.outputs)
    again = aw.LayerExplorer(explorer.model, explorer.inputs, compare=other)
    assert (again.compare, again._screen.controls.widget("compare")) == ("model", None)
    alone = aw.LayerExplorer(explorer.model, explorer.inputs[:1], show="comparison")
    assert alone._screen.controls.widget("compare") is None


def test_channels_first_are_found_behind_a_layer_that_says_so():
    x = keras.Input((3, 16, 18), name="x")
    y = layers.BatchNormalization(axis=1, name="norm")(x)
    y = layers.ReLU(name="relu")(y)
    y = layers.Concatenate(axis=1, name="both")([y, layers.Dropout(0.5, name="drop")(keras.ops.tanh(y))])
    y = layers.Permute((2, 3, 1), name="turned")(y)
    y = layers.Activation("relu", name="last")(layers.Conv2D(5, 3, name="conv")(y))
    explorer = aw.LayerExplorer(keras.Model(x, y), RNG.normal(size=(2, 3, 16, 18)), layer="norm")
    counts = {"norm": 3, "relu": 3, "drop": 3, "both": 6, "conv": 5, "last": 5}
    for path, count in counts.items():
        explorer.layer = path
        assert f"{count} channels" in title(explorer)
        assert explorer.statistics.channels == count
        assert explorer._screen.controls.widget("reading") is None  # nothing to choose
    explorer.layer, explorer.channel = "relu", 1
    closeup = next(trace for trace in explorer.figure.data if trace.type == "heatmap" and trace.coloraxis)
    np.testing.assert_array_equal(np.asarray(closeup.z), explorer.activation[0, 1])
    explorer.layer = "x"  # of which no layer says how it is meant
    assert "18 channels" in title(explorer)
    explorer._screen.controls.widget("reading").value = "first"
    assert "3 channels" in title(explorer)
    explorer.layer = "relu"
    assert explorer._screen.controls.widget("reading") not in explorer._screen.controls.box.children


@pytest.mark.parametrize(
    ("layer", "shape", "count"),
    [
        (layers.GroupNormalization(2, axis=1), (4, 6, 8), 4),
        (layers.LayerNormalization(axis=[1]), (4, 6, 8), 4),
        (layers.LayerNormalization(axis=1), (4, 6), 6),  # of a sequence that may be the steps
        (layers.BatchNormalization(axis=1), (4, 6), 4),
        (layers.BatchNormalization(axis=-1), (4, 6, 8), 8),
        (layers.BatchNormalization(axis=2), (4, 6, 8), 6),
        (layers.SpatialDropout2D(0.5, data_format="channels_first"), (4, 6, 8), 4),
        (layers.BatchNormalization(axis=1), (4, 3, 6, 8), 4),
    ],
)
def test_a_layer_s_own_axis_holds_its_channels(layer, shape, count):
    x = keras.Input(shape)
    explorer = aw.LayerExplorer(keras.Model(x, layer(x)), RNG.normal(size=(2, *shape)), layer=layer)
    assert explorer.statistics.channels == count


def test_where_two_readings_are_possible_one_is_chosen():
    x = keras.Input((20, 28), name="digit")
    y = layers.Reshape((4, 5, 28), name="folded")(x)
    model = keras.Model(x, layers.Flatten(name="flat")(y))
    digits = RNG.random((2, 20, 28), dtype="float32")
    explorer = aw.LayerExplorer(model, digits, layer="digit")
    assert "28 units" in title(explorer)
    control = explorer._screen.controls.widget("reading")
    assert control in explorer._screen.controls.box.children
    control.value = "none"
    assert explorer.reading == "none"
    assert "1 unit," in title(explorer)
    np.testing.assert_array_equal(np.asarray(explorer.figure.data[2].z), digits[0])
    explorer.reading = "first"
    assert "20 units" in title(explorer)
    explorer.channel = 7
    np.testing.assert_array_equal(np.asarray(explorer.figure.data[2].y), digits[0, 7])
    again = aw.LayerExplorer(model, digits, state=explorer.state())
    assert again.figure.to_json() == explorer.figure.to_json()
    explorer.layer = "folded"
    assert explorer.reading == "auto"
    assert "28 channels" in title(explorer)
    explorer.reading = "none"
    assert "slice 1 (0 to 3)" in title(explorer)
    explorer.reading = "first"
    assert "4 channels" in title(explorer)
    with pytest.raises(OptionError, match="reading"):
        explorer.reading = "third"
    explorer.layer = "flat"
    assert control not in explorer._screen.controls.box.children


def test_a_reading_is_of_the_selected_layer_alone():
    x = keras.Input((6, 6, 4), name="image")
    conv = layers.Conv2D(4, 3, name="conv")
    model = keras.Model(x, layers.Reshape((16, 4), name="rows")(conv(x)))
    kernel = conv.kernel.numpy()
    kernel[..., 1] = 0
    conv.kernel.assign(kernel)
    explorer = aw.LayerExplorer(model, RNG.random((2, 6, 6, 4)), layer="rows")
    explorer.show = "overview"
    before = {row.path: row.warnings for row in explorer.summaries}
    assert "1 of 4 channels dead" in " ".join(before["conv"])
    explorer.show, explorer.reading = "activation", "first"
    explorer.show = "overview"
    after = {row.path: row.warnings for row in explorer.summaries}
    assert {**after, "rows": ()} == {**before, "rows": ()}
    assert "4 channels" in next(explorer._explorer.drawings(["conv"])).drawing.alt


def test_what_becomes_of_the_given_array_does_not_reach_the_explorer(explorer):
    batch = RNG.random((2, *explorer.inputs.shape[1:]), dtype="float32")
    first = batch.copy()
    for given in (batch, batch[::1], [batch]):
        view = aw.LayerExplorer(explorer.model, given)
        batch *= 0
        np.testing.assert_array_equal(view.inputs[0] if isinstance(view.inputs, list) else view.inputs, first)
        np.testing.assert_array_equal(view.activation, aw.activations(view.model, first, view.layer)[view.layer])
        with pytest.raises(ValueError, match="read-only"):
            keras.tree.flatten(view.inputs)[0][0] = 1
        batch += first


def test_layers_that_come_or_go_are_said_to_need_a_new_explorer():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="a"), layers.Dense(2, name="b")])
    outer = keras.Sequential([keras.Input((4,)), model, layers.ReLU(name="last")])
    views = [aw.LayerExplorer(model, np.ones((2, 4)), layer="b"), aw.LayerExplorer(outer, np.ones((2, 4)))]
    model.add(layers.Dense(5, name="c"))
    for view in views:
        with pytest.raises(UnsupportedModelError, match=r"have changed\. Make a new LayerExplorer"):
            _ = view.code
        with pytest.raises(UnsupportedModelError, match="have changed"):
            view.layer = 0
    assert aw.LayerExplorer(model, np.ones((2, 4)), layer="c").activation.shape == (2, 5)


def test_a_layer_s_activation_that_is_set_anew_is_noticed():
    x = keras.Input((4,))
    y = layers.Activation("relu", name="act")(layers.Dense(3, name="dense")(x))
    model = keras.Model(x, layers.Dense(2, activation="softmax", name="out")(y))
    explorer = aw.LayerExplorer(model, RNG.normal(size=(2, 4)), layer="act")
    assert explorer.activation.min() == 0
    model.get_layer("act").activation = keras.activations.tanh
    expected = aw.activations(model, explorer.inputs, "act")["act"]
    assert expected.min() < 0
    np.testing.assert_array_equal(explorer.activation, expected)
    explorer.layer = "out"
    assert explorer.activation.sum(axis=-1) == pytest.approx([1, 1])
    model.get_layer("out").activation = keras.activations.linear
    np.testing.assert_array_equal(explorer.activation, aw.activations(model, explorer.inputs, "out")["out"])
    assert explorer.activation.min() < 0 or explorer.activation.sum() != pytest.approx(2)
