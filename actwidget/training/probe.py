"""Runs the probe batch through the model as it is, and describes each layer's output."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from actwidget.analysis.distribution import distribution
from actwidget.analysis.dtypes import is_numeric
from actwidget.analysis.statistics import statistics
from actwidget.capture.access.activations import chosen_nodes
from actwidget.capture.access.session import Session
from actwidget.capture.access.submodel import reason_against
from actwidget.capture.run.conversion import Array, as_tensors
from actwidget.capture.semantics.bounds import activation_bounds
from actwidget.capture.semantics.channel_axis import channel_axis_of
from actwidget.capture.structure.paths import outers
from actwidget.errors import InvalidInputsError
from actwidget.training.graph_pass import FixedPart, GraphPass, runs_in_steps
from actwidget.training.pictures import picture_of
from actwidget.training.records import SHARES, LayerRecord

BUDGET = 256_000_000
"""So many bytes of activations are in memory at a time, unless one layer alone takes more."""
_COMPILED_BYTES = 64_000_000
_MANY = 24


class Probe:
    """The probe batch, and the layers that are watched on it.

    Layers that come before everything that is trained give the same for the same batch. They run once, and their
    numbers are used again; before each use it is checked that none of their weights was written all the same.

    Attributes:
        session: The model's graph, and forward passes of it.
        graph: The model's graph.
        paths: The watched layers, in order of execution.
    """

    def __init__(self, model: keras.Model, inputs: Any, layers: Any, *, repeats: int = 0) -> None:
        """Reads the model's graph. A model without a functional graph runs once for this.

        Args:
            model: The model.
            inputs: The probe batch.
            layers: As for `activations`.
            repeats: How often the probe is likely to run; so often that compiling pays, it is compiled.

        Raises:
            UnsupportedModelError: `model` can't be explored.
            InvalidInputsError: `inputs` do not fit the model.
            LayerNotFoundError: A selector matches no layer, or several.
            NotCapturableError: A chosen layer can't be captured.
        """
        self.session = Session(model, inputs, budget=BUDGET)
        self.graph = self.session.graph
        if self.session.batch is None:
            message = "Expected a probe batch for aw.Watch, got None. Give one: aw.Watch(x[:32])."
            raise InvalidInputsError(message)
        self.batch = self.session.batch
        nodes = chosen_nodes(self.graph, self.batch, layers)
        for refused in (reason_against(self.graph, node.path, self.batch) for node in nodes):
            if refused is not None:
                raise refused
        self.paths = [node.path for node in nodes]
        self._compiles = repeats >= _MANY
        self._known: dict[str, LayerRecord] = {}
        self._passes: dict[tuple[str, ...], GraphPass] = {}
        # On other backends the values of weights can't be told apart while `fit` runs.
        fixed = FixedPart(self.graph) if keras.backend.backend() == "tensorflow" else None
        self._fixed = fixed if fixed is not None and fixed.is_worth_it else None

    def inputs(self) -> Any:
        """The probe batch as tensors, as the model takes it."""
        return as_tensors(self.batch.fed, self.graph.inputs)

    def numbers(self) -> dict[str, LayerRecord]:
        """The numbers of each watched layer with the model's weights as they are now.

        Raises:
            CaptureError: The forward pass failed.
        """
        if self._fixed is not None and not self._fixed.is_unwritten():
            self._fixed, self._known, self._passes = None, {}, {}
        wanted = [path for path in self.paths if path not in self._known]
        found = {path: each for path, value in self.values(wanted) if (each := self._numbers(path, value)) is not None}
        if self._fixed is not None:
            self._known |= {path: each for path, each in found.items() if self._fixed.holds(path)}
        found |= self._known
        return {path: found[path] for path in self.paths if path in found}

    def values(self, paths: Sequence[str]) -> Iterator[tuple[str, Array]]:
        """The outputs of some layers, in order of execution, with no more of them in memory than necessary.

        Raises:
            CaptureError: The forward pass failed.
        """
        if not paths:
            return
        if not runs_in_steps(self.graph, self.batch, paths):
            yield from ((path, captured.value) for path, captured in self.session.walk(paths))
            return
        key = tuple(paths)
        if key not in self._passes:
            small = self._compiles and sum(map(self.session.size, paths)) <= _COMPILED_BYTES
            self._passes[key] = GraphPass(self.graph, paths, self._fixed, compiles=small)
        yield from self._passes[key].values(self.batch)

    def _numbers(self, path: str, value: Array) -> LayerRecord | None:
        """The numbers of one layer; None for text."""
        if not is_numeric(value.dtype) or not value.size:
            return None
        graph, node = self.graph, self.graph.nodes[path]
        operation = graph.operations[path]
        samples = value if value.ndim and len(value) == self.batch.size else value[np.newaxis]
        if samples.ndim > 1:
            owners = [graph.root, *(graph.operations[each] for each in outers(path) if each in graph.operations)]
            samples = channel_axis_of(node, operation, graph.steps(path), owners).moved_last(samples)
        bounds = activation_bounds(operation, node)
        counted = statistics(samples, bounds=bounds)
        spread = distribution(samples, SHARES, upper=None if bounds is None else bounds[1])
        shown = picture_of(samples[0])
        return LayerRecord(**vars(counted), quantiles=spread.quantiles, histogram=spread.histogram, picture=shown)
