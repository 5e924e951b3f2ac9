"""The rows of the layer tree, the groups among them, and the widget's traits."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from itertools import pairwise
from pathlib import Path

import keras
import pytest
from IPython.core.formatters import DisplayFormatter

from actwidget.capture import LayerNode, layer_tree
from actwidget.widgets.components.tree import LayerTree, Run, grouped_rows, packed_rows, prefix_runs, shape_text


def node(path: str, *children: LayerNode, shape: tuple[int | None, ...] | None = (None, 8), **fields: str) -> LayerNode:
    return LayerNode(
        path=path,
        name=path.rsplit("/", 1)[-1],
        class_name=fields.pop("class_name", "Dense"),
        call=0,
        output_shape=shape,
        dtype="float32",
        parameters=0,
        trainable=True,
        children=children,
        **fields,
    )


def root(*children: LayerNode) -> LayerNode:
    return node("", *children, class_name="Functional", origin="")


def mbconv(block: int) -> list[str]:
    parts = ["expand", "expand_bn", "expand_relu", "dw", "dw_bn", "dw_relu", "project", "project_bn"]
    return [f"block{block}_{part}" for part in parts]


def test_rows_are_every_node_but_the_root_in_tree_order() -> None:
    tree = root(node("image"), node("encoder", node("encoder/conv"), node("encoder/inner", node("encoder/inner/a"))))
    rows = grouped_rows(tree)
    assert [row["path"] for row in rows] == [one.path for one in tree]
    assert [row["name"] for row in rows] == ["image", "encoder", "conv", "inner", "a"]
    assert [row["level"] for row in rows] == [1, 1, 2, 2, 3]
    assert [row["parent"] for row in rows] == [-1, -1, 1, 1, 3]


def test_a_row_says_class_and_shape_and_why_a_layer_is_opaque() -> None:
    lost = node("cell", shape=None, class_name="LSTMCell", origin="opaque", reason="called once a time step")
    rows = grouped_rows(root(node("conv", shape=(None, 112, None, 96), class_name="Conv2D"), lost))
    conv = {"path": "conv", "name": "conv", "class": "Conv2D", "shape": "112×?×96", "level": 1, "parent": -1}
    assert rows[0] == conv
    assert rows[1]["reason"] == "called once a time step"
    assert rows[1]["shape"] == ""


def test_a_repeated_call_is_named_by_its_call() -> None:
    rows = grouped_rows(root(node("tower@1", node("tower@1/dense"))))
    assert [row["name"] for row in rows] == ["tower@1", "dense"]


@pytest.mark.parametrize(
    ("shape", "text"),
    [((None, 224, 224, 3), "224×224×3"), ((None, None, 8), "?×8"), ((None,), "scalar"), ((), ""), (None, "")],
)
def test_shape_text_leaves_the_batch_axis_out(shape: tuple[int | None, ...] | None, text: str) -> None:
    assert shape_text(shape) == text


def test_blocks_are_grouped_and_a_stem_of_three_stays_flat() -> None:
    names = ["image", "rescale", "stem_conv", "stem_bn", "stem_relu", *mbconv(1), *mbconv(2), "block2_add", "head_conv"]
    assert prefix_runs(names) == [Run("block1", 5, 13), Run("block2", 13, 22)]


def test_a_large_stage_is_grouped_by_its_blocks() -> None:
    parts = ["1_conv", "1_bn", "1_relu", "2_conv", "2_bn", "2_relu", "3_conv", "3_bn", "add", "out"]
    blocks = [f"conv2_block{block}" for block in (1, 2, 3)]
    names = ["input", *(f"{block}_{part}" for block in blocks for part in parts)]
    assert [(run.prefix, run.stop - run.start) for run in prefix_runs(names)] == [(block, 10) for block in blocks]


@pytest.mark.parametrize(
    ("names", "prefixes"),
    [
        ([f"block_1_{part}" for part in ("expand", "expand_BN", "pad", "add")], ["block_1"]),
        ([f"expanded_conv_{part}" for part in ("dw", "dw_BN", "dw_relu", "project")], ["expanded_conv"]),
        ([f"block1a_{part}" for part in ("bn", "se_squeeze", "se_reshape", "se_reduce", "se_expand")], ["block1a"]),
        ([f"net_stage_0_block_1_{part}" for part in ("a", "b", "c", "d")], ["net_stage_0_block_1"]),
        (["dense", "dense_1", "dense_2", "dense_3", "dense_4"], []),
        (["batch_normalization_8", "batch_normalization_9", "batch_normalization_10", "batch_normalization_11"], []),
        (["layer_0", "layer_1", "layer_2", "layer_3", "layer_4"], []),
        (["", "_", "__", "a_", "_a"], []),
    ],
)
def test_prefixes_are_those_a_person_would_choose(names: list[str], prefixes: list[str]) -> None:
    assert [run.prefix for run in prefix_runs(["image", *names, "output"])] == prefixes


def test_short_numbered_blocks_are_groups_in_a_long_list_only() -> None:
    block = ["conv_dw_1", "conv_dw_1_bn", "conv_dw_1_relu"]
    others = [f"other{index}" for index in range(20)]
    assert prefix_runs(["image", *block, "output"]) == []
    assert prefix_runs([*block, *others]) == [Run("conv_dw_1", 0, 3)]


def test_a_prefix_that_all_siblings_have_makes_no_group() -> None:
    assert prefix_runs(mbconv(1)) == []


@pytest.mark.parametrize(
    ("application", "groups"),
    [("VGG16", ["block1", "block2", "block3", "block4", "block5"]), ("MobileNet", None), ("ResNet50", None)],
)
def test_groups_of_real_networks_are_few_and_of_handy_size(application: str, groups: list[str] | None) -> None:
    model = getattr(keras.applications, application)(weights=None)
    rows = grouped_rows(layer_tree(model))
    found = [row for row in rows if "group" in row]
    if groups:
        assert [row["group"] for row in found] == groups
    assert max(row["count"] for row in found) <= 12
    assert sum(row["level"] == 1 for row in rows) < 40
    # Grouping neither loses, adds nor moves a layer.
    assert [row["path"] for row in rows if "path" in row] == [one.path for one in layer_tree(model)]


def test_a_group_says_how_many_layers_and_the_last_ones_shape() -> None:
    block = [node(name, shape=(None, 7, 7, index)) for index, name in enumerate(mbconv(1))]
    rows = grouped_rows(root(node("image"), *block, node("head")))
    expected = {"group": "block1", "name": "block1", "count": 8, "shape": "7×7×7", "level": 1, "parent": -1}
    assert rows[1] == expected
    assert {(row["level"], row["parent"]) for row in rows[2:10]} == {(2, 1)}
    assert rows[10] == {"path": "head", "name": "head", "class": "Dense", "shape": "8", "level": 1, "parent": -1}


def test_two_runs_of_one_prefix_and_a_layer_of_its_name_are_told_apart() -> None:
    names = [*mbconv(1)[:4], "between", *mbconv(1)[4:]]
    inner = node("block1", *(node(f"block1/{name}") for name in [*mbconv(1), "last"]))
    rows = grouped_rows(root(inner, *(node(name) for name in names)))
    groups = [row["group"] for row in rows if "group" in row]
    assert groups == ["block1", "block1/block1", "block1~2"]


def test_groups_and_levels_below_nested_models_stay_consistent() -> None:
    inner = node("block1_net", *(node(f"block1_net/{name}") for name in [*mbconv(3), "last"]))
    rows = grouped_rows(root(node("image"), inner, *(node(name) for name in mbconv(1))))
    for index, row in enumerate(rows):
        assert row["parent"] < index
        assert row["level"] == (rows[row["parent"]]["level"] + 1 if row["parent"] >= 0 else 1)
    assert all(after["level"] <= before["level"] + 1 for before, after in pairwise(rows))
    counts = Counter(row["parent"] for row in rows)
    assert all(row["count"] == counts[index] for index, row in enumerate(rows) if "group" in row)


def test_repr_is_one_stable_line_and_what_a_notebook_stores() -> None:
    tree = LayerTree(root(*(node(name) for name in ["image", *mbconv(1)])), selected="image")
    assert repr(tree) == "LayerTree(9 layers, selected='image')"
    assert DisplayFormatter().format(tree)[0].get("text/plain", repr(tree)) == repr(tree)
    assert tree._repr_mimebundle_()[0]["text/plain"] == repr(tree)
    assert repr(LayerTree(root(node("only")))) == "LayerTree(1 layer, selected='')"


def test_selected_can_be_set_and_observed() -> None:
    tree = LayerTree(root(node("a"), node("b")), selected="a")
    seen = []
    tree.observe(lambda change: seen.append((change["old"], change["new"])), "selected")
    tree.selected = "b"
    tree.selected = "b"
    assert seen == [("a", "b")]


def test_what_the_browser_gets_is_small_text() -> None:
    tree = LayerTree(root(*(node(name) for block in range(16) for name in mbconv(block))), label="Layers of net")
    state = tree.get_state()
    assert {"rows", "selected", "grouped", "label"} <= set(state)
    assert state["label"] == "Layers of net"
    assert isinstance(LayerTree._esm, str)
    assert "export default" in state["_esm"]
    assert ".actw-tree" in state["_css"]
    assert len(str(state["rows"])) < 20_000


def test_rows_of_two_trees_are_their_own() -> None:
    first, second = LayerTree(root(node("a"))), LayerTree(root(node("b")))
    assert [list(tree.paths()) for tree in (first, second)] == [["a"], ["b"]]


def test_hostile_names_stay_text() -> None:
    name = "<img src=x onerror=alert(1)>_\u202e"
    (row,) = grouped_rows(root(node(name)))
    assert row["path"] == name
    assert row["name"] == "<img src=x onerror=alert(1)>_"
    source = LayerTree._esm
    assert not any(word in source for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write"))


def test_rows_travel_short_and_arrive_whole() -> None:
    lost = node("lost", origin="opaque", reason="called once a time step")
    inner = node("encoder", *(node(f"encoder/{name}") for name in mbconv(1)))
    twice = [node(name) for name in [*mbconv(2), "middle", *mbconv(2)]]
    rows = grouped_rows(root(node("image"), inner, lost, *twice, node("tower@1", node("tower@1/dense"))))
    assert any("~" in row.get("group", "") for row in rows)
    module = Path(__file__).parents[2] / "actwidget" / "widgets" / "frontend" / "tree" / "rows.js"
    script = f"import {{unpackRows}} from {json.dumps(module.as_uri())};"
    script += f"console.log(JSON.stringify(unpackRows({json.dumps(packed_rows(rows))})))"
    command = [shutil.which("node") or "node", "--input-type=module", "-e", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == rows
    assert len(json.dumps(packed_rows(rows))) < len(json.dumps(rows)) / 2
