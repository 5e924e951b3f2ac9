"""`LayerNode`: one activation of a model, and the tree they make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from actwidget.capture.structure.paths import known_path, not_found
from actwidget.errors import short, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

Origin = Literal["functional", "composed", "tapped", "opaque"]


@dataclass(frozen=True, eq=False)
class LayerNode:
    """One activation of a model: a layer's (or operation's) output at one call.

    Iterating over a node goes through everything below it, depth first; `tree["path"]` looks a node up, and
    `print(tree)` is a table.

    Attributes:
        path: The node's address, unique in the tree: names joined with `/`, with `~k` for the k-th sibling of one name,
            `@n` for call n of a layer that is called again and `:j` for output tensor j. The root's path is `""`.
        name: The layer's own name, as Keras has it.
        class_name: The class of the layer or operation.
        call: Which call of the layer this is, from 0.
        output_shape: The shape with `None` for the batch axis and for what is not known beforehand, or `None` where the
            output is no single tensor.
        dtype: The output's dtype, such as `"float32"`.
        parameters: How many weights the layer has (a shared layer's count is on each of its calls).
        trainable: Whether training changes the layer.
        children: The nodes inside this one.
        origin: How the value is had: `"functional"` (a plain functional sub-model), `"composed"`, `"tapped"`, or
            `"opaque"` (it can't be had).
        reason: Why an opaque node is opaque, else `""`.
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
        """The tree as an indented table, the same on each run."""
        return table(self)

    def __repr__(self) -> str:
        """One line, without addresses."""
        return f"LayerNode({shown(self.path)}, {short(self.class_name)}, {self.output_shape}, {self.origin})"


def table(root: LayerNode) -> str:
    """The tree under `root` as an indented text table: path, class, output shape and parameters."""
    depth = {root.path: 0}
    rows = [(short(root.name, 120), short(root.class_name), "", f"{root.parameters:,}")]
    for node in [root, *root]:
        for child in node.children:
            depth[child.path] = depth[node.path] + 1
    for node in root:
        shape = "" if node.output_shape is None else str(node.output_shape)
        label = short(node.path.removeprefix(root.path).rsplit("/", 1)[-1], 120)
        note = f"{shape}  ({short(node.reason, 600)})" if node.reason else shape
        rows.append(("  " * depth[node.path] + label, short(node.class_name), note, f"{node.parameters:,}"))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:<{widths[2]}}  {row[3]:>12}".rstrip() for row in rows
    ]
    return "\n".join(lines)
