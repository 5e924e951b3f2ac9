"""The offline page: one HTML file in which layers can be browsed without a kernel or a network."""

from __future__ import annotations

import base64
import json
from html import escape
from typing import TYPE_CHECKING, Any

from actwidget.widgets.assets import asset
from actwidget.widgets.components.plot import plotlyjs_gzipped

if TYPE_CHECKING:
    from collections.abc import Mapping


def html_page(title: str, rows: Mapping[str, Any], layers: Mapping[str, Mapping[str, Any]], selected: str) -> str:
    """The text of the file.

    Args:
        title: The model's name and size.
        rows: The rows of the tree, as `packed_rows` returns them.
        layers: From the path of each stored layer to a mapping with `spec`, `images`, `arrays`, `alt`, and as HTML
            `title` and `numbers`.
        selected: The path that is selected at first.
    """
    data = {"rows": rows, "layers": layers, "selected": selected, "title": title}
    return _PAGE.format(
        title=escape(title),
        style="\n".join(asset(name) for name in ("explorer.css", "tree.css", "plot.css", "page.css")),
        data=_inert(json.dumps(data, separators=(",", ":"))),
        plotly=base64.b64encode(plotlyjs_gzipped()).decode("ascii"),
        script=asset("page.js"),
    )


def _inert(text: str) -> str:
    """JSON escaped so that no name in it can end the script element that contains it."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main class="actw-explorer actw-page">
<header class="actw-top"><span class="actw-model">{title}</span></header>
<div class="actw-body">
<div class="actw-side"></div>
<div class="actw-main">
<div class="actw-title"></div>
<div class="actw-figure"></div>
<div class="actw-page-numbers"></div>
</div>
</div>
<footer class="actw-foot"><div role="status" class="actw-status"></div></footer>
</main>
<script type="application/json" id="actw-data">{data}</script>
<script type="text/plain" id="actw-plotly">{plotly}</script>
<script type="module">{script}</script>
</body>
</html>
"""
