"""An explorer in marimo, run as a script; tests/browser/test_marimo.py shows one there in a browser."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
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
