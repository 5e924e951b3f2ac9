"""What containers hold is put back, whatever was done to them in between."""

from collections import OrderedDict, deque

import numpy as np
import pytest

from actwidget.keras_internals.contents import Contents


def changed(container):
    """The same container with other items."""
    if isinstance(container, dict):
        container.pop("a")
        container["new"] = 1
    elif isinstance(container, set):
        container.clear()
        container.add("new")
    else:
        container.pop()
        container.append("new")
    return container


@pytest.mark.parametrize(
    "container",
    [
        ["a", "b"],
        deque(["a", "b"], maxlen=2),
        {"a", "b"},
        {"a": 0, "b": 1},
        OrderedDict(a=0, b=1),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("around", [lambda it: it, lambda it: [it], lambda it: ({"inside": (1, it)},)])
def test_the_same_items_are_put_back_at_any_depth(container, around):
    before = type(container)(container)
    contents = Contents([around(container)])
    changed(container)
    assert container != before
    contents.put_back()
    assert container == before
    assert list(container) == list(before)


def test_the_order_of_a_dict_is_put_back():
    recent = OrderedDict(a=0, b=1)
    contents = Contents([recent])
    recent.move_to_end("a")
    contents.put_back()
    assert list(recent) == ["a", "b"]


def test_an_array_that_is_given_is_put_back_in_place():
    counts = np.array([1.0, np.nan])
    held = counts
    contents = Contents([counts])
    counts += 1
    contents.put_back()
    assert held is counts
    np.testing.assert_array_equal(counts, [1.0, np.nan])


def test_a_container_that_holds_itself_ends_no_stack():
    ring = ["a"]
    ring.append(ring)
    contents = Contents([ring])
    ring.append("b")
    contents.put_back()
    assert ring == ["a", ring]


def test_what_is_excepted_stays_and_the_rest_is_put_back():
    first, second = ["a"], ["a"]
    contents = Contents([first, second])
    for each in (first, second):
        each.append("new")
    contents.put_back(unless=lambda container: container is first)
    assert (first, second) == (["a", "new"], ["a"])


def test_methods_that_refuse_a_change_are_passed_by():
    class Locked(list):
        def clear(self):
            raise ValueError

        def extend(self, _items):
            raise ValueError

    locked = Locked(["a"])
    contents = Contents([locked])
    locked.append("b")
    contents.put_back()
    assert locked == ["a"]
