"""The site: `sphinx-build docs build/site` makes it. `collect.py` and `gallery.py` bring in what is not here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import plotly

sys.path.insert(0, str(Path(__file__).parent))
import collect
import gallery

project = "actwidget"
author = "the actwidget contributors"
project_copyright = author
version = release = collect.PROJECT["version"]

extensions = ["myst_nb", "sphinx_design"]
exclude_patterns = ["notebooks/images", "**.ipynb_checkpoints"]
myst_heading_anchors = 4  # GitHub's anchors, which links in the repository use
myst_enable_extensions = ["colon_fence"]
nb_execution_mode = "off"
nb_ipywidgets_js = {}  # a static page has no widgets, and loads nothing from another site
nb_mime_priority_overrides = [
    (builder, mime, place) for builder in ("html", "linkcheck") for place, mime in enumerate(("text/html", "image/png"))
]

html_theme = "furo"
html_title = "actwidget"
html_static_path = ["_static", str(Path(plotly.__file__).parent / "package_data" / "plotly.min.js")]
html_css_files = ["site.css"]
html_js_files = [("figures.js", {"defer": "defer"})]
html_baseurl = collect.PROJECT["urls"]["Documentation"]
html_copy_source = False
html_show_sphinx = False
html_extra_path = ["made"]
html_theme_options = {
    "top_of_page_buttons": [],
    "footer_icons": [{"name": "GitHub", "url": collect.SOURCE, "html": "The repository", "class": ""}],
}
linkcheck_anchors = False
linkcheck_ignore = [r"gallery/\w+\.html"]  # made beside the pages: tests/test_site.py looks for them


def setup(app: Any) -> None:
    """Brings in what stands elsewhere in the repository, and makes the gallery unless it is there already."""
    collect.copy_files()
    gallery.make()
    app.connect("source-read", collect.read)
