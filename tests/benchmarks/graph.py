"""The drawing of a very large network beside the tree of its layers, and that nothing is laid out unasked."""

from __future__ import annotations

from statistics import median
from unittest.mock import patch

import keras
from capturing import in_turn
from table import Row

import actwidget as aw
from actwidget.explorer.explorer import Explorer
from actwidget.explorer.network import network_graph


def graphs(repeats: int) -> list[Row]:
    """The graph of NASNetLarge: laid out, drawn with all layers on it, and drawn again for another layer."""
    model = keras.applications.NASNetLarge(weights=None)
    explorer = Explorer(model)
    with patch.object(network_graph, "arrange", wraps=network_graph.arrange) as counted:
        aw.LayerExplorer(model).layer = "stem_conv1"
    explorer.select(show="graph")

    def laid_out() -> network_graph.NetworkGraph:
        graph = network_graph.NetworkGraph(explorer.session)
        graph.arranged(graph.open_at_first)
        return graph

    def drawn() -> None:
        explorer.data.sources.graph.clear()
        explorer.show()

    tree, layout, whole, again = in_turn(repeats, lambda: aw.layer_tree(model), laid_out, drawn, explorer.show)
    goal = 2 * median(tree) + 500
    beside = {"base": median(tree), "base_name": "the tree"}
    return [
        Row.of(f"layer_tree of NASNetLarge, {len(laid_out().flows[''].calls):,} layers", tree, "ms"),
        Row.of("  its graph laid out", layout, "ms", goal=goal, **beside),
        Row.of("  laid out and drawn", whole, "ms", goal=goal, **beside),
        Row.of("  drawn once more", again, "ms", **beside),
        Row("  times it was laid out for an explorer that does not show it", counted.call_count, "", goal=0),
    ]
