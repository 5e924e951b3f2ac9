"""What is left of an explorer where no kernel runs: a still picture, and a file that can be browsed."""

from __future__ import annotations

import base64
import io
import json
import re

import keras
import numpy as np
import pytest
from PIL import Image

import actwidget as aw
from actwidget.errors import LayerNotFoundError, MissingPackageError
from tests.widgets.small import explorer


def contents(path):
    """What a saved page holds."""
    text = path.read_text(encoding="utf-8")
    return json.loads(re.search(r'id="actw-data">(.*?)</script>', text, re.DOTALL)[1])


def test_the_display_bundle_holds_a_still_picture_beside_the_widget():
    view = explorer()
    bundle = view._repr_mimebundle_()
    assert bundle["text/plain"] == repr(view)
    assert "application/vnd.jupyter.widget-view+json" in bundle
    still = Image.open(io.BytesIO(base64.b64decode(bundle["image/png"])))
    assert still.width == 720
    assert still.height > 150
    before = np.asarray(still.convert("RGB"))
    view.layer = "out"
    after = Image.open(io.BytesIO(base64.b64decode(view._repr_mimebundle_()["image/png"])))
    assert before.shape != np.asarray(after.convert("RGB")).shape or np.any(before != np.asarray(after.convert("RGB")))


def test_an_explorer_without_inputs_has_no_picture():
    assert "image/png" not in aw.LayerExplorer(explorer().model)._repr_mimebundle_()


def test_what_is_stored_is_bounded_and_said(tmp_path):
    view = explorer()
    assert view.to_html(tmp_path / "all.html") == ["conv", "image", "pool", "out"]
    assert view.to_html(tmp_path / "two.html", layers=["pool", "conv"]) == ["pool", "conv"]
    few = view.to_html(tmp_path / "few.html", max_bytes=20_000)
    stored = contents(tmp_path / "few.html")
    assert list(stored["layers"]) == few
    assert 0 < len(few) < 4
    owners = [stored["network"], *stored["layers"].values()]
    assert sum(len(json.dumps(view)) for owner in owners for view in owner["views"].values()) <= 20_000
    with pytest.raises(LayerNotFoundError):
        view.to_html(tmp_path / "none.html", layers=["nothing"])


def test_the_selected_layer_is_stored_as_it_is_seen(tmp_path):
    x = keras.Input((3, 6, 6, 2), name="scan")
    model = keras.Model(x, keras.layers.Rescaling(2.0, name="twice")(x))
    view = aw.LayerExplorer(model, np.arange(216.0).reshape(1, 3, 6, 6, 2), layer="twice")
    view.slice, view.channel = 2, 1
    view.to_html(tmp_path / "a.html")
    stored = {path: layer["views"]["activation"] for path, layer in contents(tmp_path / "a.html")["layers"].items()}
    assert stored["twice"]["alt"] == view._screen.plot.alt
    assert "slice 2" in stored["twice"]["spec"]
    assert "slice 1" in stored["scan"]["spec"]


def test_a_page_holds_every_view_of_a_layer_and_those_of_the_network_once(tmp_path):
    view = explorer()
    view.show = "weights"
    view.to_html(tmp_path / "a.html")
    stored = contents(tmp_path / "a.html")
    conv = stored["layers"]["conv"]
    assert next(iter(conv["views"])) == "weights"  # the page begins with what is on screen
    tabs = {tab["name"]: tab.get("reason") for tab in conv["tabs"]}
    assert {"activation", "overlay", "weights", "table"} <= {name for name, reason in tabs.items() if reason is None}
    on_demand = {"why", "what_if", "ideal_input"}  # and nobody has asked for these
    assert set(conv["views"]) == {name for name, reason in tabs.items() if reason is None} - on_demand
    assert "overview" in stored["network"]["views"]
    table = conv["views"]["table"]["table"]
    assert table["columns"][:2] == ["channel", "minimum"]
    values = np.frombuffer(base64.b64decode(table["values"]), np.float32).reshape(6, -1)
    np.testing.assert_array_equal(values[:, 0], np.arange(6))
    assert "<dt>range</dt>" in conv["views"]["activation"]["numbers"]


@pytest.mark.parametrize(
    "show", ["activation", "overlay", "every_sample", "comparison", "weights", "overview", "graph"]
)
def test_a_figure_by_itself_stands_on_white(show):
    view = explorer()
    view.show = show
    layout = view.figure.layout
    assert layout.paper_bgcolor == "white"
    assert layout.plot_bgcolor in {"white", "rgba(0,0,0,0)"}  # what is transparent shows the paper


@pytest.mark.parametrize("kind", [ValueError, RuntimeError, ImportError])
@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ('Image export using the "kaleido" engine requires the Kaleido package', r"pip install .actwidget\[image\]"),
        ("Kaleido requires Google Chrome to be installed.", "run plotly_get_chrome"),
    ],
)
def test_a_picture_file_needs_kaleido_and_says_so(tmp_path, monkeypatch, kind, said, advice):
    view = explorer()

    def without_kaleido(*_args, **_options):
        raise kind(said)

    monkeypatch.setattr("plotly.graph_objects.Figure.write_image", without_kaleido)
    with pytest.raises(MissingPackageError, match=advice):
        view.to_image(tmp_path / "view.png")
    given = []
    monkeypatch.setattr(
        "plotly.graph_objects.Figure.write_image", lambda *args, **options: given.append((args, options))
    )
    view.to_image(tmp_path / "view.svg", width=900)
    ((figure, file), options), *rest = given
    sizes = {"width": 900, "height": view.figure.layout.height, "scale": 2}
    assert (file, options, rest) == (str(tmp_path / "view.svg"), sizes, [])
    assert figure.data == view.figure.data
    facts = view._screen.inspection.content["facts"]
    drawn = " ".join(each.text for each in figure.layout.annotations)
    assert facts
    assert all(term in drawn and text in drawn for term, text, _warns in facts)
