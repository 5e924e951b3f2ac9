"""Attributions have the values that other packages, hand-written tapes and the axioms say."""

from __future__ import annotations

import gc
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from actwidget import attributions, edit
from actwidget.explain.attribution.steps import METHODS, attribution_steps
from actwidget.explain.differentiation import known_models
from tests.explain.digits import FORMS, INPUTS, TARGETS, WITNESSES, digits, inner

XPLIQUE = dict(np.load(WITNESSES / "xplique.npz"))
SALIENCY = dict(np.load(WITNESSES / "saliency.npz"))
CLASSES = TARGETS.tolist()


def tape_gradient(function, values):
    """The gradient of a function's sum, by hand."""
    tensor = tf.constant(values)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        score = tf.reduce_sum(function(tensor))
    return tape.gradient(score, tensor).numpy()


def class_scores(model, values, classes=CLASSES):
    return tf.gather(model(values, training=False), tf.constant(np.asarray(classes)[:, None]), batch_dims=1)


@pytest.mark.parametrize("form", FORMS)
def test_saliency_and_gradient_times_input_are_those_of_xplique_and_saliency(form):
    saliency = attributions(digits(form), INPUTS, CLASSES, method="saliency")
    assert_allclose(np.abs(saliency.values), XPLIQUE["Saliency__functional"], atol=1e-6)
    assert_allclose(saliency.values[0], SALIENCY["GradientSaliency__functional"], atol=1e-6)
    product = attributions(digits(form), INPUTS, CLASSES, method="gradient_x_input")
    assert_allclose(product.values, XPLIQUE["GradientInput__functional"], atol=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_integrated_gradients_are_those_of_xplique_whose_steps_are_points(form):
    found = attributions(digits(form), INPUTS, CLASSES, steps=49)
    assert_allclose(found.values, XPLIQUE["IntegratedGradients__functional"], atol=2e-6)


@pytest.mark.parametrize("form", FORMS)
def test_grad_cam_is_that_of_saliency(form):
    found = attributions(digits(form), INPUTS, CLASSES, method="grad_cam", layer=inner(form, "conv2"))
    assert found.layer == inner(form, "conv2")
    assert_allclose(found.values[0], SALIENCY["GradCam__functional"], atol=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_the_default_layer_of_class_maps_is_the_innermost_last_one_with_a_map(form):
    found = attributions(digits(form), INPUTS, method="layer_cam")
    assert (found.layer, found.values.shape) == (inner(form, "pool2"), (4, 4, 4))
    assert found.values.min() >= 0


def test_grad_cam_plus_plus_is_the_formula_of_its_paper():
    model = digits("functional")
    lower = keras.Model(model.inputs, model.get_layer("conv2").output)
    maps = lower(INPUTS).numpy()
    upper = keras.Sequential([keras.Input((8, 8, 16)), *model.layers[3:]])
    gradient = tape_gradient(lambda values: class_scores(upper, values), maps)
    expected = np.zeros((4, 8, 8))
    for sample in range(4):
        for channel in range(16):
            grad, total = gradient[sample, ..., channel].astype(float), maps[sample, ..., channel].astype(float).sum()
            below = 2 * grad**2 + total * grad**3
            alpha = np.where(below != 0, grad**2 / np.where(below == 0, 1, below), 0)
            expected[sample] += (alpha * np.maximum(grad, 0)).sum() * maps[sample, ..., channel]
    found = attributions(model, INPUTS, CLASSES, method="grad_cam_plus_plus", layer="conv2")
    assert_allclose(found.values, np.maximum(expected, 0), rtol=1e-3, atol=1e-3)
    cam = (maps * np.maximum(gradient, 0)).sum(axis=-1)
    assert_allclose(attributions(model, INPUTS, CLASSES, method="layer_cam", layer="conv2").values, cam, atol=1e-5)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("layer", [None, "conv2", "hidden"])
def test_integrated_gradients_add_up_to_the_change_of_the_score_as_the_path_gets_finer(form, layer):
    path = layer and (inner(form, layer) if layer == "conv2" else layer)
    coarse, fine = (attributions(digits(form), INPUTS, CLASSES, steps=steps, layer=path).delta for steps in (20, 400))
    assert np.abs(fine).max() < 0.02
    assert np.abs(fine).max() <= np.abs(coarse).max() + 1e-4


def test_delta_is_the_sum_minus_the_difference_of_the_scores():
    model = digits("functional")
    base = np.full((16, 16, 3), 0.25, np.float32)
    found = attributions(model, INPUTS, CLASSES, baseline=base)
    change = class_scores(model, INPUTS)[:, 0] - class_scores(model, np.broadcast_to(base, INPUTS.shape))[:, 0]
    assert_allclose(found.delta, found.values.sum(axis=(1, 2, 3)) - change, atol=1e-4)
    assert_allclose(found.score, class_scores(model, INPUTS)[:, 0], rtol=1e-5)
    for same in (0.25, np.broadcast_to(base, INPUTS.shape)):
        assert_allclose(attributions(model, INPUTS, CLASSES, baseline=same).values, found.values, atol=1e-6)


def test_integrated_gradients_at_a_layer_are_those_of_the_model_behind_it():
    model = digits("functional")
    lower = keras.Model(model.inputs, model.get_layer("conv2").output)
    upper = keras.Sequential([keras.Input((8, 8, 16)), *model.layers[3:]])
    behind = attributions(upper, lower(INPUTS).numpy(), CLASSES)
    assert_allclose(attributions(model, INPUTS, CLASSES, layer="conv2").values, behind.values, atol=1e-5)


@pytest.mark.parametrize("layer", [None, "conv1"])
def test_smoothgrad_is_the_mean_gradient_at_noisy_values(layer):
    model = digits("functional")
    origin, rest = INPUTS, model
    if layer:
        origin = keras.Model(model.inputs, model.get_layer(layer).output)(INPUTS).numpy()
        rest = keras.Sequential([keras.Input(origin.shape[1:]), *model.layers[1:]])
    gradients = []
    for draw in range(6):
        noise = np.random.default_rng([3, draw]).standard_normal(origin.shape, np.float32)
        spread = 0.15 * np.ptp(origin.reshape(4, -1), axis=1)[:, None, None, None]
        gradients.append(tape_gradient(lambda values: class_scores(rest, values), origin + noise * spread))
    found = attributions(model, INPUTS, CLASSES, method="smoothgrad", samples=6, seed=3, layer=layer, batch_size=5)
    assert_allclose(found.values, np.mean(gradients, axis=0), atol=1e-5)


def test_occlusion_is_the_fall_of_the_score_behind_a_patch_of_the_mean():
    model = digits("functional")
    falls, counts = np.zeros((4, 16, 16)), np.zeros((16, 16))
    score = class_scores(model, INPUTS)[:, 0].numpy()
    mean = INPUTS.mean(axis=(1, 2), keepdims=True)
    for row in (0, 3, 6, 9, 11):
        for column in (0, 3, 6, 9, 11):
            covered = INPUTS.copy()
            covered[:, row : row + 5, column : column + 5] = mean
            falls[:, row : row + 5, column : column + 5] += (score - class_scores(model, covered)[:, 0])[:, None, None]
            counts[row : row + 5, column : column + 5] += 1
    found = attributions(model, INPUTS, CLASSES, method="occlusion", patch=5, stride=3)
    assert_allclose(found.values, np.repeat((falls / counts)[..., None], 3, axis=-1), atol=1e-5)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("ending", ["softmax", "sigmoid"])
def test_the_target_is_taken_before_a_final_softmax_or_sigmoid(form, ending):
    plain, ended = digits(form), digits(form, ending)
    found = attributions(ended, INPUTS, CLASSES, method="saliency")
    assert found.pre_activation == ending
    expected = attributions(plain, INPUTS, CLASSES, method="saliency")
    assert expected.pre_activation == ""
    assert_allclose(found.values, expected.values, atol=1e-6)
    assert_allclose(found.score, expected.score, rtol=1e-5)
    output = attributions(ended, INPUTS, CLASSES, method="saliency", logits=False)
    assert output.pre_activation == ""
    assert_allclose(output.values, tape_gradient(lambda values: class_scores(ended, values), INPUTS), atol=1e-6)


@pytest.mark.parametrize("method", METHODS[:-1])
@pytest.mark.parametrize("form", FORMS)
def test_the_samples_go_through_in_parts_with_the_same_values(method, form):
    model = digits(form)
    options = {"method": method, "steps": 7, "samples": 3, "patch": 8}
    whole = attributions(model, INPUTS, **options)
    parts = attributions(model, INPUTS, batch_size=3, **options)
    assert_allclose(parts.values, whole.values, atol=2e-5)
    assert_allclose(parts.score, whole.score, rtol=1e-5)
    assert whole.target.tolist() == model(INPUTS).numpy().argmax(axis=1).tolist() == parts.target.tolist()


@pytest.mark.parametrize("method", METHODS[:-1])
@pytest.mark.parametrize("form", FORMS)
def test_a_second_call_traces_nothing_and_gives_the_same(method, form):
    model = digits(form)
    options = {"method": method, "steps": 7, "samples": 3, "patch": 8}
    first = attributions(model, INPUTS, **options)
    functions = known_models.known_model(model).functions
    traces = {key: function.traces for key, function in functions.items()}
    second = attributions(model, INPUTS + 0, **options)
    assert {key: function.traces for key, function in functions.items()} == traces
    assert all(function._eagerly is False for function in functions.values())
    assert_allclose(second.values, first.values, atol=1e-6)


def test_written_weights_and_replaced_activations_are_noticed():
    model = digits("functional", "softmax")
    before = attributions(model, INPUTS, CLASSES, method="saliency")
    model.get_layer("hidden").kernel.assign(model.get_layer("hidden").kernel * 2)
    written = attributions(model, INPUTS, CLASSES, method="saliency")
    assert not np.allclose(written.values, before.values)
    model.get_layer("logits").activation = keras.activations.linear
    replaced = attributions(model, INPUTS, CLASSES, method="saliency", logits=False)
    assert_allclose(replaced.values, written.values, atol=1e-5)


@pytest.mark.parametrize("form", FORMS)
def test_what_is_remembered_does_not_keep_the_model(form):
    model = digits(form)
    attributions(model, INPUTS, steps=3)
    attributions(model, INPUTS, method="grad_cam")
    alive = weakref.ref(model)
    del model
    gc.collect()
    assert alive() is None


def test_of_an_edited_model_the_edited_values_are_explained():
    model = digits("functional")
    edited = edit(model, {"conv1": lambda values: values * 2})
    first, rest = model.layers[0], model.layers[1:]

    def by_hand(values):
        values = first(values) * 2
        for layer in rest:
            values = layer(values)
        return tf.gather(values, np.asarray(CLASSES)[:, None], batch_dims=1)

    found = attributions(edited, INPUTS, CLASSES, method="saliency")
    assert_allclose(found.values, tape_gradient(by_hand, INPUTS), atol=1e-5)


def test_the_steps_of_a_method_give_estimates_of_which_the_last_is_the_result():
    model = digits("functional")
    states = list(attribution_steps(model, INPUTS[:1], 3, steps=20, batch_size=4))
    assert [state.done for state in states] == [4, 8, 12, 16, 20, 21]
    assert {state.total for state in states} == {21}
    estimates = [state.attributions for state in attribution_steps(model, INPUTS[:1], 3, steps=20, batch_size=4)]
    assert [estimate.delta is None for estimate in estimates] == [True] * 5 + [False]
    result = attributions(model, INPUTS[:1], 3, steps=20)
    assert_allclose(estimates[-1].values, result.values, atol=1e-6)
    errors = [np.abs(estimate.values - result.values).mean() for estimate in estimates]
    assert errors[-1] <= errors[2] < np.abs(result.values).mean()
