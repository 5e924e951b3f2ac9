"""What an explorer has in marimo beyond what it has in Jupyter; tests/browser/test_marimo.py shows it there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from actwidget.explorer.registry import views
from actwidget.explorer.selection import FIELDS
from actwidget.widgets.assets import asset
from tests.widgets import small

REPOSITORY = Path(__file__).parents[2]
# A marimo notebook that is run as a script.
NOTEBOOK = """
import marimo

app = marimo.App()


@app.cell
def _():
    import json
    import marimo as mo
    from actwidget.explorer.selection import FIELDS
    from tests.widgets import small

    view = mo.ui.anywidget(small.explorer())


@app.cell
def _():
    view.layer, view.channel = "pool", 2
    chosen = {name: view.value[name] for name in FIELDS}
    print(json.dumps([chosen, view.layer, sorted(view.widget._repr_mimebundle_())]))


app.run()
"""


def widgets_in(widget):
    """A widget and all that is in it."""
    return [widget, *(each for child in getattr(widget, "children", ()) for each in widgets_in(child))]


def test_the_script_for_marimo_draws_every_kind_of_widget_that_an_explorer_consists_of():
    explorer = small.explorer()
    explorer._screen.make_all()
    kinds = {widget._view_name for made in [explorer, *explorer._screen._parts._made] for widget in widgets_in(made)}
    assert {"AnyView", "ButtonView", "DropdownView", "HTMLView", "IntSliderView", "TextView"} < kinds
    script = asset("composite.js")
    assert [kind for kind in kinds - {"AnyView"} if f"{kind}:" not in script] == []
    explorer.close()


def test_what_is_made_in_advance_is_what_a_view_takes_when_it_needs_it():
    explorer = small.explorer()
    explorer._screen.make_all()
    count = len(explorer._screen._parts._made)
    for name in views():
        explorer.show = name
    assert len(explorer._screen._parts._made) == count
    explorer.show, explorer.compare = "comparison", 1
    assert explorer._screen.controls.widget("compare").value == 1
    explorer.close()


def test_outside_of_marimo_an_explorer_does_not_hold_what_only_marimo_needs():
    explorer = small.explorer()
    assert not {"_esm", "_css", *FIELDS} & set(explorer.get_state())
    explorer.close()


def test_in_marimo_the_value_of_an_explorer_is_what_is_selected_and_no_picture_is_made_for_it(tmp_path):
    file = tmp_path / "notebook.py"
    file.write_text(NOTEBOOK)
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    run = subprocess.run([sys.executable, file], capture_output=True, text=True, check=False, env=environment)
    assert run.returncode == 0, run.stderr
    chosen, layer, types = json.loads(run.stdout)
    some = {"show": "activation", "layer": "pool", "channel": 2, "sample": 0, "compare": None}
    assert {name: chosen[name] for name in some} == some
    assert layer == "pool"
    assert types == ["application/vnd.jupyter.widget-view+json", "text/plain"]
