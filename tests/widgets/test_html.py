"""The row of numbers says what the marks in the tree say, and warns where they do."""

from __future__ import annotations

import re

import keras
import numpy as np
import pytest
from keras import layers

import actwidget as aw
from actwidget.analysis.diagnostics import warnings
from actwidget.analysis.statistics import statistics
from actwidget.explorer.description.facts import facts_of
from actwidget.widgets import html


def terms(text):
    """The terms of a row: what each says, and whether it is in the warning colour."""
    found = re.findall(r"<dt>(.*?)</dt><dd( class=actw-warning)?>(.*?)</dd>", text)
    return {name: (told, bool(warns)) for name, warns, told in found}


@pytest.mark.parametrize(
    ("values", "bounds", "term", "told", "mark"),
    [
        ([[3.0, 1.0, 0.0], [3.0, 2.0, 0.0]], None, "constant units", "1 of 3", "1 of 3 units constant"),
        ([[3.0, 1.0, 0.0], [3.0, 2.0, 0.0]], None, "dead units", "1 of 3", "1 of 3 units dead"),
        ([[6.0, 6.0], [6.0, 1.0]], (0.0, 6.0), "saturated at 6", "75 %", "75% of the values saturated"),
        ([[np.nan, 6.0], [6.0, 1.0]], None, "NaN or infinite", "1 NaN, 0 infinite", "1 NaN"),
    ],
)
def test_what_marks_the_tree_is_in_the_row_in_the_warning_colour(values, bounds, term, told, mark):
    numbers = statistics(np.array(values), bounds=bounds)
    assert mark in warnings(numbers, "unit")
    assert terms(html.facts(facts_of(numbers, "unit")))[term] == (told, True)


def test_a_few_saturated_or_constant_are_said_without_a_warning():
    values = np.random.default_rng(0).uniform(0, 5, (20, 9))
    values[:, 4] = 6.0
    row = terms(html.facts(facts_of(statistics(values, bounds=(0.0, 6.0)), "unit")))
    assert row["saturated at 6"] == ("11 %", False)
    assert row["constant units"] == ("1 of 9", False)
    assert "constant units" not in terms(html.facts(facts_of(statistics(values[:, :4]), "unit")))


def test_a_single_sample_of_a_healthy_relu_has_no_mark():
    model = keras.Sequential([keras.Input((12,)), layers.Dense(40, activation="relu", name="hidden")])
    x = np.random.default_rng(0).normal(size=(2, 12))
    explorer = aw.LayerExplorer(model, x[:1], layer="hidden")
    dead = explorer.statistics.dead
    assert dead > 10
    assert explorer._screen.tree.marks == {}
    assert terms(explorer._screen.numbers.value)["dead units"] == (f"{dead} of 40", False)
    explorer.show = "overview"
    assert all(row.warnings == () for row in explorer.summaries)


def test_integers_that_name_things_are_never_marked():
    tokens = keras.Input((5,), dtype="int32", name="tokens")
    y = layers.Embedding(9, 4, name="embedding")(tokens)
    model = keras.Model(tokens, keras.ops.argmax(y, axis=-1))
    x = np.array([[1, 2, 0, 0, 0], [3, 2, 0, 0, 0]])
    explorer = aw.LayerExplorer(model, x, layer="tokens")
    assert explorer._screen.tree.marks == {}
    explorer.show = "overview"
    assert explorer._screen.tree.marks == {}
    assert {row.path: row.warnings for row in explorer.summaries}["tokens"] == ()


def test_the_code_panel_says_how_the_activation_is_obtained():
    class Twice(layers.Layer):
        def __init__(self, **options):
            super().__init__(**options)
            self.inner = layers.Dense(3, name="inner")

        def call(self, x):
            return self.inner(x) * 2

    model = keras.Sequential([keras.Input((4,)), Twice(name="twice")])
    explorer = aw.LayerExplorer(model, np.ones((2, 4)), layer="twice")
    assert explorer._screen.code.note == "The explorer reads this activation with a sub-model."
    explorer.layer = "twice/inner"
    assert explorer._screen.code.note == "The explorer records this activation during a run of the model."
    assert "sub-model" not in explorer._screen.title.value
