"""The tab Examples, and numbers that rest on a scan; what is expected is counted by hand from activations."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest
from keras import layers

import actwidget as aw
from actwidget.errors import ChannelError, OptionError, SampleError, ScanError
from actwidget.explorer.scanned.class_preference import preferred
from actwidget.explorer.views.examples import content_of

NAMES = ["circle", "square", "star"]
RANDOM = np.random.default_rng(3)
X = RANDOM.random((40, 12, 12, 1)).astype("float32")
LABELS = np.arange(40) % 3


def network() -> keras.Model:
    keras.utils.set_random_seed(5)
    return keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            layers.Conv2D(4, 3, activation="relu", name="conv"),
            layers.Conv2D(3, 3, name="deep"),
            layers.Flatten(name="flat"),
            layers.Dense(3, activation="softmax", name="shape"),
        ],
        name="shapes",
    )


MODEL = network()
SCAN = aw.scan(MODEL, X, labels=LABELS, progress=False)
DEEP = aw.activations(MODEL, X, "deep")["deep"]


def explorer(scan=SCAN, model=MODEL, inputs=X[:2], **more):
    return aw.LayerExplorer(model, inputs, scan=scan, **{"layer": "deep", "channel": 1, **more})


def drawing(view):
    return view._explorer.show().drawing


def clicks(view):
    """The numbers of the samples in the order in which they can be clicked."""
    trace = next(trace for trace in view.figure.data if trace.type == "heatmap")
    return [cell[1] for row in trace.customdata for cell in row if cell]


def by_hand(channel, values=DEEP):
    largest = values[..., channel].reshape(len(values), -1).max(axis=1)
    return sorted(range(len(values)), key=lambda sample: (-largest[sample], sample))[:9]


def test_the_tab_is_there_only_with_a_scan_and_what_is_needed_is_said():
    without = aw.LayerExplorer(MODEL, X[:2])
    assert "examples" not in [tab.name for tab in without._explorer.show().tabs]
    assert "examples" in [tab.name for tab in explorer()._explorer.show().tabs]
    assert "basis" not in without.state()
    for wrong in (lambda: setattr(without, "basis", "scan"), lambda: without.take_sample(0)):
        with pytest.raises(OptionError, match=r"scan=aw.scan\(model, data\)"):
            wrong()
    with pytest.raises(OptionError):
        without.show = "examples"


def test_the_samples_that_excite_a_channel_most_are_shown_in_order_with_class_and_value():
    view = explorer(show="examples", class_names=NAMES)
    assert clicks(view) == by_hand(1)
    best = by_hand(1)[0]
    value = DEEP[best, ..., 1].max()
    assert f"sample {best} ({NAMES[LABELS[best]]}) {value:.2f}" in drawing(view).alt
    assert "scan.top('deep', 1)" in view.code


def test_each_picture_is_cut_to_what_the_winning_position_depends_on():
    view = explorer(show="examples")
    shown = parts(view)
    for place, sample in enumerate(by_hand(1)):
        row, column = np.unravel_index(DEEP[sample, ..., 1].argmax(), DEEP.shape[1:3])
        expected = X[sample, row : row + 5, column : column + 5, 0]
        np.testing.assert_allclose(shown[place][..., 0] / 255, expected, atol=1 / 255)
    view.options = {"example_part": "whole"}
    np.testing.assert_allclose(parts(view)[0][..., 0] / 255, X[by_hand(1)[0], ..., 0], atol=1 / 255)


def parts(view):
    return [each.pixels for each in content_of(view._explorer.data, view._explorer.selection).examples]


def test_without_a_channel_it_is_the_one_with_the_highest_mean_whatever_the_sample():
    view = explorer(show="examples", channel=None)
    highest = DEEP.mean(axis=(0, 1, 2)).argmax()
    assert clicks(view) == by_hand(highest)
    view.sample = 1
    assert clicks(view) == by_hand(highest)
    assert f"channel {highest}, which has the highest mean" in view.figure.layout.title.text


def test_the_bars_are_the_means_by_class():
    view = explorer(show="examples", class_names=NAMES)
    bars = next(trace for trace in view.figure.data if trace.type == "bar")
    expected = [DEEP[label == LABELS][..., 1].mean() for label in range(3)]
    np.testing.assert_allclose(bars.y, expected, rtol=1e-5)
    assert list(view.figure.layout.xaxis2.ticktext) == NAMES
    unlabelled = explorer(scan=aw.scan(MODEL, X, progress=False), show="examples")
    assert [trace.type for trace in unlabelled.figure.data if trace.type == "bar"] == []


def test_a_sentence_names_classes_only_where_means_and_examples_agree():
    labels = np.arange(10)
    means = np.array([0.1, 0.2, 0.1, 0.3, 4.0, 0.2, 0.1, 0.2, 0.3, 3.5])
    assert preferred(labels, means, [4, 4, 9, 4, 9, 1]) == [4, 9]
    assert preferred(labels, means, [1, 2, 3, 4, 5, 6]) == []  # the examples are of others
    assert preferred(labels, np.linspace(0, 1, 10), [9, 9, 9]) == []  # no class stands out
    assert preferred(labels, means, [4, None, None]) == []  # too few are known
    assert preferred(labels, np.full(10, np.nan), [4, 4, 4]) == []
    assert preferred(labels[:2], means[4:6], [0, 0, 0]) == []  # of two classes one is always higher
    assert preferred(labels, np.zeros(10), [4, 4, 4]) == []


def test_a_click_takes_a_sample_as_an_input_once():
    view = explorer(show="examples")
    best, second = by_hand(1)[:2]
    view._clicked(["scanned", best, ""])
    assert (view.sample, len(view.inputs)) == (2, 3)
    np.testing.assert_array_equal(view.inputs[2], X[best])
    view._clicked(["scanned", second, ""])
    view._clicked(["scanned", best, ""])
    assert (view.sample, len(view.inputs)) == (2, 4)
    assert view.show == "examples"
    assert view._screen.samples.count == 4
    with pytest.raises(SampleError, match="from 0 to 39"):
        view.take_sample(40)


def test_keys_mark_an_example_and_enter_takes_it():
    view = explorer(show="examples")
    view._pressed("ArrowRight")
    view._pressed("ArrowRight")
    assert view.options == {"example": 1}
    assert len(view.figure.layout.shapes) == 2  # the double stroke
    view._pressed("Enter")
    np.testing.assert_array_equal(view.inputs[2], X[by_hand(1)[1]])
    view._pressed("Escape")
    assert view.options == {}
    assert not view.figure.layout.shapes
    view.options = {"example": 3}
    view.channel = 2  # has other examples
    assert view.options == {}


def test_the_state_holds_the_tab_and_what_numbers_rest_on():
    view = explorer(show="examples", class_names=NAMES)
    view.basis, view.options = "batch", {"example": 2, "example_part": "whole"}
    state = json.loads(json.dumps(view.state()))
    again = explorer(state=state, class_names=NAMES)
    assert again.state() == state
    assert (again.basis, again.show) == ("batch", "examples")
    with pytest.raises(OptionError):
        aw.LayerExplorer(MODEL, X[:2], state={"basis": "scan"})
    with pytest.raises(OptionError):
        view.basis = "all"


def test_numbers_rest_on_the_scan_and_say_so():
    view = explorer()
    assert view.statistics.samples == 40
    np.testing.assert_allclose(view.statistics.per_channel.mean, DEEP.mean(axis=(0, 1, 2)), rtol=1e-5)
    assert drawing(view).tell()[0].text == "40 samples"
    view.basis = "batch"
    assert view.statistics.samples == 2
    assert drawing(view).tell()[0].text == "the batch of 2"
    view.show = "table"
    assert drawing(view).table.label.endswith("over the batch of 2")


def test_a_unit_that_is_dead_on_the_batch_alone_is_not_marked_and_one_that_is_not_finite_in_the_data_is():
    half = X.copy()
    half[:20] = 0
    half[30] = np.nan
    model = network()
    model.get_layer("conv").set_weights([np.abs(model.get_layer("conv").get_weights()[0]), np.zeros(4)])
    scan = aw.scan(model, half, "conv", progress=False)
    view = explorer(scan, model, half[:8], layer="conv")
    assert view._screen.tree.marks == {"conv": "400 NaN"}
    view.basis = "batch"
    assert view._screen.tree.marks == {"conv": "4 of 4 channels dead"}
    view.basis = "scan"
    assert view._screen.tree.marks == {"conv": "400 NaN"}


def test_the_overview_rests_on_the_scan_as_far_as_it_goes_and_says_how_far():
    view = explorer(aw.scan(MODEL, X, ["conv", "deep"], progress=False), show="overview")
    rows = {row.path: row for row in view.summaries}
    assert list(rows)[1:] == ["conv", "deep", "flat", "shape"]
    assert rows["deep"].maximum == DEEP.max()
    assert rows["flat"].maximum == DEEP[:2].max()
    assert "over 40 samples, 3 of the rows over the batch of 2" in view.figure.layout.title.text.replace("<br>", " ")
    view.basis = "batch"
    assert {row.path: row for row in view.summaries}["deep"].maximum == DEEP[:2].max()
    assert "over the batch of 2" in view.figure.layout.title.text.replace("<br>", " ")
    view.show, view.layer = "examples", "shape"
    assert "does not have this layer" in drawing(view).alt


def test_another_model_is_refused_and_new_weights_are_noticed():
    with pytest.raises(OptionError, match=r"actwidget\.scan"):
        explorer(3)
    other = keras.Sequential([keras.Input((12, 12, 1)), layers.Conv2D(4, 5, name="deep")])
    with pytest.raises(ScanError, match="another model"):
        explorer(model=other)
    trained = network()
    scan = aw.scan(trained, X, progress=False)
    before = trained.get_weights()
    view = explorer(scan, trained, show="examples")
    trained.set_weights([each + 0.1 for each in before])
    with pytest.raises(ScanError, match="other weights"):
        explorer(scan, trained)
    assert view.statistics.samples == 2
    assert "has changed since it was scanned" in drawing(view).alt
    trained.set_weights(before)
    view._renew()
    assert view.statistics.samples == 40


def test_a_scan_from_a_file_shows_numbers_until_it_has_its_data(tmp_path):
    SCAN.save(tmp_path / "scan")
    loaded = aw.load_scan(tmp_path / "scan")
    view = explorer(loaded, show="examples")
    assert clicks(view) == by_hand(1)
    assert "scan.with_data(data)" in view.figure.layout.title.text
    view._clicked(["scanned", 3, ""])
    assert "scan.with_data(data)" in view._screen.alert.value
    assert len(view.inputs) == 2
    again = explorer(loaded.with_data(X), show="examples")
    np.testing.assert_array_equal(parts(again)[0], parts(explorer(show="examples"))[0])


def test_a_channel_without_a_finite_value_or_with_one_value_says_so():
    broken = network()
    kernel, bias = broken.get_layer("deep").get_weights()
    kernel[..., 1], bias[1] = 0, 2
    bias[2] = np.nan
    broken.get_layer("deep").set_weights([kernel, bias])
    view = explorer(aw.scan(broken, X, labels=LABELS, progress=False), broken, show="examples")
    assert "channel 1 is 2.00 for every one of 40 samples" in drawing(view).alt
    view.channel = 2
    assert "None of 40 samples gives channel 2 a finite value" in drawing(view).alt
    with pytest.raises(ChannelError):
        view.channel = 3


def test_a_scan_that_is_not_complete_says_so_and_one_sample_is_enough():
    def interrupted():
        yield X[:8]
        raise KeyboardInterrupt

    scan = aw.scan(MODEL, interrupted(), progress=False)
    view = explorer(scan, show="examples")
    assert "of 8 samples so far" in view.figure.layout.title.text
    assert "can't be read by its number" in view.figure.layout.title.text
    assert parts(explorer(scan.with_data(X), show="examples"))[0].shape == (5, 5, 3)
    single = explorer(aw.scan(MODEL, X[:1], labels=LABELS[:1], progress=False), show="examples")
    assert clicks(single) == [0]
    assert [control.name for control in single._explorer.show().controls] == ["channel", "example_part"]


def test_without_inputs_examples_are_shown_and_become_the_first_input():
    view = explorer(inputs=None, show="examples")
    assert clicks(view) == by_hand(1)
    view.take_sample(7)
    np.testing.assert_array_equal(view.inputs, X[7:8])


def test_other_axes_and_edits_do_not_change_what_was_counted():
    view = explorer(show="examples")
    view.edits = {"conv": [aw.Ablate(0)]}
    assert clicks(view) == by_hand(1)
    view.edits = {}
    view.reading = "first"
    assert "the layer's own channels" in drawing(view).alt


def test_a_page_and_a_still_hold_the_tab(tmp_path):
    view = explorer(show="examples", class_names=NAMES)
    view.to_html(tmp_path / "page.html", layers=["deep"])
    assert "the samples that excite channel 1 most" in (tmp_path / "page.html").read_text()
    assert "Examples" in view._snapshot().caption


WORDS = {0: "", 1: "a", 2: "good", 3: "bad", 4: "film"}


def test_of_texts_the_words_around_the_winning_step_are_shown():
    keras.utils.set_random_seed(2)
    steps = keras.Input((9,), dtype="int32")
    y = layers.Embedding(5, 6, name="embedding")(steps)
    y = layers.Conv1D(3, 3, padding="same", name="conv")(y)
    model = keras.Model(steps, layers.Dense(2)(layers.GlobalMaxPooling1D()(y)))
    ids = RANDOM.integers(1, 5, (20, 9))
    ids[:, 7:] = 0
    values = aw.activations(model, ids, "conv")["conv"]
    scan = aw.scan(model, ids, progress=False)
    view = explorer(scan, model, ids[:2], layer="conv", show="examples", tokens=WORDS)
    best = by_hand(1, values)[0]
    word = WORDS[ids[best, values[best, :, 1].argmax()]]
    assert f"sample {best} {values[best, :, 1].max():.3g} at {word!r}" in drawing(view).alt
    texts = [text for trace in view.figure.data if trace.type == "scatter" for text in trace.text or ()]
    assert any(f">{word}</b>" in text or f"<b>{word}</b>" in text for text in texts if "color" in text)
    assert not any(text.rstrip().endswith("·") for text in texts)  # padding
    view.take_sample(best)
    assert view._explorer.data.tokens == [WORDS[each] for each in ids[best]]
    with pytest.raises(OptionError, match="dict from the id"):
        aw.LayerExplorer(model, ids, tokens={"a": 1})


def test_of_sequences_the_steps_that_count_are_marked_and_of_vectors_the_values_stand():
    keras.utils.set_random_seed(2)
    signal, vector = keras.Input((30, 2), name="signal"), keras.Input((3,), name="vector")
    found = layers.Conv1D(3, 5, name="conv")(signal)
    dense = layers.Dense(4, name="dense")(vector)
    merged = layers.Concatenate()([layers.GlobalMaxPooling1D()(found), dense])
    model = keras.Model({"signal": signal, "vector": vector}, layers.Dense(2, name="out")(merged))
    data = {"signal": RANDOM.normal(size=(20, 30, 2)), "vector": RANDOM.normal(size=(20, 3))}
    data = {name: each.astype("float32") for name, each in data.items()}
    batch = {name: each[:2] for name, each in data.items()}
    view = explorer(aw.scan(model, data, progress=False), model, batch, layer="conv", show="examples")
    values = aw.activations(model, data, "conv")["conv"]
    best = by_hand(1, values)[0]
    assert f"sample {best}" in drawing(view).alt
    assert len([shape for shape in view.figure.layout.shapes if shape.type == "rect"]) == 9
    view.layer = "dense"
    view.channel = 0
    best = by_hand(0, aw.activations(model, data, "dense")["dense"])[0]
    texts = [text for trace in view.figure.data if trace.type == "scatter" for text in trace.text or ()]
    assert any(f"{data['vector'][best, 0]:.3g}".rstrip("0") in text for text in texts)
    view.take_sample(best)
    np.testing.assert_array_equal(view.inputs["vector"][2], data["vector"][best])
    np.testing.assert_array_equal(view.inputs["signal"][2], data["signal"][best])


def test_inner_layers_of_a_nested_model_have_examples_too():
    inner = keras.Sequential([keras.Input((12, 12, 1)), layers.Conv2D(2, 3, name="conv")], name="inner")
    inputs = keras.Input((12, 12, 1))
    model = keras.Model(inputs, layers.Dense(2)(layers.Flatten()(inner(inputs))))
    scan = aw.scan(model, X, "inner/conv", progress=False)
    view = explorer(scan, model, layer="inner/conv", show="examples")
    assert clicks(view) == by_hand(1, aw.activations(model, X, "inner/conv")["inner/conv"])
    assert parts(view)[0].shape == (3, 3, 3)
