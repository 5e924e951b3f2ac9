"""The tab Why: what it draws is what `attributions` gives, and nothing is computed before it is asked for."""

from __future__ import annotations

import asyncio
import json
import re

import keras
import numpy as np
import pytest
from keras import layers

import actwidget as aw
from actwidget.errors import ActwidgetError, NotCapturableError
from tests.widgets.small import explorer as small_explorer
from tests.widgets.test_working import alt, button, until

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def model_and_inputs():
    """A model with maps, a vector and classes, whose passes are compiled once for all tests."""
    first = small_explorer()
    found = first.model, first.inputs
    first.close()
    return found


@pytest.fixture
def explorer(model_and_inputs):
    model, inputs = model_and_inputs
    weights = model.get_weights()
    opened = aw.LayerExplorer(model, inputs)
    yield opened
    opened.close()
    model.set_weights(weights)


def why(explorer, **options):
    explorer.options = {f"why_{name}": value for name, value in options.items()}
    explorer.show = "why"
    explorer.run()
    return explorer


def drawn(explorer, kind):
    return [trace for trace in explorer.figure.data if trace.type == kind]


def test_the_tab_computes_nothing_until_it_is_asked(explorer, monkeypatch):
    def fail(*_args, **_kwargs):
        raise AssertionError

    monkeypatch.setattr("actwidget.explorer.why.running.attribution_steps", fail)
    explorer.show = "why"
    assert "Explain shows what in the input speaks for" in alt(explorer)
    explorer.sample = 1
    explorer.layer = "pool"
    assert (button(explorer).description, button(explorer).disabled) == ("Explain", False)


@pytest.mark.parametrize("sample", [0, 1])
@pytest.mark.parametrize("method", ["integrated_gradients", "gradient_x_input", "occlusion", "smoothgrad", "saliency"])
def test_the_values_over_the_picture_are_those_of_attributions(explorer, method, sample):
    explorer.sample = sample
    why(explorer, method=method)
    found = aw.attributions(explorer.model, explorer.inputs[sample : sample + 1], method=method).values[0]
    expected = np.abs(found).max(axis=-1) if method == "saliency" else found.sum(axis=-1)
    np.testing.assert_allclose(np.asarray(drawn(explorer, "heatmap")[0].z), expected, atol=1e-5)


def test_a_class_activation_map_lies_over_the_picture_where_its_cells_are(explorer):
    why(explorer, method="grad_cam")
    expected = aw.attributions(explorer.model, explorer.inputs[:1], method="grad_cam").values[0]
    cells = drawn(explorer, "heatmap")[0]
    np.testing.assert_allclose(np.asarray(cells.z), expected, atol=1e-6)
    assert (cells.x0, cells.dx) == (1, 1)  # a kernel of 3 without padding
    assert "The map is that of conv." in alt(explorer)


def test_the_channels_of_a_layer_are_sorted_by_their_contribution_and_can_be_selected(explorer):
    explorer.channel = 4
    why(explorer, about="layer")
    found = aw.attributions(explorer.model, explorer.inputs[:1], layer="conv").values[0]
    sums = found.sum(axis=(0, 1))
    (bars,) = drawn(explorer, "bar")
    order = np.argsort(-np.abs(sums), kind="stable")
    np.testing.assert_allclose(bars.x, sums[order], atol=1e-5)
    np.testing.assert_array_equal(np.ravel(bars.customdata), order)
    np.testing.assert_allclose(np.asarray(drawn(explorer, "heatmap")[0].z), found[..., 4], atol=1e-5)
    assert explorer._grid.moved(int(order[0]), "ArrowRight") == order[1]


def test_the_target_is_chosen_by_the_name_of_a_class(explorer):
    why(explorer, method="gradient_x_input", target="2")
    found = aw.attributions(explorer.model, explorer.inputs[:1], 2, method="gradient_x_input")
    cells = drawn(explorer, "heatmap")[0]
    np.testing.assert_allclose(np.asarray(cells.z), found.values[0].sum(axis=-1), atol=1e-5)
    title = explorer._screen.inspection.content["title"]
    assert title == "Why class 2"
    assert ["score", f"{found.score[0]:.2f}, a logit", False] in explorer._screen.inspection.content["facts"]


def test_the_likeliest_classes_are_one_click_away(explorer):
    why(explorer, method="gradient_x_input")
    probabilities = np.asarray(explorer.model(explorer.inputs[:1]))[0]
    order = np.argsort(-probabilities)
    menu = explorer._screen.controls.widget("why_target").choices
    assert [name for name, _ in menu] == [str(number) for number in order]
    content = explorer._screen.inspection.content
    assert content["title"] == f"Why class {order[0]}"
    assert content["actions"][0][0].startswith(f"Why class {order[1]} (")
    explorer._screen.inspection._answer(None, {"action": 0}, [])
    assert explorer.options["why_target"] == str(order[1])
    assert explorer._screen.inspection.content["title"] == f"Why class {order[1]}"


def test_the_completeness_error_is_on_screen_in_words(explorer):
    why(explorer)
    found = aw.attributions(explorer.model, explorer.inputs[:1])
    total, rise = found.values.sum(), found.values.sum() - found.delta[0]
    words = re.search(r"The parts add up to (\S+); the score (rose|fell) by (\S+) from", explorer._screen.numbers.value)
    assert float(words[1]) == pytest.approx(total, abs=0.006)
    assert float(words[3]) * (1 if words[2] == "rose" else -1) == pytest.approx(rise, abs=0.006)
    assert "before the softmax" in alt(explorer)


def test_once_asked_every_choice_is_answered_by_itself_and_kept(explorer, monkeypatch):
    why(explorer, method="saliency")
    explorer.sample = 1
    assert "The score is" in alt(explorer)
    explorer.options = {"why_method": "grad_cam"}
    assert "Grad-CAM of conv" in alt(explorer)
    monkeypatch.setattr("actwidget.explorer.why.running.attribution_steps", None)
    explorer.sample, explorer.options = 0, {"why_method": "saliency"}
    assert "The score is" in alt(explorer)


def test_new_weights_are_not_explained_by_old_results(explorer):
    why(explorer, method="saliency")
    explorer.model.set_weights([2 * weight for weight in explorer.model.get_weights()])
    assert explorer.activation is not None
    assert "Explain shows" in alt(explorer)


def test_what_is_stopped_stays_on_screen_and_says_so_until_it_is_asked_for_again(explorer):
    async def on_a_page():
        explorer.show = "why"
        button(explorer).click()
        assert button(explorer).description == "Stop"
        await until(lambda: "<progress" in explorer._screen.status.value)
        button(explorer).click()
        assert "Not complete: " in alt(explorer)
        assert "passes so far" in explorer.figure.layout.title.text
        explorer._redraw()
        assert button(explorer).description == "Explain"
        explorer.run()
        assert "The parts add up to" in alt(explorer)
        assert button(explorer).disabled
        assert "Computing" not in explorer._screen.status.value

    asyncio.run(on_a_page())


def test_words_are_coloured_by_their_tokens():
    keras.utils.set_random_seed(0)
    stack = [keras.Input((5,), dtype="int32", name="ids"), layers.Embedding(20, 8, name="embedding")]
    stack += [layers.GlobalAveragePooling1D(name="pool"), layers.Dense(3, activation="softmax", name="topic")]
    ids = RNG.integers(0, 20, (2, 5))
    words = ["the", "cat", "sat", "down", "now"]
    model = keras.Sequential(stack, name="reader")
    explorer = why(aw.LayerExplorer(model, ids, tokens=words))
    found = aw.attributions(model, ids[:1])
    text = drawn(explorer, "scatter")[0]
    assert list(text.text) == words
    cells = np.asarray(drawn(explorer, "heatmap")[0].z)
    np.testing.assert_allclose(cells[0, 0], found.values[0, 0], rtol=1e-4)
    assert "Measured at embedding." in alt(explorer)
    explorer.options = {"why_method": "saliency"}
    gradients = aw.attributions(model, ids[:1], method="saliency", layer="embedding").values[0]
    norms = np.linalg.norm(gradients, axis=-1)
    np.testing.assert_allclose(np.asarray(drawn(explorer, "heatmap")[0].z)[0, 0], norms[0], rtol=1e-4)
    explorer.close()


def test_of_texts_the_words_that_a_layer_made_of_them_are_coloured():
    keras.utils.set_random_seed(0)
    words = layers.TextVectorization(output_sequence_length=4, vocabulary=["the", "cat", "sat"], name="words")
    x = keras.Input((), dtype="string", name="text")
    y = layers.GlobalAveragePooling1D(name="pool")(layers.Embedding(10, 4, name="embedding")(words(x)))
    model = keras.Model(x, layers.Dense(2, activation="softmax", name="mood")(y), name="reader")
    texts = np.array(["the cat sat", "sat the"])
    explorer = why(aw.LayerExplorer(model, texts, sample=1), method="gradient_x_input")
    found = aw.attributions(model, texts[1:], method="gradient_x_input").values[0]
    assert list(drawn(explorer, "scatter")[0].text) == ["sat", "the", "·", "·"]
    np.testing.assert_allclose(np.asarray(drawn(explorer, "heatmap")[0].z)[0, 0], found[0], rtol=1e-4)
    explorer.close()


def test_several_inputs_have_a_panel_each_and_numbers_are_bars_by_their_names():
    keras.utils.set_random_seed(0)
    image, age, size = (
        keras.Input((8, 8, 1), name="image"),
        keras.Input((1,), name="age"),
        keras.Input((2,), name="size"),
    )
    y = layers.Concatenate(name="both")([layers.Flatten(name="flat")(image), age, size])
    model = keras.Model([image, age, size], layers.Dense(2, name="out")(y), name="several")
    inputs = [RNG.random((3, 8, 8, 1)), RNG.random((3, 1)), RNG.random((3, 2))]
    explorer = aw.LayerExplorer(model, inputs, sample=2)
    why(explorer, method="gradient_x_input", target="1")
    found = aw.attributions(model, [each[2:] for each in inputs], 1, method="gradient_x_input").values
    bars = drawn(explorer, "bar")[0]
    names = dict(zip(explorer.figure.layout.yaxis2.ticktext, bars.x, strict=True))
    assert set(names) == {"age", "size 0", "size 1"}
    assert names["size 1"] == pytest.approx(found[2][0, 1], rel=1e-4)
    np.testing.assert_allclose(np.asarray(drawn(explorer, "heatmap")[0].z), found[0][0, ..., 0], atol=1e-5)
    explorer.close()


def test_of_several_outputs_the_classes_of_the_first_can_be_chosen_and_the_code_says_how():
    keras.utils.set_random_seed(0)
    x = keras.Input((4,), name="x")
    outputs = [layers.Dense(3, activation="softmax", name="kind")(x), layers.Dense(1, name="size")(x)]
    model = keras.Model(x, outputs, name="two")
    given = RNG.random((1, 4)).astype("float32")
    explorer = why(aw.LayerExplorer(model, given), method="gradient_x_input", target="2")
    found = aw.attributions(model, given, lambda outputs: outputs[0][:, 2], method="gradient_x_input")
    np.testing.assert_allclose(sorted(drawn(explorer, "bar")[0].x), sorted(found.values[0]), rtol=1e-4)
    assert "class 2 of output kind" in alt(explorer)
    scope = {"model": model, "x": given}
    exec(explorer._explorer.code, scope)  # noqa: S102 - what the panel shows is meant to be run
    np.testing.assert_allclose(scope["values"], found.values, rtol=1e-5)
    explorer.close()


def test_the_code_of_what_is_on_screen_gives_it(explorer):
    explorer.sample = 1
    why(explorer, method="grad_cam", target="1", about="layer")
    assert "found = actwidget.attributions(model, x[1:2], 1, method='grad_cam', layer='conv')" in explorer.code
    scope = {"model": explorer.model, "x": explorer.inputs}
    exec(explorer.code, scope)  # noqa: S102 - what the panel shows is meant to be run
    np.testing.assert_allclose(np.asarray(drawn(explorer, "heatmap")[0].z), scope["values"][0], atol=1e-6)
    explorer.show = "activation"
    assert "attributions" not in explorer.code


def test_a_question_without_an_answer_says_why_in_place_of_the_picture_and_raises_in_code():
    x = keras.Input((4,), name="x")
    aside = layers.Dense(2, name="aside")(x)
    model = keras.Model(x, [layers.Dense(3, name="out")(x), aside], name="apart")
    explorer = aw.LayerExplorer(model, np.ones((1, 4), "float32"), layer="aside")
    explorer.options = {"why_about": "layer"}
    explorer.show = "why"
    with pytest.raises(NotCapturableError, match="no differentiable way"):
        explorer.run()
    assert "There is no differentiable way from the target to 'aside'" in alt(explorer)
    assert 'role="alert" class="actw-alert"></div>' in explorer._screen.alert.value
    explorer.layer = "out"
    assert "The score is" in alt(explorer)
    explorer.close()


def test_outputs_without_gradients_and_explorers_without_inputs_say_so():
    x = keras.Input((8, 8, 1))
    model = keras.Model(x, keras.ops.argmax(layers.Conv2D(3, 3, name="conv")(x), axis=-1), name="segmenter")
    explorer = aw.LayerExplorer(model, RNG.random((1, 8, 8, 1)), show="why")
    assert "holds int32, through which there are no gradients" in alt(explorer)
    explorer.close()
    explorer = aw.LayerExplorer(model, show="why")
    assert "Give inputs" in alt(explorer)
    explorer.close()


def test_the_options_are_in_the_state_and_wrong_ones_are_refused(explorer):
    why(explorer, method="saliency", target="1", about="layer")
    state = json.loads(json.dumps(explorer.state()))
    again = aw.LayerExplorer(explorer.model, explorer.inputs, state=state)
    assert again.state() == state
    again.run()
    assert alt(again) == alt(explorer)
    again.close()
    for wrong in ({"why_method": "magic"}, {"why_about": "all"}):
        with pytest.raises(ActwidgetError):
            explorer.options = wrong


def test_the_offline_page_holds_what_was_computed_alone(explorer, tmp_path):
    file = tmp_path / "page.html"

    def views(layer):
        explorer.to_html(file)
        text = re.search(r'id="actw-data">(.*?)</script>', file.read_text(encoding="utf-8"), re.DOTALL)[1]
        return json.loads(text)["layers"][layer]["views"]

    assert "why" not in views("conv")
    why(explorer, method="saliency")
    assert "The score is" in views("conv")["why"]["alt"]
    assert "why" not in views("pool")


def test_the_model_is_left_as_it_was(explorer):
    before = [weight.copy() for weight in explorer.model.get_weights()]
    nodes = [len(layer._inbound_nodes) for layer in explorer.model.layers]
    why(explorer)
    assert [len(layer._inbound_nodes) for layer in explorer.model.layers] == nodes
    for old, new in zip(before, explorer.model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
