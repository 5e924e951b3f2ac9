"""A node tells of one activation, and a tree of nodes can be gone through, asked by path, and printed."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import FrozenInstanceError

import keras
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

import actwidget as aw
from actwidget.capture.structure.node import LayerNode
from actwidget.errors import LayerNotFoundError
from tests.capture import zoo


def node(path, *children, **more):
    """A node of no model."""
    about = {"class_name": "Dense", "call": 0, "output_shape": (None, 3), "dtype": "float32", "parameters": 1234}
    return LayerNode(path, path.rpartition("/")[2], trainable=True, children=children, **{**about, **more})


TREE = node("", node("tower", node("tower/low"), node("tower/high", output_shape=None)), node("head"))


def test_any_node_is_found_below_the_root_and_below_each_node_that_it_stands_in():
    high = TREE.children[0].children[1]
    assert TREE["tower/high"] is TREE["tower"]["tower/high"] is high
    assert "tower/high" in TREE["tower"]
    assert "head" not in TREE["tower"]
    with pytest.raises(LayerNotFoundError, match="'head' not found in model 'tower'"):
        TREE["tower"]["head"]
    with pytest.raises(LayerNotFoundError, match="0 not found"):
        TREE[0]


@pytest.mark.parametrize("alias", ["tower", "tower@0", "tower:0", "tower@0:0"])
def test_a_node_is_found_in_itself_by_each_of_its_paths(alias):
    assert alias in TREE["tower"]
    assert TREE["tower"][alias] is TREE["tower"]


def test_what_is_no_text_is_in_no_tree():
    assert not any(value in TREE for value in (None, 0, TREE, ["tower"]))


def test_a_table_indents_what_is_inside_and_gives_reasons():
    told = node("spare", class_name="Own", origin="opaque", reason="was not called")
    lines = str(node("", *TREE.children, told, class_name="Functional", parameters=5_000_000)).splitlines()
    assert [len(line) - len(line.lstrip()) for line in lines[1:]] == [2, 4, 4, 2, 2]
    assert lines[0].split() == ["Functional", "5,000,000"]
    assert lines[2].split() == ["low", "Dense", "(None,", "3)", "1,234"]
    assert lines[3].split() == ["high", "Dense", "1,234"]
    assert lines[-1].split(maxsplit=5)[-1] == "(was not called)"
    assert len({len(line) for line in lines[:-1]}) == 1


def test_a_long_reason_stands_below_its_row_within_100_columns():
    reason = "is a part of a compiled function, which does not say what it computes inside " * 4
    nodes = [*TREE.children, node("spare", node("spare/inner", origin="opaque", reason=reason.strip())), node("last")]
    lines = str(node("", *nodes)).splitlines()
    place = next(index for index, line in enumerate(lines) if line.split()[0] == "inner")
    below = lines[place + 1 : -1]
    assert max(map(len, lines)) <= 100
    assert len(below) == 4
    assert all(line.startswith(" " * 8) and line[8] != " " for line in below)
    assert " ".join(line.strip() for line in below) == f"({reason.strip()})"


@settings(max_examples=40)
@given(st.recursive(st.just([]), lambda inside: st.lists(inside, max_size=3), max_leaves=6))
def test_going_through_a_tree_comes_to_what_is_inside_a_node_before_the_next_to_it(nested):
    def grown(inside, prefix):
        children = [grown(each, f"{prefix}{place}/") for place, each in enumerate(inside)]
        return node(prefix.removesuffix("/"), *children)

    tree = grown(nested, "")
    found = [each.path for each in tree]
    assert found == sorted(found, key=lambda path: [int(part) for part in path.split("/")])
    assert len(set(found)) == len(found) == str(tree).count("\n")


def test_a_node_says_what_its_layer_is():
    model, _ = zoo.convolutional()
    tree = aw.layer_tree(model)
    node = tree[model.layers[1].name]
    assert (node.class_name, node.output_shape, node.dtype) == ("Conv2D", (None, 12, 12, 4), "float32")
    assert (node.parameters, node.trainable, node.origin, node.reason) == (3 * 3 * 3 * 4 + 4, True, "functional", "")
    assert tree.path == ""
    assert tree[""] is tree
    assert tree.parameters == model.count_params()
    with pytest.raises(FrozenInstanceError):
        node.path = "other"


def test_a_frozen_layer_is_said_to_be():
    model = keras.Sequential(
        [keras.Input((3,)), layers.Dense(4, trainable=False, name="frozen"), layers.Dense(2, name="not")]
    )
    tree = aw.layer_tree(model)
    assert (tree["frozen"].trainable, tree["not"].trainable) == (False, True)


def test_iterating_goes_through_all_nodes_but_the_root_once():
    model, inputs = zoo.unet()
    tree = aw.layer_tree(model)
    found = [node.path for node in tree]
    assert len(found) == len(set(found)) == len(model.operations)
    assert "" not in found
    assert list(aw.activations(model, inputs)) == found


PRINTED = """
import keras, actwidget
x = keras.Input((8, 8, 3))
y = keras.layers.Conv2D(4, 3, name="conv")(x)
dense = keras.layers.Dense(4)
y = keras.ops.exp(dense(dense(y))) + 1.0
print(actwidget.layer_tree(keras.Model(x, keras.layers.Flatten()(y[:, 0]))))
print(repr(actwidget.layer_tree(keras.Model(x, y))["conv"]))
"""


def test_print_is_the_same_in_two_fresh_processes():
    outputs = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(
            [sys.executable, "-c", PRINTED], capture_output=True, text=True, env=environment, check=True
        )
        outputs.append(done.stdout)
    assert outputs[0] == outputs[1]
    lines = outputs[0].splitlines()
    assert lines[0].split() == ["functional", "Functional", "132"]
    assert lines[2].split() == ["conv", "Conv2D", "(None,", "6,", "6,", "4)", "112"]
    assert lines[3].startswith("  dense ")
    assert lines[4].startswith("  dense@1 ")
    assert " at 0x" not in outputs[0]
