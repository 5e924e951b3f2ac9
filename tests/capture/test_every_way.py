"""Whatever an explorer shows can be had as an array, as a model and as code, or all three say why not."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import actwidget as aw
from actwidget.capture.run.conversion import as_array
from actwidget.capture.run.restore import unchanged
from actwidget.errors import NotCapturableError
from tests.capture import odd_models, odd_zoo, zoo

MODELS = {
    **{f"small {build.__name__}": build for build in zoo.SMALL},
    **{f"odd {build.__name__}": build for build in odd_zoo.ODD},
    **{f"odder {name}": build for name, build in odd_models.ODD.items()},
}


def in_every_way(explorer: aw.LayerExplorer) -> tuple[int, int]:
    """How many nodes can be had, with the same values in every way, and how many can't, for the same reason."""
    had = refused = 0
    for node in explorer.tree:
        explorer.layer = node.path
        value, reason = of(explorer, "activation")
        if value is None:
            assert of(explorer, "submodel") == (None, reason)
            assert explorer.code == f"# {reason}\n"
            refused += 1
            continue
        scope: dict[str, Any] = {"model": explorer.model, "x": explorer.inputs}
        with unchanged(explorer.model):  # a stateful layer begins each time at the same state
            exec(explorer.code, scope)  # noqa: S102 - the recipe is meant to be run
        with unchanged(explorer.model):
            scope["submodel"] = called(explorer.submodel, explorer)
        for way in (scope["submodel"], scope["activation"]):
            np.testing.assert_array_equal(np.asarray(as_array(way)).shape, value.shape, err_msg=node.path)
            if value.dtype.kind in "fiub":
                np.testing.assert_allclose(as_array(way), value, rtol=1e-4, atol=1e-5, err_msg=node.path)
            else:
                np.testing.assert_array_equal(as_array(way), value, err_msg=node.path)
        had += 1
    return had, refused


def of(explorer: aw.LayerExplorer, name: str) -> tuple[Any, str]:
    """What the explorer gives under a name, or `None` and why it can't be had."""
    try:
        return getattr(explorer, name), ""
    except NotCapturableError as error:
        return None, str(error)


def called(model: keras.Model, explorer: aw.LayerExplorer) -> Any:
    args, kwargs = explorer._explorer.session.graph.arguments(explorer.inputs)
    return model(*args, **kwargs, training=False)


@pytest.mark.parametrize("build", zoo.without_long(MODELS.values()), ids=MODELS)
def test_each_node_is_had_in_every_way_or_in_none(build):
    explorer = aw.LayerExplorer(*build())
    had, refused = in_every_way(explorer)
    assert had
    assert had + refused == len(list(explorer.tree))
    explorer.close()
