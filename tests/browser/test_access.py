"""axe-core finds nothing to complain of in the explorer, in any of its views and themes."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from lab import SMALL, set_theme

from actwidget.explorer.registry import views

pytestmark = pytest.mark.browser
CELL = (
    SMALL
    + """
x = np.random.default_rng(0).normal(size=(3, 12, 12, 3))
scan = aw.scan(model, x, labels=[0, 1, 2], progress=False)
view = aw.LayerExplorer(model, x, layer="conv", channel=2, scan=scan)
view
"""
)


@pytest.fixture(scope="module")
def notebook(run_cell):
    return run_cell(CELL)


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
@pytest.mark.parametrize("show", views())
def test_no_violation(notebook, explorer, theme, show, record_property):
    set_theme(notebook.page, theme)
    notebook.ask(f"view.show = {show!r}")
    explorer.settle()
    found = Axe().run(notebook.page, context=".actw-explorer").response["violations"]
    record_property(f"violations, {show}, {theme}", len(found))
    assert [(each["id"], each["impact"], each["nodes"][0]["html"]) for each in found] == []
