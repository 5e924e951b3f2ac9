"""PlotView without a browser: what it sends, and what it answers."""

from __future__ import annotations

import base64
import gzip
import json

import numpy as np
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from actwidget import PlotView
from actwidget.widgets.components.plot import serialize

PICTURE = "data:image/png;base64,AAAA"


def figure(title):
    return go.Figure([go.Image(source=PICTURE), go.Bar(y=[1, 2])], {"title": {"text": title}})


def test_the_spec_is_the_figure_with_its_pictures_apart():
    view = PlotView(figure("one"))
    spec = json.loads(view._spec)
    assert spec["layout"]["title"]["text"] == "one"
    assert spec["data"][0]["source"] == "actwidget:image:0"
    assert view._images == [bytes(3)]
    assert view.images == [PICTURE]
    assert PICTURE not in view._spec
    assert view.figure.data[0].source == PICTURE


def test_a_picture_that_is_no_png_stays_in_the_figure():
    view = PlotView(go.Figure(go.Image(source="data:image/webp;base64,UklG")))
    assert json.loads(view._spec)["data"][0]["source"] == "data:image/webp;base64,UklG"
    assert view._images == view.images == []


def test_a_redraw_with_the_same_picture_does_not_send_it_again(monkeypatch):
    view, sent = PlotView(figure("one")), []
    monkeypatch.setattr(type(view.comm), "kernel", "a kernel", raising=False)  # without one, ipywidgets sends nothing
    monkeypatch.setattr(view.comm, "send", lambda data, buffers: sent.append((set(data["state"]), buffers)))
    view.figure = figure("two")
    view.figure = go.Figure(go.Image(source="data:image/png;base64,BBBB"))
    assert sent == [({"_spec"}, []), ({"_spec", "_images"}, [base64.b64decode("BBBB")])]


def test_large_arrays_travel_as_bytes_and_small_ones_in_the_spec():
    large, small = np.arange(600, dtype=np.float32).reshape(20, 30), np.arange(4, dtype=np.float32)
    view = PlotView()
    view.figure = serialize({"data": [{"type": "heatmap", "z": large}, {"type": "scatter", "y": small}], "layout": {}})
    heatmap, line = json.loads(view._spec)["data"]
    assert heatmap["z"] == {"dtype": "f4", "bdata": "actwidget:array:0", "shape": "20, 30"}
    assert view._arrays == [large.tobytes()]
    assert base64.b64decode(line["y"]["bdata"]) == small.tobytes()
    np.testing.assert_array_equal(view.figure.data[0].z, large)
    view.figure = go.Figure()
    assert view._arrays == []


def test_what_the_page_sets_by_itself_is_not_sent():
    view = PlotView(go.Figure(layout={"paper_bgcolor": "white", "plot_bgcolor": "white", "height": 300}))
    assert json.loads(view._spec)["layout"] == {"height": 300}
    assert view.figure.layout.paper_bgcolor == "white"


def test_a_click_reaches_its_callbacks_until_they_are_removed():
    view, seen = PlotView(figure("one")), []
    view.on_click(seen.append)
    view._answer(view, {"kind": "click", "customdata": [3, 4]}, [])
    view.on_click(seen.append, remove=True)
    view._answer(view, {"kind": "click", "customdata": [5]}, [])
    view._answer(view, {"kind": "click", "customdata": "5"}, [])
    assert seen == [[3, 4]]


def test_plotlyjs_of_the_installed_package_is_sent_when_asked_for(monkeypatch):
    view, sent = PlotView(), []
    monkeypatch.setattr(view, "send", lambda content, buffers: sent.append((content, buffers)))
    view._answer(view, {"kind": "plotly.js"}, [])
    ((content, (packed,)),) = sent
    assert content == {"kind": "plotly.js"}
    assert gzip.decompress(packed).decode() == get_plotlyjs()
    assert len(packed) < 1_700_000


def test_the_repr_is_one_line_without_addresses():
    assert repr(PlotView(figure("one"))) == "PlotView(2 traces)"
    assert repr(PlotView()) == "PlotView(0 traces)"
