"""What runs on the pages of the site: the stored figures of a notebook."""

from __future__ import annotations

import json
from pathlib import Path

import plotly
import plotly.graph_objects as go
import pytest

from docs.collect import DOCS, PLOTLY, static
from tests.browser.lab import new_page


@pytest.fixture(autouse=True)
def no_errors() -> None:
    """There is no notebook here whose errors would count."""


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A page as the site has it, with a figure that a notebook has stored."""
    figure = go.Figure(go.Bar(y=[1, 2, 3]), layout={"title": {"text": "a </script> in a title"}, "height": 300})
    cell = {"outputs": [{"output_type": "display_data", "data": {PLOTLY: json.loads(figure.to_json())}}]}
    (output,) = static({"cells": [cell]})["cells"][0]["outputs"]
    for file in (DOCS / "_static" / "figures.js", Path(plotly.__file__).parent / "package_data" / "plotly.min.js"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    style = "<style>body { color: rgb(1, 2, 3) } body[data-theme=dark] { color: rgb(250, 251, 252) }</style>"
    script = '<script defer src="figures.js"></script>'
    page = tmp_path / "page.html"
    page.write_text(f"<!doctype html>{style}{script}<body>{output['data']['text/html']}</body>", encoding="utf-8")
    return page


def test_a_stored_figure_is_drawn_in_the_colours_of_the_page_and_again_when_they_change(stored, chromium) -> None:
    page = new_page(chromium)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(stored.as_uri())
    title = page.locator(".figure-of-plotly .gtitle")
    title.wait_for()
    assert title.text_content() == "a </script> in a title"
    assert page.locator(".figure-of-plotly .bars .point").count() == 3
    colour = "() => getComputedStyle(document.querySelector('.gtitle')).fill"
    assert page.evaluate(colour) == "rgb(1, 2, 3)"
    page.evaluate("() => { document.body.dataset.theme = 'dark'; }")
    page.wait_for_function(f"() => ({colour})() === 'rgb(250, 251, 252)'")
    assert errors == []
    page.context.close()
