"""Explorers in print: a page that Chromium makes a PDF of, and what nbconvert gives to LaTeX."""

from __future__ import annotations

import io
import re
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
from lab import SMALL, new_page, write_notebook
from nbclient import NotebookClient
from nbconvert import HTMLExporter, LatexExporter
from PIL import Image

pytestmark = pytest.mark.browser
SHOWN = "view = aw.LayerExplorer(model, np.ones((2, 12, 12, 3)), layer={!r}, show={!r}, sample=1)\nview"
# Paper of A4 without its margins, in pixels of CSS.
WIDTH, HEIGHT = 720, 1_050


@pytest.fixture
def notebook():
    """There is none; what the page logs is held all the same."""
    return SimpleNamespace(errors=[])


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """A notebook with an explorer in each of four views, and whose first explorer is changed by a later cell."""
    path = tmp_path_factory.mktemp("print") / "notebook.ipynb"
    views = [("conv", "activation"), ("out", "activation"), ("conv", "table"), ("conv", "overview")]
    write_notebook(path, SMALL, *[SHOWN.format(*view) for view in views], "view.layer = 'pool'")
    made = nbformat.read(path, 4)
    NotebookClient(made, timeout=300).execute()
    return made


def test_a_page_printed_by_chromium_has_a_picture_of_each_explorer_that_fits(chromium, executed, tmp_path):
    html, _resources = HTMLExporter().from_notebook_node(executed)
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    page = new_page(chromium, offline=True, viewport={"width": WIDTH, "height": HEIGHT})
    page.goto((tmp_path / "page.html").as_uri())
    page.emulate_media(media="print")
    stills = page.locator(".actw-still")
    stills.nth(3).wait_for()
    for still in stills.all():
        box = still.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= WIDTH
        assert box["height"] < HEIGHT
        assert still.locator("figcaption").text_content() == "Snapshot. Run this cell for the interactive explorer."
    alts = stills.locator("img").evaluate_all("(all) => all.map((image) => image.alt)")
    captions = [
        "conv · Channels · sample 1",
        "out · Channels · sample 1",
        "conv · Table · sample 1",
        "small · Overview",
    ]
    assert [alt[: len(caption)] for alt, caption in zip(alts, captions, strict=True)] == captions
    printed = page.pdf(format="A4")
    assert printed.count(b"/Subtype /Image") >= 4
    page.context.close()


def test_latex_gets_a_picture_with_its_caption_and_numbers(executed):
    text, resources = LatexExporter().from_notebook_node(executed)
    assert len(re.findall(r"\{output_[^}]*\.png\}", text)) == 4
    pictures = [Image.open(io.BytesIO(data)) for name, data in sorted(resources["outputs"].items())]
    assert [picture.width for picture in pictures] == [720] * 4
    for picture in pictures:
        dark = (np.asarray(picture.convert("L")) < 140).any(axis=1)
        caption, below = dark[6:26], dark[-45:-10]
        assert caption.any()
        assert below.any()
