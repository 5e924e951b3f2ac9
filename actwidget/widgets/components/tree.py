"""The layer tree: the layers of a model as one flat list of rows, which `tree.js` shows as an ARIA tree."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import anywidget
import traitlets
from ipywidgets import CallbackDispatcher

from actwidget.capture.structure.node import LayerNode
from actwidget.capture.structure.paths import not_found
from actwidget.errors import OptionError, short, shown
from actwidget.figures.parts.text import shape_text
from actwidget.widgets.assets import asset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Row = dict[str, Any]

SEPARATORS = "_.- "
FEWEST = 4
"""The smallest number of layers in a prefix group."""
FEWEST_NUMBERED = 3
"""The same for a numbered prefix (`block1`) in a long list, so that every block of VGG with its pooling is a group."""
MOST = 20
"""A stage with more layers than this is grouped by its blocks instead, if these are numbered, too."""
LONG = 20
"""This many siblings no longer fit on the screen at once."""
_PARTS = re.compile(f"[{re.escape(SEPARATORS)}]")
_NUMBER = re.compile(r"_\d+$")


class Run(NamedTuple):
    """Consecutive siblings, `names[start:stop]`, whose names share a prefix."""

    prefix: str
    start: int
    stop: int


def prefix_runs(names: Sequence[str]) -> list[Run]:
    """Finds runs of siblings with systematic names, to be shown as groups.

    A prefix ends before a separator. Numbered prefixes (`block1`, `conv2_block1`) are preferred to others (`head`), and
    among several the outermost one is taken whose run still fits on a screen. Names that differ only in their last
    number (`dense`, `dense_1`) are numbered by Keras and form no group. A prefix of all names forms none, either.

    Args:
        names: The names of siblings, in order.

    Returns:
        Runs in order, without overlap. A name that is in no run is in no group.

    Example:
        >>> prefix_runs(["image", "block1_dw", "block1_dw_bn", "block1_project", "block1_add", "head"])
        [Run(prefix='block1', start=1, stop=5)]
    """
    runs: list[Run] = []
    position = 0
    while position < len(names):
        run = _run_at(names, position)
        if run is None:
            position += 1
        else:
            runs.append(run)
            position = run.stop
    return runs


def _run_at(names: Sequence[str], position: int) -> Run | None:
    """The run that begins at `position`, if any."""
    candidates = []
    third = names[position + FEWEST_NUMBERED - 1] if position + FEWEST_NUMBERED <= len(names) else ""
    for prefix in _prefixes(names[position]):
        if not third.startswith(prefix):
            break  # the run would be too short, and with a longer prefix even shorter
        if position and _belongs(names[position - 1], prefix):
            continue  # this is part of a run that began earlier and has been rejected
        stop = position + 1
        while stop < len(names) and _belongs(names[stop], prefix):
            stop += 1
        fewest = FEWEST_NUMBERED if _numbered(prefix) and len(names) >= LONG else FEWEST
        if fewest <= stop - position < len(names) and _of_several_kinds(names[position:stop]):
            candidates.append(Run(prefix, position, stop))
    numbered = [run for run in candidates if _numbered(run.prefix)]
    fitting = [run for run in [*numbered, *candidates] if run.stop - run.start <= MOST]
    chosen = next(iter(fitting), numbered[-1] if numbered else None)
    if chosen is None:
        return None
    members = names[chosen.start : chosen.stop]
    common = [
        prefix
        for prefix in _prefixes(members[0])
        if _numbered(prefix) >= _numbered(chosen.prefix) and all(_belongs(member, prefix) for member in members)
    ]
    return chosen._replace(prefix=common[-1])


def _prefixes(name: str) -> list[str]:
    """The prefixes by which `name` can be grouped, shortest first; the last is the name itself.

    The name itself is one, since `block1_dw` is a prefix of its neighbour `block1_dw_bn`.
    """
    ends = [separator.start() for separator in _PARTS.finditer(name, 1)]
    return [*(name[:end] for end in ends if not name[end + 1 :].isdigit()), name]


def _belongs(name: str, prefix: str) -> bool:
    if not name.startswith(prefix):
        return False
    rest = name[len(prefix) :]
    return not rest or (rest[0] in SEPARATORS and not rest[1:].isdigit())


def _of_several_kinds(names: Sequence[str]) -> bool:
    """Whether the names differ in more than a number at the end."""
    first = _NUMBER.sub("", names[0])
    return any(_NUMBER.sub("", name) != first for name in names)


@lru_cache(1024)  # most layers of a model share a few prefixes
def _numbered(prefix: str) -> bool:
    """Whether the last part of a prefix contains a digit: `block1`, `block1a`, `block_1`, but not `block1_se`."""
    return any(map(str.isdigit, _PARTS.split(prefix)[-1]))


def grouped_rows(tree: LayerNode) -> list[Row]:
    """The rows of the tree: every node but the root in order, with a row for each prefix group before its members.

    Args:
        tree: The root of the layers.

    Returns:
        Small dicts. All have `name`, `shape`, `level` (from 1) and `parent` (the index of the parent's row, -1 for
        none). A layer's row also has `path` and `class`, and `reason` if its activation can't be captured; a group's
        row has `group` (a unique key) and `count`.
    """
    rows: list[Row] = []
    seen: dict[str, int] = {}
    _add_rows(rows, seen, tree, -1)
    return rows


def _add_rows(rows: list[Row], seen: dict[str, int], parent: LayerNode, parent_index: int) -> None:
    names = [node.path.rsplit("/", 1)[-1] for node in parent.children]
    runs = {run.start: run for run in prefix_runs(names)}
    level = rows[parent_index]["level"] + 1 if parent_index >= 0 else 1
    group_index, group_stop = -1, 0
    for index, (name, node) in enumerate(zip(names, parent.children, strict=True)):
        if index in runs:
            prefix, start, stop = runs[index]
            key = f"{parent.path}/{prefix}" if parent.path else prefix
            seen[key] = seen.get(key, 0) + 1
            last_shape = shape_text(parent.children[stop - 1].output_shape)
            group_index, group_stop = len(rows), stop
            rows.append(
                {
                    "group": key if seen[key] == 1 else f"{key}~{seen[key]}",
                    "name": short(prefix),
                    "count": stop - start,
                    "shape": last_shape,
                    "level": level,
                    "parent": parent_index,
                }
            )
        in_group = index < group_stop
        row: Row = {
            "path": node.path,
            "name": short(name, 120),
            "class": short(node.class_name),
            "shape": shape_text(node.output_shape),
            "level": level + in_group,
            "parent": group_index if in_group else parent_index,
        }
        if node.origin == "opaque":
            row["reason"] = short(node.reason, 600) or "its value can't be had"
        rows.append(row)
        _add_rows(rows, seen, node, len(rows) - 1)


def packed_rows(rows: Sequence[Row]) -> dict[str, list[Any]]:
    """The rows in the compact form that is sent to the page, from which `unpackRows` in `tree/rows.js` restores them.

    Args:
        rows: As `grouped_rows` returns them.

    Returns:
        `words`, the distinct classes and shapes, and `cells`, one flat list with five values per row: its name, the
        index of its class in `words` (-1 for a group), the index of its shape, how many rows above its parent is (0 for
        none), and a dict of the entries that do not follow from these, or 0 if there are none.

    Example:
        >>> packed_rows([{"path": "a", "name": "a", "class": "Dense", "shape": "8", "level": 1, "parent": -1}])
        {'words': ['Dense', '8'], 'cells': ['a', 0, 1, 0, 0]}
    """
    words: dict[str, int] = {}
    cells: list[Any] = []
    folders: list[str] = []  # for each row, the path with a `/` that its children's names are appended to
    for index, row in enumerate(rows):
        folder = folders[row["parent"]] if row["parent"] >= 0 else ""
        kind = "path" if "path" in row else "group"
        rest = {name: row[name] for name in (kind,) if row[name] != folder + row["name"]}
        rest |= {name: row[name] for name in ("reason",) if name in row}
        folders.append(f"{row['path']}/" if "path" in row else folder)
        numbers = [words.setdefault(row[name], len(words)) if name in row else -1 for name in ("class", "shape")]
        cells += [row["name"], *numbers, index - row["parent"] if row["parent"] >= 0 else 0, rest or 0]
    return {"words": list(words), "cells": cells}


class _Path(traitlets.Unicode):  # type: ignore[type-arg]  # a class takes no types before traitlets 5.8
    """A trait for the path of a layer in the tree, or `""`."""

    def validate(self, obj: Any, value: Any) -> str:
        path: str = super().validate(obj, value)
        if path and path not in set(obj.paths()):
            raise not_found(path, obj.model_name, obj.paths())
        return path


class LayerTree(anywidget.AnyWidget):
    """An accessible tree of a model's layers, of which one can be selected.

    Args:
        tree: The root of the layer tree; it has no row of its own.
        selected: The path of the layer that is selected at first; `""` for none.
        grouped: Whether consecutive layers with systematic names are shown under their common prefix.
        label: The accessible name of the tree.
        **kwargs: What `anywidget.AnyWidget` takes.

    Example:
        >>> import keras
        >>> from actwidget import layer_tree
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="hidden")])
        >>> tree = LayerTree(layer_tree(model))
        >>> tree.selected = "hidden"
        >>> tree
        LayerTree(2 layers, selected='hidden')
    """

    _esm = asset("tree.js")
    _css = asset("tree.css")

    rows = traitlets.List(traitlets.Dict()).tag(sync=True, to_json=lambda rows, _widget: packed_rows(rows))
    """The rows of the tree; see `grouped_rows`."""
    selected = _Path("").tag(sync=True)
    """The path of the selected layer, set by a click, a key, or from code. If it is set from code, the tree unfolds and
    scrolls to the layer."""
    grouped = traitlets.Bool(default_value=True).tag(sync=True)
    """Whether prefix groups are shown. Paths don't depend on it."""
    label = traitlets.Unicode("Layers").tag(sync=True)
    """The accessible name of the tree."""
    marks = traitlets.Dict().tag(sync=True)
    """From the path of each layer with a warning to the warning in words."""
    model_name: str
    """The name of the model, for error messages."""
    model_tree: LayerNode
    """The root of the layers."""

    def __init__(
        self, tree: LayerNode, *, selected: str = "", grouped: bool = True, label: str = "Layers", **kwargs: Any
    ) -> None:
        if not isinstance(tree, LayerNode):
            message = f"Expected a tree as actwidget.layer_tree(model) gives it, got {type(tree).__name__}."
            raise OptionError(message)
        self.model_name = short(tree.name)
        self.model_tree = tree
        self._chosen_again = CallbackDispatcher()
        super().__init__(rows=grouped_rows(tree), selected=selected, grouped=grouped, label=label, **kwargs)
        self.on_msg(self._answer)

    def show(self, tree: LayerNode, selected: str = "") -> None:
        """Shows another tree of the same model.

        Args:
            tree: Its root.
            selected: The path of the layer that is selected.
        """
        self.model_tree = tree
        rows = grouped_rows(tree)
        if rows != self.rows:
            with self.hold_sync():
                self.rows = rows
                self.selected = selected

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Takes what the page sends, apart from the selection of a layer that is no longer in the tree.

        Args:
            sync_data: From the name of each trait to its value.
        """
        if sync_data.get("selected", "") not in {"", *self.paths()}:
            sync_data = {name: value for name, value in sync_data.items() if name != "selected"}
            self.send_state("selected")
        super().set_state(sync_data)

    def on_again(self, callback: Callable[[], None], *, remove: bool = False) -> None:
        """Registers a function that is called when the selected layer is chosen again, by a click or a key.

        Args:
            callback: A function without arguments.
            remove: Whether to unregister it instead.
        """
        self._chosen_again.register_callback(callback, remove=remove)

    def _answer(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        if content.get("kind") == "again":
            self._chosen_again()

    def paths(self) -> Iterator[str]:
        """The paths of all layers, in the order of the tree."""
        return (row["path"] for row in self.rows if "path" in row)

    def __repr__(self) -> str:
        """One line without an address, so that an executed notebook doesn't change from run to run."""
        count = sum(1 for _ in self.paths())
        return f"LayerTree({count} {'layer' if count == 1 else 'layers'}, selected={shown(self.selected)})"
