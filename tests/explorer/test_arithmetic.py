"""The tab Arithmetic: which value, its terms, and the walk from an output to the input by clicks and keys."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

import actwidget as aw
from actwidget.explorer.computed.place import Spot, walked_to
from actwidget.explorer.registry import views
from actwidget.figures.arithmetic.lines import in_words

RNG = np.random.default_rng(3)


def pictures():
    keras.utils.set_random_seed(5)
    x = keras.Input((8, 8, 3), name="picture")
    y = layers.Conv2D(6, 3, padding="same", name="conv")(x)
    y = layers.BatchNormalization(name="bn")(y)
    y = layers.ReLU(name="relu")(y)
    y = layers.MaxPooling2D(2, name="pool")(y)
    y = layers.Flatten(name="flat")(y)
    return keras.Model(x, layers.Dense(4, activation="softmax", name="answer")(y), name="small")


@pytest.fixture
def explorer():
    opened = aw.LayerExplorer(
        pictures(),
        RNG.random((3, 8, 8, 3), "float32"),
        layer="answer",
        show="arithmetic",
        class_names=["a", "b", "c", "d"],
    )
    yield opened
    opened.close()


def click(explorer, *customdata):
    explorer._screen.plot._answer(explorer._screen.plot, {"kind": "click", "customdata": list(customdata)}, [])


def press(explorer, key):
    explorer._screen.plot._answer(explorer._screen.plot, {"kind": "key", "key": key}, [])


def title(explorer):
    return explorer.figure.layout.title.text.replace("<br>", " · ")


def lines(explorer):
    """The targets of the lines of the sum."""
    return [None if each is None else list(each) for each in explorer.figure.data[0].customdata]


def actions(explorer):
    return [label for label, _ in explorer._screen.inspection.content["actions"]]


def act(explorer, number):
    explorer._screen.inspection._answer(None, {"action": number}, [])


def index_on_screen(explorer):
    return Spot.read(explorer.options["arithmetic_trail"][-1]).index


def test_the_tab_stands_between_what_is_there_and_what_could_be():
    places = {name: view.place for name, view in views().items()}
    assert places["comparison"] < places["arithmetic"] < places["overview"]
    assert views()["arithmetic"].label == "Arithmetic"


def test_it_begins_with_the_largest_value_of_the_layer(explorer):
    answers = explorer.activation[0]
    best = int(answers.argmax())
    assert f"{'abcd'[best]} (unit {best})" in title(explorer)
    assert f"captured {in_words(float(answers[best]))}, computed {in_words(float(answers[best]))}" in title(explorer)
    explorer.layer = "conv"
    row, column, channel = np.unravel_index(explorer.activation[0].argmax(), (8, 8, 6))
    assert f"row {row}, column {column}, channel {channel}" in title(explorer)
    explorer.channel = 2
    row, column = np.unravel_index(explorer.activation[0, :, :, 2].argmax(), (8, 8))
    assert f"row {row}, column {column}, channel 2" in title(explorer)


@pytest.mark.parametrize("samples", [1, 4])
def test_behind_a_sum_with_a_constant_of_one_sample_each_sample_has_its_own_sum(samples, tmp_path):
    tokens = keras.Input((6,), dtype="int32")
    positions = layers.Embedding(6, 5)(keras.ops.arange(6)[None])  # Keras then declares one sample in the sum too
    x = layers.Add(name="sum")([layers.Embedding(9, 5)(tokens), positions])
    model = keras.Model(tokens, layers.GlobalAveragePooling1D(name="mean")(layers.Dense(3, name="units")(x)))
    assert model.get_layer("units").output.shape[0] == 1
    opened = aw.LayerExplorer(model, RNG.integers(0, 9, (samples, 6)), layer="units", sample=samples - 1, channel=1)
    opened.show = "arithmetic"
    kernel, bias = model.get_layer("units").get_weights()
    given = aw.activations(model, opened.inputs, "sum")["sum"][-1]
    step = int(opened.activation[-1, :, 1].argmax())
    bars = next(trace for trace in opened.figure.data if trace.xaxis == "x2")
    np.testing.assert_allclose(np.sum(bars.x), given[step] @ kernel[:, 1] + bias[1], rtol=1e-4)
    opened.to_html(tmp_path / "page.html")
    opened.close()


def test_the_lines_add_up_to_the_captured_value(explorer):
    explorer.channel = 1
    found = explorer.figure
    bars = next(trace for trace in found.data if trace.xaxis == "x2")
    kernel, bias = (np.asarray(weight) for weight in explorer.model.get_layer("answer").get_weights())
    given = aw.activations(explorer.model, explorer.inputs, "flat")["flat"][0]
    np.testing.assert_allclose(np.sum(bars.x), given @ kernel[:, 1] + bias[1], rtol=1e-4)
    order = np.argsort(-np.abs(given * kernel[:, 1]))
    np.testing.assert_allclose(bars.x[0], (given * kernel[:, 1])[order[0]], rtol=1e-5)
    assert lines(explorer)[0] == ["flat", f"flat[0, {order[0]}]"]


def test_a_click_on_a_term_goes_to_the_value_that_it_takes_and_keeps_the_tab(explorer):
    (path, part), *_ = lines(explorer)
    click(explorer, path, part)
    assert (explorer.show, explorer.layer) == ("arithmetic", "flat")
    assert explorer.channel == Spot.read(part).index[-1]
    value = explorer.activation[Spot.read(part).index]
    assert f"captured {in_words(float(value))}, computed {in_words(float(value))}" in title(explorer)


def test_a_person_walks_from_the_answer_to_the_pixels(explorer):
    explorer.sample = 2
    passed = []
    for _ in range(12):
        passed.append(explorer.layer)
        value = explorer.activation[index_on_screen(explorer)] if "arithmetic_trail" in explorer.options else None
        if value is not None:
            assert f"captured {in_words(float(value))}, computed {in_words(float(value))}" in title(explorer)
        targets = [each for each in lines(explorer) if each is not None]
        if not targets:
            break
        path, part = targets[0]
        click(explorer, path, part)
        if path == passed[-1]:  # all products of one input channel: they are above, as maps
            products = [trace for trace in explorer.figure.data if trace.type == "heatmap"][2]
            row, column = np.unravel_index(np.nanargmax(np.abs(products.z)), np.asarray(products.z).shape)
            click(explorer, *products.customdata[row][column])
    assert passed == ["answer", "flat", "pool", "relu", "bn", "conv", "picture"]
    sample, row, column, colour = index_on_screen(explorer)
    assert sample == 2
    assert explorer.position == (row, column)
    assert explorer.channel == colour
    assert explorer.inputs[2, row, column, colour] == pytest.approx(float(explorer.activation[2, row, column, colour]))


def test_the_way_back_is_a_button(explorer):
    start = title(explorer)
    assert not any(label.startswith("Back") for label in actions(explorer))
    for _ in range(3):
        number = next(place for place, label in enumerate(actions(explorer)) if label.startswith("Go to"))
        act(explorer, number)
    assert explorer.layer == "relu"
    assert len(explorer.options["arithmetic_trail"]) == 4
    for _ in range(3):
        assert actions(explorer)[0].startswith("Back to")
        act(explorer, 0)
    assert title(explorer) == start
    assert not any(label.startswith("Back") for label in actions(explorer))


def test_a_click_in_the_map_and_the_arrow_keys_choose_another_value(explorer):
    explorer.layer = "conv"
    click(explorer, "cell", 2, 5)
    assert explorer.position == (2, 5)
    assert "row 2, column 5" in title(explorer)
    before = explorer.channel
    press(explorer, "ArrowRight" if before < 5 else "ArrowLeft")
    after = before + 1 if before < 5 else before - 1
    assert explorer.channel == after
    assert f"row 2, column 5, channel {after}" in title(explorer)
    click(explorer, "cell", 99, 0)  # beyond the map
    assert explorer.position == (2, 5)


def test_the_maps_of_a_window_are_the_patch_the_kernel_and_the_products(explorer):
    explorer.layer, explorer.channel, explorer.position = "conv", 4, (0, 3)
    maps = [np.asarray(trace.z) for trace in explorer.figure.data if trace.type == "heatmap"][:3]
    kernel = np.asarray(explorer.model.get_layer("conv").get_weights()[0])[:, :, :, 4]
    patch = explorer.inputs[0, 0:2, 2:5]  # the row above is padding
    products = patch * kernel[1:]
    colour = np.abs(products.sum(axis=(0, 1))).argmax()
    for drawn, expected in zip(maps, (patch, kernel[1:], products), strict=True):
        np.testing.assert_allclose(drawn, expected[..., colour], rtol=1e-5)
    explorer.options = {"arithmetic_term": 1}
    second = np.argsort(-np.abs(products.sum(axis=(0, 1))))[1]
    drawn = np.asarray(next(trace for trace in explorer.figure.data if trace.type == "heatmap").z)
    np.testing.assert_allclose(drawn, patch[..., second], rtol=1e-6)


def test_of_a_pool_the_winner_has_the_weight_one(explorer):
    explorer.layer, explorer.channel, explorer.position = "pool", 1, (1, 2)
    maps = [np.asarray(trace.z) for trace in explorer.figure.data if trace.type == "heatmap"][:3]
    window = aw.activations(explorer.model, explorer.inputs, "relu")["relu"][0, 2:4, 4:6, 1]
    np.testing.assert_array_equal(maps[0], window)
    assert sorted(maps[1].ravel()) == [0, 0, 0, 1]
    assert maps[0][maps[1] == 1] == window.max()


def test_of_a_sequence_a_step_is_chosen_in_the_map():
    model = keras.Sequential([keras.Input((6, 3)), layers.Conv1D(4, 3, name="conv")], name="steps")
    explorer = aw.LayerExplorer(model, RNG.random((2, 6, 3), "float32"), layer="conv", show="arithmetic")
    click(explorer, "cell", 2, 1)
    assert "step 1, unit 2" in title(explorer)
    assert explorer.channel == 2
    explorer.channel = 3
    assert "step 1, unit 3" in title(explorer)
    explorer.sample = 1
    value = explorer.activation[1, 1, 3]
    assert "step 1, unit 3" in title(explorer)
    assert f"captured {in_words(float(value))}" in title(explorer)
    explorer.close()


def test_of_a_vector_a_unit_is_chosen_in_the_block(explorer):
    explorer.layer = "flat"
    columns = np.asarray(explorer.figure.data[-1].z).shape[1]
    click(explorer, "cell", 1, 2)
    assert explorer.channel == columns + 2
    press(explorer, "ArrowDown")
    assert explorer.channel == 2 * columns + 2


def test_of_a_volume_the_slice_is_kept():
    model = keras.Sequential([keras.Input((4, 6, 6, 1)), layers.Conv3D(2, 3, padding="same", name="conv")])
    explorer = aw.LayerExplorer(model, RNG.random((1, 4, 6, 6, 1), "float32"), layer="conv", show="arithmetic")
    explorer.slice, explorer.channel = 2, 1
    click(explorer, "cell", 3, 4)
    assert "slice 2, row 3, column 4, channel 1" in title(explorer)
    value = explorer.activation[0, 2, 3, 4, 1]
    assert f"captured {in_words(float(value))}, computed {in_words(float(value))}" in title(explorer)
    explorer.close()


@keras.saving.register_keras_serializable("actwidget_tests")
class Own(layers.Layer):
    def call(self, inputs):
        return keras.ops.cumsum(keras.ops.sort(inputs), axis=-1)


def test_a_layer_of_ones_own_says_so_and_its_inputs_lead_on():
    x = keras.Input((5,), name="features")
    model = keras.Model(x, Own(name="own")(layers.Dense(4, name="dense")(x)))
    explorer = aw.LayerExplorer(model, RNG.random((2, 5), "float32"), layer="own", show="arithmetic")
    assert "computed" not in title(explorer)
    assert "not known" in explorer.figure.layout.annotations[0].text.replace("<br>", " ")
    assert lines(explorer) == [["dense", ""]]
    assert actions(explorer) == ["Go to dense"]
    click(explorer, "dense", "")
    best = int(explorer.activation[0].argmax())
    assert (explorer.layer, explorer.show) == ("dense", "arithmetic")
    assert f"unit {best}" in title(explorer)
    assert actions(explorer)[0].startswith("Back to own[0, ")
    explorer.close()


def test_without_inputs_there_is_none():
    explorer = aw.LayerExplorer(pictures(), show="arithmetic")
    assert "Give inputs" in explorer._screen.plot.alt
    explorer.close()


def test_samples_that_do_not_depend_on_one_another_go_through_the_model_alone(explorer):
    explorer.sample = 1
    value = explorer.activation[1].max()
    assert f"captured {in_words(float(value))}, computed {in_words(float(value))} · sample 1" in title(explorer)
    (path, part), *_ = lines(explorer)
    assert Spot.read(part).index[0] == 1
    click(explorer, path, part)
    assert explorer.sample == 1


def test_channels_that_come_first_are_placed_by_their_own_axis():
    model = keras.Sequential([keras.Input((3, 4, 5)), layers.Permute((3, 1, 2), name="turned")], name="axes")
    explorer = aw.LayerExplorer(model, RNG.random((1, 3, 4, 5), "float32"), layer="turned", show="arithmetic")
    explorer.reading = "first"
    explorer.channel = 2
    click(explorer, "cell", 1, 3)
    value = explorer.activation[0, 2, 1, 3]
    assert f"captured {in_words(float(value))}" in title(explorer)
    explorer.close()


def test_the_state_restores_the_walk(explorer):
    for _ in range(2):
        click(explorer, *lines(explorer)[0])
    again = aw.LayerExplorer(explorer.model, explorer.inputs, state=explorer.state(), class_names=list("abcd"))
    assert again.figure.to_json() == explorer.figure.to_json()
    assert actions(again) == actions(explorer)
    again.close()


def test_new_weights_give_new_arithmetic(explorer):
    layer = explorer.model.get_layer("answer")
    layer.set_weights([weight * 2 for weight in layer.get_weights()])
    value = explorer.activation[0].max()
    assert f"captured {in_words(float(value))}, computed {in_words(float(value))}" in title(explorer)


@pytest.mark.parametrize("wrong", ["answer", "answer[0, 99]", "gone[0]", "answer[0, x]", ""])
def test_a_walk_that_leads_nowhere_is_left_aside(explorer, wrong):
    expected = title(explorer)
    explorer.options = {"arithmetic_trail": [wrong]}
    assert title(explorer) == expected


def test_a_step_to_a_value_that_was_come_by_goes_back_to_it():
    a, b, c = (Spot(name, (0, 1)) for name in "abc")
    assert walked_to([a, b], b, c) == (a, b, c)
    assert walked_to([a, b, c], c, a) == (a,)
    assert walked_to([a, b], c, a) == (c, a)  # another layer was chosen in between
