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


_STYLES = ("explorer", "tree", "choices", "plot", "table", "inspection", "page")


def html_page(title: str, contents: Mapping[str, Any]) -> str:
    """The text of the file.

    Args:
        title: The model's name and size.
        contents: What `page.js` reads: `rows`, those of the tree as `packed_rows` returns them; `marks`, its warnings;
            `layers`, from the path of each stored layer to its `title` as HTML, its `tabs`, and its `views` by name;
            `network`, the same for the whole network; and what is on screen at first, `scope` and `selected`.
    """
    return _PAGE.format(
        title=escape(title),
        style="\n".join(asset(f"{name}.css") for name in _STYLES),
        data=_inert(json.dumps(contents, separators=(",", ":"))),
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
<header class="actw-top"><span class="actw-model">{title}</span><div class="actw-scope"></div></header>
<div class="actw-body">
<div class="actw-side"></div>
<div class="actw-main">
<div class="actw-title"></div>
<div class="actw-views"></div>
<div class="actw-stage">
<div class="actw-figure"></div>
<div class="actw-table-box"></div>
<div class="actw-inspector"></div>
</div>
</div>
</div>
<footer class="actw-foot"><div class="actw-layer-numbers"></div><div role="status" class="actw-status"></div></footer>
</main>
<script type="application/json" id="actw-data">{data}</script>
<script type="text/plain" id="actw-plotly">{plotly}</script>
<script type="module">{script}</script>
</body>
</html>
"""
