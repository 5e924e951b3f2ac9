from __future__ import annotations

import keras
import numpy as np

import actwidget as aw


def explorer_on(count: int, **options) -> aw.LayerExplorer:
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Conv2D(4, 3, name="conv"), keras.layers.GlobalAveragePooling2D(name="pool")]
    model = keras.Sequential([keras.Input((8, 8, 1)), *layers, keras.layers.Dense(3, name="out")])
    batch = np.random.default_rng(0).random((count, 8, 8, 1)).astype(np.float32)
    return aw.LayerExplorer(model, batch, layer="conv", show="every_sample", **options)


def cells_of(explorer: aw.LayerExplorer) -> dict[int, list]:
    trace = next(trace for trace in explorer.figure.data if trace.customdata is not None)
    rows = trace.customdata if trace.type == "bar" else [cell for row in trace.customdata for cell in row if cell]
    return {cell[1]: list(cell) for cell in rows}


def test_the_selected_channel_is_shown_for_each_sample():
    explorer = explorer_on(5, channel=2)
    expected = aw.activations(explorer.model, explorer.inputs)["conv"][..., 2]
    for sample, (_, _, low, mean, high) in cells_of(explorer).items():
        row = expected[sample]
        np.testing.assert_allclose([low, mean, high], [row.min(), row.mean(), row.max()], rtol=1e-3)
    assert list(cells_of(explorer)) == list(range(5))
    assert explorer.figure.layout.title.text == "conv · channel 2 · samples 0 to 4 of 5"


def test_without_a_channel_it_is_the_mean_of_all():
    explorer = explorer_on(5)
    expected = aw.activations(explorer.model, explorer.inputs)["conv"].mean(axis=-1)
    np.testing.assert_allclose(cells_of(explorer)[3][4], expected[3].max(), rtol=1e-3)


def test_a_vector_is_a_bar_for_each_sample():
    explorer = explorer_on(5, channel=1)
    explorer.layer = "out"
    explorer.channel = 0
    expected = aw.activations(explorer.model, explorer.inputs)["out"][:, 0]
    np.testing.assert_allclose(explorer.figure.data[0].y, expected, rtol=1e-5)


def test_many_samples_come_in_pages_that_need_not_fit_in_the_cache():
    explorer = explorer_on(100, channel=2, max_bytes=2_000)
    assert list(cells_of(explorer)) == list(range(48))
    explorer.options = {"samples_page": 2}
    assert list(cells_of(explorer)) == list(range(96, 100))
    expected = aw.activations(explorer.model, explorer.inputs)["conv"][97, ..., 2]
    np.testing.assert_allclose(cells_of(explorer)[97][4], expected.max(), rtol=1e-3)


def test_the_page_is_that_of_the_selected_sample_until_another_is_turned_to():
    explorer = explorer_on(100, channel=2)
    explorer.sample = 50
    assert list(cells_of(explorer)) == list(range(48, 96))
    explorer._screen.plot._answer(None, {"kind": "key", "key": "PageUp"}, [])
    assert (list(cells_of(explorer)), explorer.sample) == (list(range(48)), 50)
    explorer.channel = 1
    assert list(cells_of(explorer)) == list(range(48))
    explorer.sample = 51
    assert (list(cells_of(explorer)), explorer.options) == (list(range(48, 96)), {})


def test_with_a_single_sample_it_says_how_to_get_another():
    explorer = explorer_on(1)
    assert "There is one sample only. Add another one with +" in explorer._screen.plot.alt


def test_arrow_keys_go_from_sample_to_sample():
    explorer = explorer_on(5)
    explorer._screen.plot._answer(None, {"kind": "key", "key": "ArrowRight"}, [])
    assert explorer.sample == 1
