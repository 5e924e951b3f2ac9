"""The live figure of a watch: what it shows of a history, and that it grows while a model trains."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import actwidget as aw
from actwidget.figures.training.content import QUANTITIES, Chosen
from actwidget.training import display
from actwidget.training.display import content_of, number_of, shown_moments
from tests.rounding import assert_close
from tests.widgets.small import open_widgets

RNG = np.random.default_rng(1)
X = RNG.normal(size=(24, 5, 5, 1)).astype("float32")
Y = RNG.normal(size=(24, 2)).astype("float32")


class Called(keras.callbacks.Callback):
    """Calls a function at one of Keras's moments."""

    def __init__(self, moment, function):
        super().__init__()
        # On JAX this attribute brings the weights of the moment into the model.
        setattr(self, moment, lambda *_args, **_logs: (self.model, function()))


def network():
    x = inputs = keras.Input((5, 5, 1), name="image")
    kernel = keras.initializers.GlorotUniform(1)
    x = keras.layers.Conv2D(3, 2, activation="relu", kernel_initializer=kernel, name="conv")(x)
    x = keras.layers.Flatten(name="flat")(x)
    x = keras.layers.Dense(2, kernel_initializer=keras.initializers.GlorotUniform(2), name="out")(x)
    model = keras.Model(inputs, x, name="network")
    model.compile("sgd", "mse", metrics=["mae"], run_eagerly=True)
    return model


def fitted(watch, model=None, epochs=3, **options):
    model = network() if model is None else model
    model.fit(X, Y, batch_size=8, epochs=epochs, shuffle=False, verbose=0, callbacks=[watch], **options)
    return model


@pytest.fixture(scope="module")
def watch():
    found = aw.Watch(X[:6], gradients=True)
    fitted(found)
    yield found
    found.widget.close()


def test_the_content_has_the_numbers_of_all_layers_at_all_moments(watch):
    content = content_of(watch.history, None, Chosen(layer="flat", step=5))
    assert content.layers == list(watch.history[0].layers)
    assert content.steps.tolist() == [0, 3, 6, 9]
    assert content.numbers.tolist() == [
        [record.layers[path].zeros for record in watch.history] for path in content.layers
    ]
    assert content.moment == 2  # 6 is nearer to 5 than 3 is
    assert content.curves["loss"].tolist()[1:] == [record.logs["loss"] for record in watch.history[1:]]
    assert np.isnan(content.curves["mae"][0])


def test_each_quantity_is_the_number_of_the_record(watch):
    record = watch.history[-1].layers["conv"]
    found = {name: number_of(record, name) for name in QUANTITIES}
    assert found["dead"] == record.dead / 3
    assert found["nonfinite"] == 0
    assert found["norm"] == record.weights.norm
    assert found["update"] == record.weights.update
    assert found["gradient"] == record.gradient
    assert found["standard_deviation"] == record.standard_deviation
    assert np.isnan(found["saturated"])  # a ReLU has no upper bound


def test_the_channels_then_and_now_are_those_of_the_first_sample():
    watch, copies = aw.Watch(X[:6]), []
    model = network()
    keep = Called("on_train_batch_end", lambda: copies.append(model.get_weights()))
    model.fit(X, Y, batch_size=8, shuffle=False, verbose=0, callbacks=[keep, watch])
    now = content_of(watch.history, None, Chosen(layer="conv", step=3)).layer.now
    model.set_weights(copies[-1])
    expected = np.moveaxis(aw.activations(model, X[:6], "conv")["conv"][0], -1, 0)
    assert_close(now.values, expected)
    then = content_of(watch.history, None, Chosen(layer="conv", step=0)).layer.then
    assert_close(then.values, np.moveaxis(aw.activations(network(), X[:6], "conv")["conv"][0], -1, 0))


def test_of_many_moments_some_are_drawn_with_the_chosen_one_among_them():
    places = shown_moments(1_000, 777)
    assert len(places) == display.MOST_MOMENTS
    assert {0, 777, 999} <= set(places)
    assert max(np.diff(places)) <= 13


def test_the_figure_grows_from_the_callback_while_the_model_trains(monkeypatch):
    monkeypatch.setattr(display, "PAUSE", 0)
    monkeypatch.setattr(display, "SHARE", 1e9)
    watch, seen = aw.Watch(X[:6]), []
    panel = watch.widget
    assert "model.fit" in panel.figure.layout.annotations[0].text
    look = Called("on_epoch_end", lambda: seen.append(panel.figure.data[0].z.shape))
    model = network()
    model.fit(X, Y, batch_size=8, epochs=3, verbose=0, callbacks=[watch, look])
    assert seen == [(4, 2), (4, 3), (4, 4)]
    assert watch.widget is panel
    panel.close()


def test_where_drawing_takes_long_it_is_done_less_often_but_at_the_end(monkeypatch):
    monkeypatch.setattr(display, "PAUSE", 1e9)
    watch = aw.Watch(X[:6], every=1)
    panel, drawn = watch.widget, []
    monkeypatch.setattr(type(panel), "draw", lambda _self: drawn.append(len(watch.history)))
    fitted(watch)
    assert drawn == [10]
    panel.close()


def test_the_slider_and_clicks_choose_the_moment_and_the_layer(watch):
    panel = watch.widget
    panel._moment.value = 2
    assert panel.chosen.step == 6
    panel._clicked([3.0, 1.0, 3.0, 0.5])
    assert (panel.chosen.layer, panel.chosen.step, panel._moment.value) == ("out", 3, 1)
    panel._clicked([-1.0, 3.0])
    assert (panel.chosen.layer, panel.chosen.step) == ("out", 9)
    panel._clicked([-2.0, 1.0])  # a channel
    assert panel.chosen.step == 9
    panel._layer.value, panel._quantity.value, panel._form.value = "conv", "update", "ridge"
    assert panel.chosen == Chosen("conv", "update", "ridge", 9)


def test_a_watch_from_a_file_is_shown_as_the_one_that_was_saved(watch, tmp_path):
    watch.save(tmp_path / "run.npz")
    loaded = aw.load_watch(tmp_path / "run.npz")
    watch.widget.choose(layer="conv", step=3, quantity="zeros", form="heatmap")
    loaded.widget.choose(layer="conv", step=3)
    assert loaded.widget._plot._spec == watch.widget._plot._spec
    assert loaded.widget._plot._images == watch.widget._plot._images
    loaded.widget.close()


def test_a_panel_that_is_closed_leaves_no_widget_open():
    before = set(open_widgets)
    other = aw.Watch(X[:6])
    other.widget.draw()
    assert set(open_widgets) != before
    other.widget.close()
    assert set(open_widgets) == before


def test_a_cell_shows_the_widget_and_a_snapshot_of_the_finished_training(monkeypatch):
    shown = []
    monkeypatch.setattr("actwidget.widgets.training.publish", lambda data: shown.append(set(data)))
    monkeypatch.setattr("actwidget.widgets.stored.still.publish", lambda data, **how: shown.append((set(data), how)))
    watch = aw.Watch(X[:6])
    watch._ipython_display_()
    widget, (place, how) = shown
    assert widget == {"application/vnd.jupyter.widget-view+json", "text/plain"}
    assert place == {"text/html"}
    fitted(watch)
    assert shown[2:] == [({"image/png", "text/html"}, {**how, "update": True})]  # in place of what was there
    del shown[:]
    watch._ipython_display_()  # a second cell, after the training
    assert [each[0] for each in shown[1:]] == [{"text/html"}, {"image/png", "text/html"}]
    assert repr(watch) == "Watch(4 records, step 9)"
    watch.widget.close()
