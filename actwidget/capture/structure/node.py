"""`LayerNode`: one activation of a model, and the tree of them."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from actwidget.capture.structure.paths import known_path, not_found
from actwidget.errors import short, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH = 100
"""Reasons in a printed tree are wrapped at this column."""

Origin = Literal["functional", "composed", "tapped", "opaque"]


@dataclass(frozen=True, eq=False)
class LayerNode:
    """One activation of a model: a layer's (or operation's) output at one call.

    Iterating over a node gives all nodes below it, depth first. `tree["path"]` looks up a node. `print(tree)` prints
    a table.

    Attributes:
        path: The node's address, unique in the tree: names joined with `/`, with `~k` for the k-th sibling with the
            same name, `@n` for call n of a layer that is called again, and `:j` for output tensor j. The root's path is
            `""`.
        name: The layer's own name in Keras.
        class_name: The class of the layer or operation.
        call: Which call of the layer this is, from 0.
        output_shape: The shape, with `None` for the batch axis and for lengths that are not known in advance; `None` if
            the output is not a single tensor.
        dtype: The output's dtype, such as `"float32"`.
        parameters: The number of parameters of the layer. Each call of a shared layer has the full number.
        trainable: Whether training changes the layer.
        children: The nodes inside this one.
        origin: How the activation is obtained: `"functional"` (by a plain functional sub-model), `"composed"` (by a
            sub-model for each nested model), `"tapped"` (recorded while the model runs), or `"opaque"` (it is not
            available).
        reason: Why the activation of an opaque node is not available, in words that follow "it"; otherwise `""`.
        layer_count: How many layers a model has: those that `model.summary(expand_nested=True)` lists, each once, and
            no operations. Cells and other layers inside a layer do not count. It is 0 for what is no model.
    """

    path: str
    name: str
    class_name: str
    call: int
    output_shape: tuple[int | None, ...] | None
    dtype: str
    parameters: int
    trainable: bool
    children: tuple[LayerNode, ...] = ()
    origin: Origin = "functional"
    reason: str = ""
    layer_count: int = 0

    def __iter__(self) -> Iterator[LayerNode]:
        """All nodes below this one, depth first, in order of execution."""
        for child in self.children:
            yield child
            yield from child

    def __getitem__(self, path: str) -> LayerNode:
        """The node at `path`.

        Raises:
            LayerNotFoundError: No node has that path; the message holds the closest ones.
        """
        if path == self.path:
            return self
        nodes: dict[str, LayerNode] = {node.path: node for node in (self, *self)}
        known = known_path(path, nodes)
        if known is None:
            raise not_found(path, self.name, nodes)
        return nodes[known]

    def __contains__(self, path: object) -> bool:
        """Whether `path` is the path of a node below this one (or of this one)."""
        return known_path(path, [node.path for node in (self, *self)]) is not None

    def __str__(self) -> str:
        """The tree as an indented table, which is the same on every run."""
        return table(self)

    def __repr__(self) -> str:
        """One line, without addresses."""
        return f"LayerNode({shown(self.path)}, {short(self.class_name)}, {self.output_shape}, {self.origin})"


def table(root: LayerNode) -> str:
    """The tree under `root` as an indented text table: path, class, output shape, parameters, and why a node is opaque.

    A reason that does not fit beside its row stands below it.
    """
    depth = {root.path: 0}
    rows = [(short(root.name, 120), short(root.class_name), "", f"{root.parameters:,}")]
    reasons = [""]
    for node in [root, *root]:
        for child in node.children:
            depth[child.path] = depth[node.path] + 1
    for node in root:
        shape = "" if node.output_shape is None else str(node.output_shape)
        label = short(node.path.removeprefix(root.path).rsplit("/", 1)[-1], 120)
        rows.append(("  " * depth[node.path] + label, short(node.class_name), shape, f"{node.parameters:,}"))
        reasons.append(f"({short(node.reason, 600)})" if node.reason else "")
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = []
    for row, reason in zip(rows, reasons, strict=True):
        line = f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:<{widths[2]}}  {row[3]:>12}"
        if len(line) + 2 + len(reason) <= WIDTH:
            lines.append(f"{line}  {reason}".rstrip())
        else:
            indent = " " * (len(row[0]) - len(row[0].lstrip()) + 4)
            lines += [line, *textwrap.wrap(reason, WIDTH, initial_indent=indent, subsequent_indent=indent)]
    return "\n".join(lines)
