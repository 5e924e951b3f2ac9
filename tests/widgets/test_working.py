"""Work of a view that takes a while, on screen: begun by a button, followed, stopped, dropped when it is of no use."""

from __future__ import annotations

import asyncio
import time

import ipywidgets
import keras
import numpy as np
import pytest
from keras import layers

import actwidget as aw
from actwidget.errors import OptionError
from actwidget.explorer.controls import Button, Choice
from actwidget.explorer.drawing import Drawing
from actwidget.explorer.registry import View, register, unregister
from actwidget.explorer.work import MOST_RESULTS, Progress, Results, Work

TO = Choice("count_to", "count to", "how far", {"3": "three", "5": "five", "never": "an error"})
GO = Button("count", "Count", "Counts up")


@pytest.fixture
def counting():
    """A view that counts in steps; `is_wanted` says whether it begins by itself."""

    @register
    class Counting(View):
        name = "counting"
        label = "counting"
        question = "How far?"
        controls = (TO, GO)
        is_wanted = False
        ended = 0

        def key(self, data, selection):
            return ("counting", data.path, selection.option(TO))

        def work(self, data, selection):
            key, to = self.key(data, selection), selection.option(TO)
            total = 1 if to == "never" else int(to)
            done = data.sources.results.get(key, 0)

            def start():
                try:
                    for count in range(done + 1, total + 1):
                        if to == "never":
                            message = "Expected a number to count to, got 'never'."
                            raise OptionError(message)
                        data.sources.results.put(key, count)
                        yield Progress(count, total)
                finally:
                    Counting.ended += 1

            return None if done == total else Work(key, "numbers", start, is_wanted=Counting.is_wanted)

        def draw(self, data, selection):
            count = data.sources.results.get(self.key(data, selection), 0)
            return Drawing.of({"data": [], "layout": {"title": {"text": f"{count}"}}}, alt=f"counted to {count}")

    yield Counting
    unregister("counting")


@pytest.fixture
def explorer():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, name="one"), layers.Dense(2, name="two")], name="m")
    with_inputs = aw.LayerExplorer(model, np.ones((2, 3), "float32"))
    yield with_inputs
    with_inputs.close()


def button(explorer):
    return next(each for each in explorer._screen.controls.box.children if isinstance(each, ipywidgets.Button))


def alt(explorer):
    return explorer._screen.plot.alt


@pytest.mark.usefixtures("counting")
def test_nothing_is_computed_until_the_button_is_pressed(explorer):
    explorer.show = "counting"
    assert (alt(explorer), button(explorer).description, button(explorer).disabled) == ("counted to 0", "Count", False)
    button(explorer).click()
    assert (alt(explorer), button(explorer).disabled) == ("counted to 3", True)
    assert "options" not in explorer.state() or "count" not in explorer.state()["options"]


def test_in_code_run_does_what_the_button_does(counting, explorer):
    explorer.show = "counting"
    explorer.run()
    assert alt(explorer) == "counted to 3"
    explorer.run()
    explorer.show = "activation"
    explorer.run()
    assert counting.ended == 1


@pytest.mark.usefixtures("counting")
def test_what_was_computed_is_kept_for_the_way_back(explorer):
    explorer.show = "counting"
    explorer.run()
    explorer.layer = "two"
    assert alt(explorer) == "counted to 0"
    explorer.layer = "one"
    assert alt(explorer) == "counted to 3"
    explorer.model.set_weights([weight + 1 for weight in explorer.model.get_weights()])
    assert explorer.activation is not None
    assert alt(explorer) == "counted to 0"


def test_work_that_is_wanted_begins_by_itself(counting, explorer):
    counting.is_wanted = True
    explorer.show = "counting"
    assert alt(explorer) == "counted to 3"


def test_an_error_is_on_screen_and_raised_by_run_and_work_does_not_begin_again_by_itself(counting, explorer):
    counting.is_wanted = True
    explorer.options = {"count_to": "never"}
    explorer.show = "counting"
    assert "Expected a number to count to" in explorer._screen.alert.value
    ended = counting.ended
    explorer._redraw()
    assert counting.ended == ended
    with pytest.raises(OptionError, match="number to count to"):
        explorer.run()
    explorer.options = {"count_to": "5"}
    assert alt(explorer) == "counted to 5"


async def until(condition):
    """Lets the event loop run until something holds."""
    limit = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < limit
        await asyncio.sleep(0)


def test_on_a_page_the_steps_leave_room_for_its_messages(counting, explorer):
    async def on_a_page():
        explorer.show = "counting"
        button(explorer).click()
        assert (alt(explorer), button(explorer).description) == ("counted to 0", "Stop")
        await until(lambda: 'value="1"' in explorer._screen.status.value)
        assert "Computing numbers" in explorer._screen.status.value
        button(explorer).click()
        assert (alt(explorer), counting.ended) == ("counted to 1", 1)
        assert (button(explorer).description, button(explorer).disabled) == ("Count", False)
        assert "<progress" not in explorer._screen.status.value
        button(explorer).click()
        await until(lambda: alt(explorer) == "counted to 3")

    asyncio.run(on_a_page())


def test_work_ends_when_another_layer_is_selected_or_the_explorer_is_closed(counting, explorer):
    async def on_a_page():
        explorer.show = "counting"
        button(explorer).click()
        await until(lambda: 'value="1"' in explorer._screen.status.value)
        explorer.layer = "two"
        assert (counting.ended, button(explorer).description) == (1, "Count")
        button(explorer).click()
        await until(lambda: 'value="1"' in explorer._screen.status.value)
        explorer.close()
        assert counting.ended == 2

    asyncio.run(on_a_page())


def test_of_many_results_the_oldest_are_dropped():
    results = Results()
    for number in range(MOST_RESULTS + 1):
        results.put(number, -number)
        assert results.get(0) == 0 or number == MOST_RESULTS
    assert (results.get(0), results.get(1, "gone")) == (0, "gone")


def test_progress_is_a_pair():
    assert Progress(1, 2) == (1, 2)
