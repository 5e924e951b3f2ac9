"""The whole network as a drawing of its layers and the tensors between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actwidget.capture.structure.paths import outers
from actwidget.explorer.controls import Paths
from actwidget.explorer.drawing import Drawing
from actwidget.explorer.network.network_graph import RESULT
from actwidget.explorer.registry import View, register
from actwidget.figures.network.graph import DrawnLayer, graph_spec
from actwidget.figures.network.graph_layout import missing_library
from actwidget.figures.parts.text import shape_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.selection import Selection

OPEN = Paths("graph_open")


@register
class Graph(View):
    """Layers as boxes and tensors as lines, from top to bottom."""

    name = "graph"
    label = "Graph"
    question = "How are the layers connected?"
    place = 70
    figure_options = (OPEN,)
    is_of_network = True

    def available(self, _data: LayerData) -> str | None:
        """Of every network, if the library that arranges it is there."""
        return missing_library()

    def layer_clicked(self, path: str, part: str, data: LayerData, selection: Selection) -> Mapping[str, Any]:
        """Selects the layer and keeps the drawing; the selected layer, clicked again, shows its channels.

        A click on the button of a box opens or closes it. A closed box is selected if the selected layer is inside it.
        """
        if part == "toggle":
            opened = _opened(data, selection)
            chosen = opened - {path} if path in opened else opened | {path}
            options = {**dict(selection.options), OPEN.name: tuple(sorted(chosen))}
            is_hidden = path not in chosen and selection.layer.startswith(f"{path}/")
            return {"options": options, **({"layer": path} if is_hidden else {})}
        if path == data.sources.graph.in_sight(selection.layer, _opened(data, selection)):
            return {"show": "activation", "layer": selection.layer}
        return {"layer": path}

    def draw(self, data: LayerData, selection: Selection) -> Drawing:
        """The network, with the selected layer marked and in sight."""
        graph, opened = data.sources.graph, _opened(data, selection)
        arrangement = graph.arranged(opened)
        layers = {key: _drawn(key, data, opened) for key in arrangement.boxes}
        marked = graph.in_sight(data.path, opened)
        count = data.whole_network.tree.layer_count
        notes = [f"{count:,} {'layer' if count == 1 else 'layers'}"]
        if graph.is_observed:
            notes.append("tensors as seen in one run with sample 0")
        if in_order := set(graph.in_order(opened)):
            notes.append("dotted: order of execution")
        if marked not in layers:
            notes.append(f"{data.path} was not called, so it is not drawn")
        title = " · ".join([data.model_name, *notes])
        figure = graph_spec(
            layers,
            arrangement,
            title=title,
            key="\n".join([data.model_name, *sorted(opened)]),
            selected=marked if marked in layers else "",
            in_order=in_order,
        )
        return Drawing.of(figure, f"{title}. {_around(marked, arrangement.lines, layers)}")


def _opened(data: LayerData, selection: Selection) -> frozenset[str]:
    """The layers whose inside is drawn: those that were chosen, and those around the selected layer."""
    graph = data.sources.graph
    chosen = selection.option(OPEN)
    wanted = {*(graph.open_at_first if chosen is None else chosen), *outers(selection.layer)}
    return frozenset(path for path in wanted if graph.inside(path) and wanted.issuperset(outers(path)))


def _drawn(key: str, data: LayerData, opened: frozenset[str]) -> DrawnLayer:
    """A box with its text."""
    nodes = data.sources.session.graph.nodes
    if key not in nodes:
        return DrawnLayer("", "output" if key.endswith(RESULT) else "input")
    node, warnings = nodes[key], data.sources.numbers.warnings(key)
    shape = shape_text(node.output_shape)
    detail = f"{node.class_name} {shape}" if shape else node.class_name
    parameters = f"{node.parameters:,} parameters" if node.parameters else "no parameters"
    return DrawnLayer(
        path=key,
        name=key.rpartition("/")[2],
        detail=detail,
        hover=(node.class_name, f"output {shape}" if shape else "several outputs", parameters, *warnings),
        has_weights=bool(node.parameters),
        warns=bool(warnings),
        inside=data.sources.graph.inside(key),
        is_open=key in opened,
    )


def _around(path: str, lines: Mapping[tuple[str, str], Any], layers: Mapping[str, DrawnLayer]) -> str:
    """Which layers give something to the selected one, and which take from it, in words."""
    before = [layers[source].path or layers[source].name for source, target in lines if target == path]
    after = [layers[target].path or layers[target].name for source, target in lines if source == path]
    return f"{path}: from {', '.join(before) or 'no other layer'}; to {', '.join(after) or 'no other layer'}"
