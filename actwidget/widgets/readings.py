"""`_Readings`: what code can read of an explorer, besides its traits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actwidget.widgets.takes_inputs import TakesInputs

if TYPE_CHECKING:
    import keras
    import numpy as np
    import plotly.graph_objects as go

    from actwidget.analysis.statistics import Statistics
    from actwidget.analysis.summary import Summary
    from actwidget.capture.structure.node import LayerNode
    from actwidget.explorer.network.costs import LayerCost


class _Readings(TakesInputs):
    """What an explorer shows, as values."""

    layer: str  # a trait

    @property
    def tree(self) -> LayerNode:
        """The root of the layer tree, as `layer_tree(model, inputs)` returns it."""
        return self._explorer.tree

    @property
    def node(self) -> LayerNode:
        """The selected node of the tree."""
        return self._explorer.node

    @property
    def activation(self) -> np.ndarray[Any, Any] | None:
        """The selected layer's activation for all samples, shape `(samples, ...)`; `None` without inputs.

        It has the layer's dtype, except that bfloat16 is converted to float32.

        Raises:
            NotCapturableError: The layer's activation can't be captured.
            CaptureError: The forward pass failed.
        """
        self._renew()
        return self._explorer.session.value(self.layer)

    @property
    def submodel(self) -> keras.Model:
        """The `keras.Model` from the model's inputs to the selected activation, as `submodel(model, layer)` returns it.

        Raises:
            NotCapturableError: The layer's activation can't be captured.
        """
        return self._explorer.submodel

    @property
    def edited(self) -> keras.Model:
        """The model with the changes in `edits`, as `edit(model, ...)` makes it; without any the model itself."""
        return self._explorer.inspector.what_if.model(self._explorer.selection.edits)

    @property
    def statistics(self) -> Statistics | None:
        """The statistics of the selected layer over the whole batch, or the scan, and of each of its channels.

        With a scan they are over all of its samples if it has the layer and `basis` is `"scan"`.
        They are `None` without inputs, and if the values are not numbers.

        Raises:
            NotCapturableError: The layer's activation can't be captured.
            CaptureError: The forward pass failed.
        """
        self._renew()
        return self._explorer.data.statistics

    @property
    def figure(self) -> go.Figure:
        """The `plotly.graph_objects.Figure` on screen, on white; while a table is shown, that of the activation."""
        self._renew()
        return self._screen.plot.figure

    @property
    def code(self) -> str:
        """Plain Keras source code that computes the selected activation, with `model` and `x` in scope.

        `x` is a batch as the model takes it. If the given batch had to be changed to fit, a comment says that `x` is
        `explorer.inputs`.
        """
        return self._explorer.code

    @property
    def summaries(self) -> list[Summary]:
        """A summary of each layer, in order of execution: quantiles, zeros, dead channels, and warnings in words.

        They rest on the scan as far as `basis` says. Otherwise the model runs if that is needed, with no more than
        `max_bytes` of activations in memory at a time.

        Raises:
            CaptureError: The forward pass failed.
        """
        self._renew()
        return self._explorer.inspector.network.summaries()

    @property
    def costs(self) -> list[LayerCost]:
        """What each layer costs: multiply-adds, parameters, bytes, and time, measured when this is first asked for."""
        self._renew()
        return list(self._explorer.inspector.network.cost().layers.values())
