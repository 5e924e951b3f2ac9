"""The kept samples in the space of a layer: two dimensions, neighbours, and how much alike layers are."""

from __future__ import annotations

from itertools import permutations
from math import perm
from types import SimpleNamespace

import keras
import numpy as np
import pytest

import actwidget as aw
from actwidget.errors import ChannelError, LayerNotFoundError, MissingPackageError, OptionError, SampleError, ScanError
from tests.scanning.witness import network, pictures

MODEL = network()
X = pictures(60)
LABELS = np.random.default_rng(2).integers(0, 4, 60)


def scan(x, layers=None, model=MODEL, **options):
    return aw.scan(model, x, layers, progress=False, **options)


@pytest.fixture(scope="module")
def found():
    return scan(X, ["maps", "gates", "classes"], labels=LABELS, keep=40)


def plain(x, **options):
    """A scan of a layer that gives the samples as they are."""
    x = np.asarray(x, np.float32)
    model = keras.Sequential([keras.Input(x.shape[1:]), keras.layers.Activation("linear", name="same")])
    return scan(x, "same", model, **options)


def test_the_labels_are_those_of_the_kept_samples(found, tmp_path):
    samples, _ = found.features("gates")
    assert len(samples) == 40
    assert found.labels == LABELS[samples].tolist()
    found.save(tmp_path / "scan")
    assert aw.load_scan(tmp_path / "scan").labels == found.labels
    assert set(scan(X, "gates").labels) == {None}


def test_the_samples_of_shards_keep_their_labels():
    parts = scan([X[:25], X[25:]], "gates", labels=[LABELS[:25], LABELS[25:]], keep=40)
    assert parts.labels == LABELS[parts.features("gates")[0]].tolist()


def test_the_projection_is_along_the_first_two_singular_vectors(found):
    projection = found.projection("gates")
    samples, rows = found.features("gates")
    centred = rows.astype(np.float64) - rows.mean(axis=0, dtype=np.float64)
    _, lengths, vectors = np.linalg.svd(centred, full_matrices=False)
    for point, vector, direction in zip(projection.points.T, vectors, projection.directions, strict=False):
        sign = np.sign(vector[np.abs(vector).argmax()])
        np.testing.assert_allclose(direction, sign * vector, atol=1e-6)
        np.testing.assert_allclose(point, centred @ vector * sign, atol=1e-6)
    np.testing.assert_allclose(projection.explained, lengths[:2] ** 2 / (lengths**2).sum(), rtol=1e-6)
    assert projection.samples.tolist() == samples.tolist()
    assert list(projection.labels) == found.labels
    np.testing.assert_allclose(projection.place(rows[3]), projection.points[3], atol=1e-5)
    frame = projection.to_frame()
    assert frame.loc[samples[3]].tolist() == [*projection.points[3], found.labels[3]]
    np.testing.assert_array_equal(found.projection("gates").points, projection.points)


def test_the_projection_of_one_channel_is_a_line_and_of_two_the_plane_itself():
    values = np.random.default_rng(0).normal(size=(20, 2))
    line = plain(values[:, :1]).projection("same")
    assert line.explained == (1.0, 0.0)
    np.testing.assert_allclose(line.points[:, 0], values[:, 0] - values[:, 0].mean(), atol=1e-6)
    assert not line.points[:, 1].any()
    plane = plain(values).projection("same")
    distances = [np.linalg.norm(each[:, None] - each[None], axis=-1) for each in (values, plane.points)]
    np.testing.assert_allclose(distances[0], distances[1], atol=1e-6)


def test_samples_with_nan_are_left_out_and_counted():
    values = np.random.default_rng(0).normal(size=(12, 3))
    values[2, 1], values[7] = np.nan, np.inf
    found = plain(values)
    projection = found.projection("same")
    assert projection.left_out == 2
    assert not {2, 7} & set(projection.samples.tolist())
    assert not {2, 7} & {each.sample for each in found.neighbours("same", 0, 20)}
    with pytest.raises(SampleError, match="finite output of 'same'"):
        found.neighbours("same", 2)


def test_too_few_samples_and_a_constant_layer_are_refused_in_words():
    with pytest.raises(ScanError, match=r"at least 3 kept samples .* got 1"):
        plain([[1.0, 2.0]]).projection("same")
    with pytest.raises(ScanError, match=r"got 1 \(3 more hold NaN"):
        plain([[1.0, 2.0], *[[np.nan, 1.0]] * 3]).projection("same")
    with pytest.raises(ScanError, match="same output for all 9 kept samples"):
        plain(np.full((9, 4), 0.1)).projection("same")
    with pytest.raises(ScanError, match="got 0"):
        scan(X, "gates", keep=0).neighbours("gates", np.zeros(6))
    with pytest.raises(OptionError, match="'pca', 'umap'"):
        scan(X, "gates").projection("gates", "tsne")


def test_without_its_package_a_projection_names_the_command(found, monkeypatch):
    for method, module, command in (("pca", "sklearn.decomposition", "actwidget"), ("umap", "umap", "umap-learn")):
        monkeypatch.setitem(__import__("sys").modules, module, None)
        with pytest.raises(MissingPackageError, match=f"pip install .*{command}"):
            found.projection("gates", method)


def test_umap_gets_the_features_and_a_seed_and_gives_the_points(found, monkeypatch):
    """The package itself is large, and is not among those that the tests need."""
    given = {}

    class Map:
        def __init__(self, **options):
            given.update(options)

        def fit_transform(self, features):
            return features[:, :2] * 2

    monkeypatch.setitem(__import__("sys").modules, "umap", SimpleNamespace(UMAP=Map))
    projection = found.projection("gates", "umap", seed=3)
    rows = found.features("gates")[1]
    np.testing.assert_allclose(projection.points, (rows - rows.mean(axis=0))[:, :2] * 2, atol=1e-5)
    assert (given["random_state"], given["n_neighbors"], projection.explained) == (3, 15, None)
    assert projection.place(rows[0]) is None


def test_neighbours_are_the_nearest_of_the_kept_samples(found):
    samples, rows = found.features("gates")
    distances = np.sqrt(((rows.astype(np.float64) - rows[5]) ** 2).sum(axis=1))
    order = [place for place in np.argsort(distances) if place != 5][:8]
    near = found.neighbours("gates", int(samples[5]))
    assert [each.sample for each in near] == samples[order].tolist()
    np.testing.assert_allclose([each.distance for each in near], distances[order])
    assert [each.label for each in near] == LABELS[samples[order]].tolist()
    assert [each.sample for each in found.neighbours("gates", rows[5], 1)] == [samples[5]]


def test_equally_near_samples_are_in_the_order_of_their_numbers():
    found = plain([[0.0], [1.0], [-1.0], [0.0], [1.0]])
    assert [each.sample for each in found.neighbours("same", 3, 3)] == [0, 1, 2]
    assert len(found.neighbours("same", 3, 99)) == 4


def test_wrong_samples_and_outputs_are_refused(found):
    gone = (set(range(60)) - set(found.features("gates")[0].tolist())).pop()
    for sample in (gone, -1, "one", 60):
        with pytest.raises(SampleError):
            found.neighbours("gates", sample)
    with pytest.raises(ChannelError, match=r"shape \(6,\)"):
        found.neighbours("gates", np.zeros(5))
    with pytest.raises(OptionError):
        found.neighbours("gates", 0, 0)
    with pytest.raises(LayerNotFoundError):
        found.neighbours("pooled", 0)


def hsic(first, second):
    """The unbiased estimate as its definition: a mean over all ordered choices of four samples."""
    k, m = first @ first.T, second @ second.T
    total = sum(k[i, j] * (m[i, j] + m[q, r] - 2 * m[i, q]) for i, j, q, r in permutations(range(len(k)), 4))
    return total / perm(len(k), 4)


def test_similarity_is_the_debiased_cka_of_its_definition():
    x = pictures(7)
    found = scan(x, ["maps", "gates", "classes"])
    similar = aw.similarity(found)
    rows = [found.features(path)[1].astype(np.float64) for path in found.paths]
    rows = [each - each.mean(axis=0) for each in rows]
    expected = [[hsic(a, b) / np.sqrt(hsic(a, a) * hsic(b, b)) for b in rows] for a in rows]
    np.testing.assert_allclose(similar.values, expected, rtol=1e-6)
    assert similar.to_frame().loc["maps", "classes"] == similar.values[0, 2]
    assert similar.samples.tolist() == list(range(7))


def test_similarity_of_a_rotated_and_scaled_space_is_1_and_of_an_unrelated_one_near_0():
    generator = np.random.default_rng(0)
    x = generator.normal(size=(300, 6)).astype(np.float32)
    noise = np.concatenate([x, generator.normal(size=(300, 40))], axis=1).astype(np.float32)
    inputs = keras.Input((46,))
    rotation = np.linalg.qr(generator.normal(size=(6, 6)))[0]
    picked = keras.layers.Dense(6, use_bias=False, name="picked")
    rotated = keras.layers.Dense(6, use_bias=False, name="rotated")
    other = keras.layers.Dense(40, use_bias=False, name="other")
    model = keras.Model(inputs, [rotated(picked(inputs)), other(inputs)])
    picked.set_weights([np.eye(46, 6)])
    rotated.set_weights([7 * rotation])
    other.set_weights([np.eye(46)[:, 6:]])
    values = aw.similarity(scan(noise, ["picked", "rotated", "other"], model)).to_frame()
    np.testing.assert_allclose(values.loc["picked", "rotated"], 1, atol=1e-4)
    assert abs(values.loc["picked", "other"]) < 0.05


def test_blocks_of_samples_give_the_same_similarity_as_all_at_once(found, monkeypatch):
    whole = aw.similarity(found).values
    monkeypatch.setattr("actwidget.scanning.space.similarity.BLOCK_BYTES", 8 * 40 * 3 * 7)
    np.testing.assert_allclose(aw.similarity(found).values, whole, rtol=1e-9)


def test_checkpoints_are_compared_on_the_samples_that_both_kept(found):
    other = scan(X, ["classes", "gates"], keep=25)
    similar = aw.similarity(found, other)
    assert (similar.paths, similar.columns) == (["maps", "gates", "classes"], ["gates", "classes"])
    assert similar.samples.tolist() == other.features("gates")[0].tolist()
    assert similar.values.shape == (3, 2)
    np.testing.assert_allclose(similar.values[1, 0], 1, atol=1e-6)
    with pytest.raises(ScanError, match="that both scans kept"):
        aw.similarity(found, scan(X, "gates", keep=2))
    with pytest.raises(OptionError, match="another Scan"):
        aw.similarity(found, MODEL)
    with pytest.raises(LayerNotFoundError):
        aw.similarity(found, layers=["pooled"])


def test_layers_that_are_constant_or_not_finite_have_no_similarity_and_leave_the_others_theirs():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((3,))
    layers = [
        keras.layers.Dense(2, name="fine"),
        keras.layers.Dense(2, name="constant"),
        keras.layers.Dense(1, name="broken"),
    ]
    model = keras.Model(inputs, [layer(inputs) for layer in layers])
    layers[1].set_weights([np.zeros((3, 2)), np.ones(2)])
    layers[2].set_weights([np.full((3, 1), np.nan), np.zeros(1)])
    x = np.random.default_rng(0).normal(size=(30, 3))
    x[4] = np.nan
    similar = aw.similarity(scan(x, ["fine", "constant", "broken"], model))
    assert similar.samples.tolist() == [each for each in range(30) if each != 4]
    values = similar.to_frame()
    np.testing.assert_allclose(values.loc["fine", "fine"], 1)
    assert np.isfinite(similar.values).sum() == 1
    with pytest.raises(ScanError, match="at least 4 samples"):
        aw.similarity(scan(x[:3], ["fine"], model))
