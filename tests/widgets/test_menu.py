"""A menu has one of its choices, and nothing else."""

from __future__ import annotations

import pytest
import traitlets

from actwidget.explorer.controls import SHARED
from actwidget.widgets.components.menu import Menu
from tests.widgets import small


def test_a_value_that_is_no_choice_is_refused_and_changes_nothing():
    menu = Menu(choices=[("a", "first"), ("b", "second")], value="a", label="letter")
    menu.value = "b"
    with pytest.raises(traitlets.TraitError, match=r"Expected one of \['a', 'b'\], got 'c'"):
        menu.value = "c"
    assert menu.value == "b"
    assert repr(menu) == "Menu('letter', value='b')"


def test_every_choice_of_the_explorer_has_its_tooltip_and_sets_its_trait():
    explorer = small.explorer()
    for name in ("sort", "scaling"):
        menu = explorer._screen.controls.widget(name)
        assert (menu.tip, menu.label) == (SHARED[name].tip, SHARED[name].label)
        for value, _text in menu.choices:
            menu.value = value
            assert getattr(explorer, name) == value
    explorer.close()
