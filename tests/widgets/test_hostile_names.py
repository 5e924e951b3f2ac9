"""Names of models, layers, classes and tokens may be anything: they stay text, on one line, of bounded length."""

from __future__ import annotations

import ast
import json
import re
from html.parser import HTMLParser

import keras
import numpy as np
import pytest
from keras import layers

import actwidget as aw
from actwidget.errors import ActwidgetError
from tests.capture import zoo

HOSTILE = {
    "html": "<img src=x onerror=alert(1)><script>alert(1)<script>",
    "pseudo-html": '<b>bold<a href="javascript:alert(1)">link<br>%{hostile}',
    "end of script": "<\\script>--><!--]]>&lt;img&#60;",
    "colours and lines": "\x1b[31mred\x1b[0m\nsecond\r\nthird\tend",
    "nul": "before\0after\x07\x08",
    "right to left": "abc\u202egnp.exe\u2066\u200b",
    "long": "x" * 10_000,
    "long, of words": "ab <b> " * 1_500,
    "quotes": "'\"`\\' + ''.join('x')",
    "half a character": "half \ud800 and \udfff",
}
PLAIN = "harmless"
SHOWS = ("activation", "every_sample", "comparison", "table", "weights", "arithmetic", "overview", "graph")


def made(name):
    """An explorer with one name everywhere."""
    keras.utils.set_random_seed(0)
    # TensorFlow itself runs no layer whose name it can't encode.
    own = name if name.isascii() or name.encode("utf-8", "replace").decode() == name else PLAIN
    x = keras.Input((4, 4, 1), name=f"i{own}")
    y = layers.Conv2D(3, 2, name=f"c{own}")(x)
    y = layers.Reshape((9, 3), name=f"s{own}")(y)
    inner = keras.Sequential([keras.Input((9, 3)), layers.Dense(3, name=f"d{own}")], name=f"n{own}")
    y = layers.GlobalAveragePooling1D(name=f"p{own}")(inner(y))
    model = keras.Model(x, layers.Dense(2, activation="softmax", name=f"o{own}")(y), name=f"m{name}")
    return aw.LayerExplorer(model, zoo.noise(2, 4, 4, 1), class_names=[name, name], tokens=[name] * 9, labels=[0, 1])


class Tags(HTMLParser):
    """The elements of a text, each with the names of its attributes."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, *(name for name, _ in attrs)))


def states(explorer):
    """What each widget sends to the page as text, less the sources that all of a kind share."""
    for widget in [explorer, *explorer._screen._parts._made]:
        apart = {"_esm", "_css", "_values", "_images", "_arrays"}
        yield widget, {key: value for key, value in widget.get_state().items() if key not in apart}


def texts(spec, apart=()):
    """The texts in a figure that Plotly draws; `customdata` and what `pan` compares are not drawn."""
    if isinstance(spec, dict):
        for key, value in spec.items():
            if key not in {"customdata", "bdata", "source", "pan", *apart}:
                yield from texts(value, apart)
    elif isinstance(spec, list):
        for value in spec:
            yield from texts(value, apart)
    elif isinstance(spec, str):
        yield spec


def marks(drawn):
    """What Plotly takes for its markup, or fills in; a long title has more lines than a short one."""
    found = [mark for text in drawn for mark in re.findall(r"<[^>]*>?|%\{[^}]*\}?", text)]
    return [mark for mark in found if mark != "<br>"]


def views(explorer):
    for node in explorer.tree:
        for show in SHOWS:
            explorer.show, explorer.layer = show, node.path
            yield node


@pytest.fixture(params=HOSTILE)
def name(request):
    return HOSTILE[request.param]


def test_all_that_is_sent_to_the_page_is_text_of_bounded_length(name):
    explorer, plain = made(name), made(PLAIN)
    for _node, _other in zip(views(explorer), views(plain), strict=True):
        assert 'actw-alert"></div>' in explorer._screen.alert.value
        for (widget, state), (_, harmless) in zip(states(explorer), states(plain), strict=True):
            json.dumps(state, ensure_ascii=False).encode("utf-8")
            if "_model_name" in state and state["_model_name"] == "HTMLModel":
                assert Tags(state["value"]).found == Tags(harmless["value"]).found
                assert len(state["value"]) < len(harmless["value"]) + 3_000
            for key in {"alt", "label"} & state.keys():
                assert len(state[key]) <= 1_500, (widget, key)
                assert state[key].isprintable()
        ours, theirs = (json.loads(each._screen.plot._spec) for each in (explorer, plain))
        # A narrow page has texts of its own only where those of a wide one don't fit.
        assert marks(texts(ours, {"narrow"})) == marks(texts(theirs, {"narrow"}))
        drawn = list(texts(ours))
        assert set(marks(drawn)) == set(marks(texts(theirs)))
        assert max(map(len, drawn)) < 2_000, (_node.path, explorer.show, max(drawn, key=len)[:200])
    rows = explorer._screen.tree.rows
    assert max(len(row["name"]) for row in rows) <= 120
    assert all(row["name"].isprintable() for row in rows)
    assert [row["path"] for row in rows if "path" in row] == [node.path for node in explorer.tree]


def test_the_file_has_the_elements_that_it_has_with_harmless_names(name, tmp_path):
    written = []
    for one in (name, PLAIN):
        file = tmp_path / "view.html"
        explorer = made(one)
        assert len(explorer.to_html(file)) == len(list(explorer.tree))
        written.append(file.read_text(encoding="utf-8"))
    hostile, harmless = written
    assert Tags(hostile).found == Tags(harmless).found
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202e]", hostile)
    stored = [json.loads(re.search(r'id="actw-data">(.*?)</script>', text, re.DOTALL)[1]) for text in written]
    for layers_of in zip(*(each["layers"].values() for each in stored), strict=True):
        numbers = ([view["numbers"] for _name, view in sorted(layer["views"].items())] for layer in layers_of)
        ours, theirs = (
            [Tags(text).found for text in (layer["title"], *told)]
            for layer, told in zip(layers_of, numbers, strict=True)
        )
        assert ours == theirs
        assert all(len(view["alt"]) <= 1_500 for view in layers_of[0]["views"].values())


def test_what_is_printed_is_printable_and_bounded(name):
    explorer = made(name)
    bundle = explorer._repr_mimebundle_()
    json.dumps(bundle, ensure_ascii=False).encode("utf-8")
    assert bundle["text/plain"].isprintable()
    assert "image/png" in bundle
    table = str(explorer.tree).split("\n")
    assert len(table) == 1 + len(list(explorer.tree))
    values = aw.activations(explorer.model, explorer.inputs)
    printed = [
        *table,
        *repr(values).split("\n"),
        repr(explorer),
        repr(explorer._screen.tree),
        *map(repr, explorer.tree),
    ]
    assert len(repr(values).split("\n")) == 1 + len(values)
    assert [line for line in printed if not line.isprintable() or len(line) > 400] == []
    for node in explorer.tree:
        explorer.layer = node.path
        ast.parse(explorer.code)


def test_messages_with_such_names_are_one_bounded_line(name):
    explorer = made(name)
    model, x = explorer.model, explorer.inputs
    path = explorer.layer
    for wrong in (
        lambda: setattr(explorer, "layer", f"x{name}"),
        lambda: setattr(explorer, "channel", 99),
        lambda: setattr(explorer, "sort", name),
        lambda: aw.activations(model, x[:, :2]),
        lambda: aw.activations(model, {name: x}),
        lambda: aw.activations(model, x, max_bytes=1),
        lambda: aw.activations(model, x, path)[name],
        lambda: aw.edit(model, {path: name}),
        lambda: aw.edit(model, {path: aw.Ablate(99)}),
        lambda: aw.LayerExplorer(model, x, class_names=[name]),
        lambda: aw.LayerExplorer(model, x, state={name: 1}),
        lambda: aw.LayerExplorer(name, x),
        lambda: aw.compare(model, x, keras.Sequential([keras.Input((3,)), layers.Dense(2)])),
    ):
        with pytest.raises(ActwidgetError) as caught:
            wrong()
        assert len(str(caught.value)) < 800
        assert str(caught.value).isprintable()
    assert Tags(explorer._screen.alert.value).found == [("div", "role", "class")]


def test_texts_that_flow_in_a_model_stay_text(name):
    x = keras.Input((3,), dtype="string", name="texts")
    model = keras.Model(x, layers.StringLookup(vocabulary=["a", "b"], name="lookup")(x), name="reader")
    given = name.encode("utf-8", "replace").decode()
    explorer = aw.LayerExplorer(model, np.array([[given, "a", "b"]]), layer="texts")
    assert 'actw-alert"></div>' in explorer._screen.alert.value
    drawn = list(texts(json.loads(explorer._screen.plot._spec)))
    assert {re.sub(r"color:#\w+", "", mark) for mark in marks(drawn)} <= {"<b>", "</b>"}
    assert max(map(len, drawn)) < 500
    assert len(explorer._screen.plot.alt) <= 1_500
    assert explorer._screen.plot.alt.isprintable()


def test_a_layer_whose_name_no_page_can_hold_has_a_path_that_it_can():
    x = keras.Input((4,), name="x")
    model = keras.Model(x, layers.Flatten(name="b\udfff")(layers.Flatten(name="b\ud800")(x)), name="net")
    tree = aw.layer_tree(model)
    assert [node.path for node in tree] == ["x", "b?", "b?~2"]
    assert aw.LayerTree(tree, selected="b?~2").selected == "b?~2"
