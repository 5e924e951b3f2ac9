"""The tab Samples, and the matrix of similar layers: what they show of a scan, and what clicks and keys do."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

import actwidget as aw
from actwidget.errors import OptionError
from actwidget.figures import small_picture
from actwidget.figures.parts.palette import MUTED, WARNING
from tests.scanning.witness import network, pictures

MODEL = network()
X = pictures(40)
ANSWERS = aw.activations(MODEL, X, "classes")["classes"].argmax(axis=1)
LABELS = np.where(np.arange(40) % 4, ANSWERS, (ANSWERS + 1) % 3)
SCAN = aw.scan(MODEL, X, labels=LABELS, progress=False)


@pytest.fixture
def opened():
    explorers = []

    def open_on(scan=SCAN, model=MODEL, x=X[:2], **options):
        options = {"show": "samples", "layer": "gates", **options}
        explorers.append(aw.LayerExplorer(model, x, scan=scan, **options))
        return explorers[-1]

    yield open_on
    for each in explorers:
        each.close()


def drawing(explorer):
    return explorer._explorer.show().drawing


def points(explorer):
    """From the number of each sample to its place and colour."""
    traces = [trace for trace in drawing(explorer).figure.figure["data"] if trace.get("mode") == "markers"]
    return {
        told[1]: (x, y, trace["marker"]["color"])
        for trace in traces
        for x, y, told in zip(trace["x"], trace["y"], trace.get("customdata", ()), strict=False)
    }


def facts(explorer):
    return {fact.term: fact.text for fact in drawing(explorer).facts}


def test_the_wrong_ones_are_on_top_in_a_colour_of_their_own_and_counted(opened):
    explorer = opened()
    wrong = {sample for sample in range(40) if LABELS[sample] != ANSWERS[sample]}
    found = points(explorer)
    assert {sample for sample, (*_, color) in found.items() if color == WARNING} == wrong
    assert {sample for sample, (*_, color) in found.items() if color == MUTED} == set(range(40)) - wrong
    assert facts(explorer)["wrong"] == "10 of 40 (25 %)"
    traces = [trace for trace in drawing(explorer).figure.figure["data"] if trace.get("customdata")]
    assert traces[1]["marker"]["size"] > traces[0]["marker"]["size"]
    assert "30 right, 10 wrong" in drawing(explorer).alt


def test_the_points_are_those_of_the_projection_and_the_input_is_among_them(opened):
    explorer = opened()
    projection = SCAN.projection("gates")
    for sample, point in zip(projection.samples, projection.points, strict=True):
        np.testing.assert_allclose(points(explorer)[sample][:2], point, atol=1e-5)
    mark = next(trace for trace in drawing(explorer).figure.figure["data"] if trace.get("hovertext"))
    np.testing.assert_allclose([mark["x"][0], mark["y"][0]], projection.points[0], atol=1e-5)  # X[0] is scanned, too


def test_colours_by_label_and_by_prediction_have_the_names_of_the_classes(opened):
    explorer = opened(class_names=["ant", "bee", "cat"])
    for coloring, given in (("label", LABELS), ("prediction", ANSWERS)):
        explorer.options = {"samples_color": coloring}
        colors = {sample: color for sample, (*_, color) in points(explorer).items()}
        assert all((colors[a] == colors[b]) == (given[a] == given[b]) for a in range(40) for b in range(40))
        assert {"ant", "bee", "cat"} & set(drawing(explorer).alt.replace(";", ",").replace(": ", ", ").split(", "))
    with pytest.raises(OptionError):
        explorer.options = {"samples_color": "size"}


def test_a_click_takes_the_sample_and_shows_its_neighbours(opened):
    explorer = opened()
    explorer._clicked(["scanned", 17])
    np.testing.assert_array_equal(explorer.inputs[explorer.sample], X[17])
    near = [each.sample for each in SCAN.neighbours("gates", 17)]
    assert f"nearest to sample 17: {', '.join(map(str, near))}" in drawing(explorer).alt
    cells = next(trace for trace in drawing(explorer).figure.figure["data"] if trace["type"] == "heatmap")
    assert [told for row in cells["customdata"] for told in row] == [["scanned", each] for each in [17, *near]]
    assert "scan.neighbours('gates', 17)" in explorer.code
    before = explorer.sample
    explorer._clicked(["scanned", 17])
    assert (explorer.sample, len(explorer.inputs)) == (before, 3)
    explorer._clicked(["scanned", -1])  # the tile of the input itself
    assert len(explorer.inputs) == 3


def test_keys_go_through_the_wrong_ones_first_and_enter_takes_one(opened):
    explorer = opened()
    wrong = [sample for sample in range(40) if LABELS[sample] != ANSWERS[sample]]
    explorer._pressed("Home")
    explorer._pressed("ArrowRight")
    assert explorer.options == {"samples_picked": wrong[1]}
    assert facts(explorer)[f"sample {wrong[1]}"].endswith("(wrong)")
    explorer._pressed("Enter")
    np.testing.assert_array_equal(explorer.inputs[explorer.sample], X[wrong[1]])
    explorer._pressed("ArrowLeft")
    explorer._pressed("Escape")
    assert explorer.options == {}


def test_without_data_a_click_marks_the_sample_and_the_facts_say_what_is_missing(opened, tmp_path):
    SCAN.save(tmp_path / "scan")
    explorer = opened(aw.load_scan(tmp_path / "scan"))
    explorer._clicked(["scanned", 9])
    assert explorer.options == {"samples_picked": 9}
    assert len(explorer.inputs) == 2
    assert "with_data" in facts(explorer)["pictures"]
    assert "nearest to sample 9" in drawing(explorer).alt


def test_without_inputs_the_samples_are_there_and_a_click_gives_the_first_input(opened):
    explorer = opened(x=None)
    assert len(points(explorer)) == 40
    explorer._clicked(["scanned", 3])
    np.testing.assert_array_equal(explorer.inputs, X[3:4])


def colorings(explorer):
    controls = explorer._explorer.show().controls
    return list(next(each for each in controls if each.name == "samples_color").choices)


def test_what_is_not_known_is_no_choice_and_the_facts_say_why(opened):
    unlabelled = opened(aw.scan(MODEL, X, progress=False))
    assert colorings(unlabelled) == ["prediction", "none"]
    assert "labels=labels" in facts(unlabelled)["right or wrong"]
    no_output = opened(aw.scan(MODEL, X, ["gates"], labels=LABELS, progress=False))
    assert colorings(no_output) == ["label", "none"]
    assert "does not have the model's output" in facts(no_output)["right or wrong"]
    from_one = opened(aw.scan(MODEL, X, labels=LABELS + 5, progress=False))
    assert colorings(from_one) == ["label", "prediction", "none"]
    assert "the model knows 3 classes" in facts(from_one)["right or wrong"]


def test_of_a_hundred_labels_the_most_frequent_and_the_marked_one_have_colours(opened):
    labels = np.arange(40) + 60
    labels[:4] = 7
    explorer = opened(aw.scan(MODEL, X, labels=labels, progress=False), state={"show": "samples", "layer": "gates"})
    explorer.options = {"samples_color": "label", "samples_picked": 39}
    colors = {sample: color for sample, (*_, color) in points(explorer).items()}
    assert len(set(colors.values())) == 11
    assert colors[39] != MUTED
    assert colors[0] == colors[3] != MUTED
    assert "27 other labels" in drawing(explorer).alt


def test_a_regression_is_coloured_by_its_number_and_several_outputs_by_the_first(opened):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((5,))
    hidden = layers.Dense(8, activation="tanh", name="gates")(inputs)
    price, kind = layers.Dense(1, name="price")(hidden), layers.Dense(4, activation="softmax", name="kind")(hidden)
    x = np.random.default_rng(0).normal(size=(30, 5))
    for outputs, choices in (
        (price, ["prediction", "none"]),
        ([kind, price], ["verdict", "label", "prediction", "none"]),
    ):
        model = keras.Model(inputs, outputs)
        model.compile(loss="mse") if outputs is price else None
        labels = None if outputs is price else np.zeros(30, int)
        explorer = opened(aw.scan(model, x, labels=labels, progress=False), model, x[:1])
        assert colorings(explorer) == choices
        assert len(points(explorer)) == 30
    assert "wrong" in facts(explorer)


@pytest.mark.parametrize(("count", "keep"), [(1, 2000), (30, 2), (30, 0)])
def test_too_few_samples_are_said_in_the_figure(opened, count, keep):
    explorer = opened(aw.scan(MODEL, X[:count], keep=keep, progress=False))
    assert "at least 3 kept samples" in drawing(explorer).alt
    explorer.show = "similarity"
    assert "at least 4 samples" in drawing(explorer).alt


def test_samples_under_a_small_budget_are_fewer_and_counted(opened):
    small = aw.scan(MODEL, X, max_bytes=303_300, progress=False)
    kept = len(small.labels)
    assert 3 < kept < 40
    assert facts(opened(small))["samples"] == f"{kept} kept of 40"


def test_without_a_scan_there_is_no_such_tab(opened):
    explorer = opened(None, show="activation")
    assert not {"samples", "similarity"} & {tab.name for tab in explorer._explorer.show().tabs}
    with pytest.raises(OptionError):
        explorer.show = "samples"


def test_a_layer_that_was_not_scanned_and_a_constant_one_say_so(opened):
    explorer = opened(aw.scan(MODEL, X, ["gates", "classes"], progress=False), layer="maps")
    assert "does not have this layer" in drawing(explorer).alt
    dead = keras.models.clone_model(MODEL)
    dead.get_layer("gates").set_weights([np.zeros_like(each) for each in MODEL.get_layer("gates").get_weights()])
    explorer = opened(aw.scan(dead, X, progress=False), dead)
    assert "same output for all 40 kept samples" in drawing(explorer).alt


def test_the_matrix_is_that_of_similarity_and_a_click_selects_a_layer(opened):
    explorer = opened(show="similarity")
    expected = aw.similarity(SCAN)
    matrix = drawing(explorer).figure.figure["data"][0]
    np.testing.assert_allclose(matrix["z"], expected.values, rtol=1e-5)
    paths = SCAN.paths
    explorer._clicked([-1, paths.index("maps"), paths.index("flat")])
    assert (explorer.layer, explorer.show) == ("maps", "similarity")
    explorer._clicked([-1, paths.index("maps"), paths.index("flat")])
    assert explorer.layer == "flat"
    own = expected.to_frame().loc["flat"].drop("flat")
    assert facts(explorer)["most like flat"].startswith(f"{own.idxmax()} {own.max():.2f}")
    np.testing.assert_allclose(np.asarray(expected.figure().data[0].z), expected.values, rtol=1e-5)


def test_layers_are_compared_with_those_of_earlier_checkpoints(opened):
    earlier = keras.models.clone_model(MODEL)
    before = aw.scan(earlier, X, ["flat", "gates"], progress=False)
    elsewhere = aw.scan(MODEL, X, ["flat", "gates"], keep=2, progress=False)
    explorer = opened([SCAN, before, elsewhere], show="similarity", layer="maps")
    control = next(each for each in explorer._explorer.show().controls if each.name == "similar_to")
    assert list(control.choices.values()) == ["each other", "scan 2", "scan 3"]
    assert drawing(explorer).figure.figure["data"][0]["z"].shape == (6, 6)
    explorer.options = {"similar_to": "scan[1]"}
    explorer.run()
    expected = aw.similarity(SCAN, before)
    matrix = drawing(explorer).figure.figure["data"][0]
    np.testing.assert_allclose(matrix["z"], expected.values, rtol=1e-5)
    assert "similarity of 6 layers to 2 of scan 2 over 40 samples" in drawing(explorer).alt
    own = expected.to_frame().loc["maps"]
    assert facts(explorer)["most like maps"].startswith(f"{own.idxmax()} {own.max():.2f}")
    scope = {"aw": aw, "scan": [SCAN, before, elsewhere]}
    exec(explorer.code, scope)  # noqa: S102
    np.testing.assert_allclose(scope["similar"].values, expected.values, rtol=1e-5)
    explorer._clicked([-1, SCAN.paths.index("maps"), 1])  # the row is selected, so the column is meant
    assert explorer.layer == "gates"
    explorer.options = {"similar_to": "scan[2]"}
    explorer.run()
    assert "Expected at least 4 samples that both scans kept" in drawing(explorer).alt


@pytest.mark.parametrize("wrong", [[], [SCAN, 3], "scan"])
def test_what_is_no_scan_is_refused(opened, wrong):
    with pytest.raises(OptionError, match="Expected scan as the result of"):
        opened(wrong)


def test_a_slow_matrix_waits_for_the_button(opened, monkeypatch):
    monkeypatch.setattr("actwidget.explorer.views.sample_space.QUICK", 0)
    explorer = opened(aw.scan(MODEL, X, progress=False), show="similarity")
    assert "Compare shows" in drawing(explorer).alt
    explorer.run()
    assert "similarity of 6 layers over 40 samples" in drawing(explorer).alt


def test_the_pointer_gets_a_small_picture_of_a_sample(opened, monkeypatch):
    x = np.random.default_rng(0).random((20, 8, 8, 3), np.float32)
    model = keras.Sequential([keras.Input((8, 8, 3)), layers.Flatten(), layers.Dense(4, name="gates")])
    plot = opened(aw.scan(model, x, progress=False), model, x[:1])._screen.plot
    sent = []
    monkeypatch.setattr(plot, "send", lambda content, buffers: sent.append((content, buffers)))
    for sample in (7, 99):
        plot._answer(plot, {"kind": "hover", "sample": sample}, [])
    assert sent == [
        ({"kind": "thumbnail", "sample": 7}, [small_picture(x[7])]),
        ({"kind": "thumbnail", "sample": 99}, [b""]),
    ]


def test_stills_and_saved_pages_hold_the_tab(opened, tmp_path):
    explorer = opened()
    assert "Samples" in explorer._screen.snapshot.caption
    explorer.to_html(tmp_path / "page.html", layers=["gates"])
    assert "10 wrong" in (tmp_path / "page.html").read_text()
