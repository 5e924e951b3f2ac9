"""What an explorer has in marimo beyond what it has in Jupyter; tests/browser/test_marimo.py shows it there."""

from __future__ import annotations

from actwidget.explorer.registry import views
from actwidget.explorer.selection import FIELDS
from actwidget.widgets.assets import asset
from tests.widgets import small

WITHOUT_SCAN = [name for name, view in views().items() if not view.needs_scan]


def widgets_in(widget):
    """A widget and all that is in it."""
    return [widget, *(each for child in getattr(widget, "children", ()) for each in widgets_in(child))]


def test_the_script_for_marimo_draws_every_kind_of_widget_that_an_explorer_consists_of():
    explorer = small.explorer()
    explorer._screen.make_all()
    kinds = {widget._view_name for made in [explorer, *explorer._screen._parts._made] for widget in widgets_in(made)}
    assert {"AnyView", "ButtonView", "HTMLView", "IntSliderView", "TextView"} < kinds
    script = asset("composite.js")
    assert [kind for kind in kinds - {"AnyView"} if f"{kind}:" not in script] == []
    explorer.close()


def test_what_is_made_in_advance_is_what_a_view_takes_when_it_needs_it():
    explorer = small.explorer()
    explorer._screen.make_all()
    count = len(explorer._screen._parts._made)
    for name in WITHOUT_SCAN:
        explorer.show = name
    assert len(explorer._screen._parts._made) == count
    explorer.show, explorer.compare = "comparison", 1
    assert explorer._screen.controls.widget("compare").value == 1
    explorer.close()


def test_outside_of_marimo_an_explorer_does_not_hold_what_only_marimo_needs():
    explorer = small.explorer()
    assert not {"_esm", "_css", *FIELDS} & set(explorer.get_state())
    explorer.close()
