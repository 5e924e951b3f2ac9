"""What an explorer gives to ipywidgets, which ipywidgets 7 and 8 must both know."""

from __future__ import annotations

import ipywidgets
import pytest
import traitlets

import actwidget as aw
from actwidget.widgets.components.parts import Parts
from actwidget.widgets.ipywidgets7 import view_bundle, with_tooltip
from tests.widgets.small import explorer


class OlderText(traitlets.HasTraits):
    """A control as ipywidgets 7 has them."""

    description_tooltip = traitlets.Unicode()


class NewerText(traitlets.HasTraits):
    """A control as ipywidgets 8 has them."""

    tooltip = traitlets.Unicode()
    description_tooltip = traitlets.Unicode()


@pytest.mark.parametrize("kind", [OlderText, NewerText])
def test_a_tooltip_goes_where_the_class_of_the_control_has_it(kind):
    options = {"tooltip": "what it sets", "value": 1}
    name = "tooltip" if kind is NewerText else "description_tooltip"
    assert with_tooltip(kind, options) == {name: "what it sets", "value": 1}
    assert with_tooltip(kind, {"value": 1}) == {"value": 1}
    assert options == {"tooltip": "what it sets", "value": 1}


def test_every_option_of_a_control_is_a_trait_of_its_class(monkeypatch):
    """ipywidgets 7 ignores an option that it does not have."""
    unknown = []
    made = []

    class Watched(Parts):
        def make(self, kind, /, *args, css="", **options):
            widget = super().make(kind, *args, css=css, **options)
            if kind.__module__.startswith("ipywidgets."):
                made.append(widget)
                unknown.extend((kind, name) for name in with_tooltip(kind, options) if not widget.has_trait(name))
            return widget

    monkeypatch.setattr("actwidget.widgets.screen.Parts", Watched)
    view = explorer()
    for show in view._explorer.offered_views():
        view.show = show
    assert {ipywidgets.HTML, ipywidgets.HBox, ipywidgets.Text} <= set(map(type, made))
    assert unknown == []
    tips = [widget for widget in made if isinstance(widget, ipywidgets.Text | ipywidgets.Button)]
    assert all(getattr(each, "tooltip", None) or each.description_tooltip for each in tips)


def test_the_output_that_shows_a_widget_is_that_of_ipywidgets_itself():
    view = explorer()
    tree = aw.LayerTree(view.tree)
    of_tree, _metadata = tree._repr_mimebundle_()
    assert view_bundle(tree).keys() == of_tree.keys()
    for widget in (view, tree):
        bundle = view_bundle(widget)
        assert bundle["text/plain"] == repr(widget)
        shown = bundle["application/vnd.jupyter.widget-view+json"]
        assert shown == {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
        assert ipywidgets.Widget.get_manager_state(widgets=[widget])["state"][shown["model_id"]]["model_name"]
