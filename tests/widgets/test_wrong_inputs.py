"""Whatever is wrong is refused in words that say what to do, and the explorer beside it lives on."""

from __future__ import annotations

import gc

import numpy as np
import pytest
import traitlets

import actwidget as aw
from actwidget import errors
from tests.widgets.small import open_widgets
from tests.widgets.wrong_inputs import IMAGES, WRONG, Here, network

# Where Python itself, the file system or a typed trait speaks, its own error is the right one.
OTHERS = (traitlets.TraitError, TypeError, OSError)


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    model = network()
    return Here(model, aw.LayerExplorer(model, IMAGES, layer="conv"), tmp_path_factory.mktemp("written"))


def alert(explorer):
    return explorer._screen.alert.value.partition(">")[2].rpartition("<")[0]


@pytest.mark.parametrize(("act", "error", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_refused_in_words_and_the_explorer_lives(here, act, error, words, record_property):
    explorer = here.explorer
    explorer.layer = "conv"
    figure, state = explorer.figure, explorer.state()
    with pytest.raises(error) as caught:
        act(here)
    text = str(caught.value)
    assert isinstance(caught.value, (errors.ActwidgetError, *OTHERS))
    assert [word for word in words if word not in text] == [], text
    assert len(text) < 600
    assert text.isprintable()
    assert explorer.state() == state
    assert explorer.figure is figure
    explorer.layer = "pool"
    assert alert(explorer) == ""
    assert explorer.figure.layout.title.text.startswith("pool")
    record_property("wrong inputs tried", 1)


def test_sixty_or_more_wrong_inputs_are_tried():
    assert len(WRONG) >= 200


@pytest.mark.parametrize("number", [np.int8(2), np.int64(2), np.uint8(2), -1])
@pytest.mark.parametrize("name", ["channel", "sample", "compare"])
def test_whole_numbers_of_any_kind_are_taken(here, name, number):
    setattr(here.explorer, name, number)
    assert type(getattr(here.explorer, name)) is int
    setattr(here.explorer, name, 0)


def test_a_budget_may_be_written_as_a_power_of_ten():
    assert aw.LayerExplorer(network(), IMAGES, max_bytes=1e6).activation.shape == (3, 6, 6, 6)


def test_a_batch_of_nothing_but_nan_is_shown_and_said():
    explorer = aw.LayerExplorer(network(), np.full((2, 8, 8, 3), np.nan), layer="conv")
    for node in explorer.tree:
        explorer.layer = node.path
        assert alert(explorer) == ""
        if node.path in {"image", "pool", "classes"}:
            assert "NaN" in explorer._screen.numbers.value
            assert explorer.statistics.nan == explorer.activation.size
            assert "NaN" in explorer._screen.tree.marks[node.path]
    explorer.show = "overview"
    assert alert(explorer) == ""


def test_a_refused_explorer_leaves_nothing_behind():
    model = network()
    aw.LayerExplorer(model, IMAGES).close()
    gc.collect()
    before = len(open_widgets)
    for wrong in ({"sample": 9}, {"grouped": "yes"}, {"layer": "x"}, {"state": {"channel": 99}}, {"labels": [1]}):
        with pytest.raises((errors.ActwidgetError, traitlets.TraitError)):
            aw.LayerExplorer(model, IMAGES, **wrong)
    gc.collect()
    assert len(open_widgets) == before
