"""`Watch`: a callback that records what a model's layers do while it trains."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras

from actwidget.errors import InvalidInputsError, MissingPackageError, OptionError, shown
from actwidget.options import at_least
from actwidget.training import faults
from actwidget.training.display import Live
from actwidget.training.gradients import gradient_norm, loss_gradients
from actwidget.training.own_batches import OwnBatches, StepCount, is_keras_fit, unpacked
from actwidget.training.probe import Probe
from actwidget.training.records import Fault, Record, numbers_in, rows_of
from actwidget.training.stored import write
from actwidget.training.thinning import Budget
from actwidget.training.weights import FiniteCheck, State, Weights, measured_weights

if TYPE_CHECKING:
    import os

    from actwidget.training.records import FaultKind, LayerRecord

HISTORY_BYTES = 256_000_000
"""A longer history is thinned evenly."""
PICTURE_BYTES = 64_000_000
"""If the pictures in a history take more, they are thinned evenly."""


class Watch(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no type hints
    """A callback that records what the layers of a model do on one batch while the model trains.

    As the last line of a cell, or by `display(watch)` before `fit`, it is a figure that grows while the model trains:
    see `widget`.

    The training is not changed: with the same seeds it gives the same weights, and the random states of NumPy, Python
    and Keras are left alone. Each training starts a new history.

    Attributes:
        history: The records, a list of `Record`: `step` (how many steps were finished; the first record is of step 0,
            before the first one), `epoch` (from 0), `layers` and `logs`. `layers[path]` has the numbers of
            `LayerExplorer.statistics` on the probe batch (`mean`, `zeros`, `dead`, `saturated`, `nan`, ...), the
            `quantiles` (1, 25, 50, 75 and 99 %), a `histogram`, `weights` with the `norm` and the `update` since the
            record before as a share of that, `gradient`, a norm, and `picture`, what the layer gave for the first
            sample. A history of more than 256 MB is thinned evenly, and so are pictures of more than 64 MB.
        fault: The first thing that was not finite (NaN or infinite), or None. It has `layer`, a path, `kind`
            (`"activation"`, `"weight"`, `"gradient"` or `"loss"`) and `step`.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="hidden"), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> watch = Watch(np.ones((2, 4)))
        >>> _ = model.fit(np.ones((8, 4)), np.ones((8, 1)), epochs=2, batch_size=4, verbose=0, callbacks=[watch])
        >>> [record.step for record in watch.history]
        [0, 2, 4]
        >>> watch.history[-1].layers["hidden"].weights.update > 0
        True
    """

    def __init__(
        self,
        x_probe: Any,
        layers: Any = None,
        *,
        every: str | int = "epoch",
        weights: bool = True,
        gradients: bool = False,
        stop_on_nan: bool = False,
        restore: bool = False,
        progress: bool = True,
    ) -> None:
        """Takes what is to be watched; the model comes from `fit`.

        Args:
            x_probe: The batch on which the layers are recorded, as the model takes it; a tuple `(x, y)` or
                `(x, y, sample_weight)` also has labels, for `gradients`. A list holds the inputs of a model with
                several.
            layers: A selector (a path, a unique name, an index into `model.layers`, or a layer), a list of them, or
                None for all.
            every: When a record is made: at the end of each `"epoch"`, or every so many steps.
            weights: Whether to record the size of the weights and of their updates.
            gradients: Whether to record the norm of the gradients of the training loss by each layer's weights, before
                clipping. Where `fit` and `train_step` are Keras's own and each call runs one step, they are those of
                the step's own batch with the weights with which the step began. Elsewhere they are those of the probe
                with its labels and the weights of the moment of the record.
            stop_on_nan: Whether training ends when a loss, a weight, a gradient or an activation is not finite. With
                this, with `gradients` and with `restore`, the weights are looked at after each step, and those before
                it are kept, so that the layer is named where it began. Otherwise the loss and the smallest weight of
                the first trained layer are looked at after each step, and all layers for each record.
            restore: Whether the weights and the optimizer are then put back to the end of the step before the fault.
                It needs `stop_on_nan=True`.
            progress: Whether a fault is said on standard error as soon as it is found.

        Raises:
            OptionError: An option has a value that it can't have.
        """
        super().__init__()
        if every != "epoch":
            if isinstance(every, str):
                message = f"Expected every as 'epoch' or a number of steps, got {shown(every)}."
                raise OptionError(message)
            at_least(1, every, "every")
        if restore and not stop_on_nan:
            message = "restore=True puts back what training was before a fault: it needs stop_on_nan=True too."
            raise OptionError(message)
        self._probe_data = x_probe if isinstance(x_probe, tuple) else (x_probe,)
        if not 1 <= len(self._probe_data) <= 3:
            message = f"Expected the probe of aw.Watch as x, (x, y) or (x, y, sample_weight), got {len(x_probe)} parts."
            raise InvalidInputsError(message)
        self._layers = layers
        self._every = every
        self._with_weights, self._with_gradients = weights, gradients
        self._stops, self._restores = stop_on_nan, restore
        self._progress = progress
        self.history: list[Record] = []
        self.fault: Fault | None = None
        self._is_loaded = False
        self._live: Live | None = None
        self._reset()

    def _reset(self) -> None:
        self._probe: Probe | None = None
        self._weights: Weights | None = None
        self._check: FiniteCheck | None = None
        self._before: State | None = None
        self._batches: OwnBatches | None = None
        self._budget = Budget(HISTORY_BYTES, PICTURE_BYTES)
        self._step = self._epoch = self._epoch_start = 0
        self._count = StepCount(None, None)

    # What Keras calls while it trains.

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002 - Keras's signature
        """Begins a new history.

        Args:
            logs: What Keras reports; it is not used.

        Raises:
            InvalidInputsError: The probe batch does not fit the model, or labels for the gradients are missing.
            UnsupportedModelError: The model can't be explored.
            LayerNotFoundError: One of the layers is not in the model.
        """
        if self._is_loaded:
            message = "This aw.Watch was loaded from a file, without its probe batch. Make a new one for training."
            raise InvalidInputsError(message)
        self._reset()
        self.history, self.fault = [], None
        model = self.model
        has_own = is_keras_fit(model)
        if self._with_gradients and not has_own and len(self._probe_data) < 2:
            message = (
                f"The gradients of model {shown(model.name)} need labels, since it does not train by Keras's own steps "
                "alone, one a call: give them with the probe, aw.Watch((x, y), gradients=True)."
            )
            raise InvalidInputsError(message)
        self._probe = Probe(model, self._probe_data[0], self._layers, repeats=self._expected())
        self._weights = Weights(self._probe.graph, self._probe.paths) if self._with_weights else None
        if has_own and (self._with_gradients or self._stops):
            self._batches = OwnBatches(model)
        self._check = FiniteCheck(self._looked_at(model))
        self._count = StepCount(model, (self.params or {}).get("steps"))

    def _expected(self) -> int:
        """How many records there will probably be."""
        params = self.params or {}
        epochs, steps = params.get("epochs") or 1, params.get("steps") or 1
        return int(epochs if self._every == "epoch" else epochs * steps // int(self._every))

    def _looked_at(self, model: Any) -> list[Any]:
        """The variables that are looked at after each step."""
        if self._keeps:
            return [*model.trainable_variables, *model.non_trainable_variables]
        trained = [layer for layer in model.layers if layer.trainable_variables]
        return [min(trained[0].trainable_variables, key=lambda each: math.prod(each.shape))] if trained else []

    @property
    def _keeps(self) -> bool:
        """Whether the state before each step is kept."""
        return self._stops or self._with_gradients

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras's signature
        """Records the state before the first step.

        Args:
            epoch: Which epoch begins, from 0.
            logs: What Keras reports; it is not used.
        """
        self._epoch, self._epoch_start = epoch, self._step
        self._begin()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras's signature
        """Keeps the state before the step, if that is needed.

        Args:
            batch: Which step of the epoch begins, from 0.
            logs: What Keras reports; it is not used.
        """
        self._begin()
        if self._keeps and self.fault is None and self._probe is not None:
            model = self.model
            self._before = State([*model.variables, *(model.optimizer.variables if self._restores else ())])

    def _begin(self) -> None:
        if not self.history and self._probe is not None:
            self._record({})

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Looks for a fault, and makes a record if it is time for one.

        Args:
            batch: Which step of the epoch has ended, from 0.
            logs: The loss and the metrics.
        """
        if self._probe is None:
            return
        last, self._step = self._step, self._epoch_start + self._count.ended(int(batch))
        told = numbers_in(logs)
        if self.fault is None:
            self._look(told)
        if self.fault is not None and self._stops:
            self._stop(last)
        elif self._every != "epoch" and self._step // int(self._every) > last // int(self._every):
            self._record(told)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras's signature
        """Makes the record of an epoch.

        Args:
            epoch: Which epoch has ended, from 0.
            logs: The loss and the metrics.
        """
        if self._probe is not None and self._every == "epoch" and self.history[-1].step != self._step:
            self._record(numbers_in(logs))

    def on_train_end(self, logs: Any = None) -> None:  # noqa: ARG002 - Keras's signature
        """Lets go of the model; the history stays.

        Args:
            logs: What Keras reports; it is not used.
        """
        if self._batches is not None:
            self._batches.close()
        step, epoch = self._step, self._epoch
        self._reset()
        self._step, self._epoch = step, epoch
        self._draw(is_last=True)

    # What is recorded.

    def _record(self, logs: dict[str, float]) -> None:
        if self._probe is None:
            return
        model = self.model  # on JAX this brings the weights of the moment into the model
        layers = self._probe.numbers()
        sizes = {} if self._weights is None else self._weights.measure()
        layers = {path: each.measured(sizes.get(path), None) for path, each in layers.items()}
        if self._with_gradients and (gradients := self._gradients(model)) is not None:
            operations = self._probe.graph.operations
            norms = {path: gradient_norm(gradients, measured_weights(operations[path])) for path in layers}
            layers = {path: each.measured(each.weights, norms[path]) for path, each in layers.items()}
        self._budget.add(self.history, Record(self._step, self._epoch, layers, logs))
        if self.fault is None:
            self._look_at_record(layers)
        self._draw()

    def _gradients(self, model: Any) -> dict[int, Any] | None:
        """The gradients that belong to a record; None where there is no batch yet."""
        if self._batches is not None:
            data = self._batches.data
            return None if data is None else loss_gradients(model, *unpacked(data), before=self._before)
        if self._probe is None or len(self._probe_data) < 2:
            return None
        labels = [None if each is None else keras.ops.convert_to_tensor(each) for each in self._probe_data[1:]]
        return loss_gradients(model, self._probe.inputs(), *labels)

    # Faults.

    def _look(self, logs: dict[str, float]) -> None:
        """Looks for a fault in the step that has just ended: cheaply first."""
        if self._probe is None or self._check is None:
            return
        is_bad = faults.has_bad_loss(logs)
        model = self.model
        if not is_bad and self._check():
            return
        graph, data = self._probe.graph, None if self._batches is None else self._batches.data
        layer: str | None
        if is_bad:
            inputs = self._probe_data[0] if data is None else unpacked(data)[0]
            if self._before is not None or faults.first_bad_weight(graph) is None:
                layer = faults.first_bad_activation(graph, inputs, self._before)
                if layer is not None:
                    self._found(layer, "activation")
                    return
            self._found(graph.output or model.name, "loss")
            return
        if data is not None and self._before is not None:
            layer = faults.first_bad_gradient(graph, *unpacked(data), before=self._before)
            if layer is not None:
                self._found(layer, "gradient")
                return
        layer = faults.first_bad_weight(graph)
        if layer is not None:
            self._found(layer, "weight")

    def _look_at_record(self, layers: Mapping[str, LayerRecord]) -> None:
        if self._probe is None:
            return
        layer = faults.first_in_record(layers)
        is_first = len(self.history) == 1  # all weights are looked at once, also those that are not recorded
        norms = (each.weights.norm for each in layers.values() if each.weights is not None)
        if layer is None and not is_first and all(map(math.isfinite, norms)):
            return
        weight = faults.first_bad_weight(self._probe.graph)
        if weight is not None:
            self._found(weight, "weight")
        elif layer is not None:
            self._found(layer, "activation")

    def _found(self, layer: str, kind: FaultKind) -> None:
        self.fault = Fault(layer, kind, self._step)
        if self._progress:
            sys.stderr.write(f"\naw.Watch: {self.fault}\n")

    def _stop(self, last: int) -> None:
        """Ends the training, and goes one step back if that was asked for."""
        self.model.stop_training = True
        if self._restores and self._before is not None:
            self._before.put_back()
            self._before = None
            self._step = last

    # What a person does with the history.

    @property
    def widget(self) -> Any:
        """The live figure as a widget, which is what a cell shows of a watch.

        It has all layers over time, the loss and the metrics, the distribution of one layer over time, and its channels
        at one moment, chosen with a slider, beside those of now. While the model trains it grows, at most four times a
        second, and less often where drawing would take more than 2 % of the time. `watch.widget.close()` frees it.
        """
        if self._live is None:
            self._live = Live(lambda: (self.history, self.fault))
        return self._live.panel

    def _draw(self, *, is_last: bool = False) -> None:
        if self._live is not None:
            self._live.grown(is_last=is_last)

    def _ipython_display_(self) -> None:
        self.widget.show()

    def _display_(self) -> Any:
        """What marimo shows."""
        return self.widget

    def __repr__(self) -> str:
        """One line that is the same on every run."""
        step = f", step {self.history[-1].step}" if self.history else ""
        return f"Watch({len(self.history)} records{step})"

    def to_frame(self) -> Any:
        """The history as a `pandas.DataFrame`, one row for each layer of each record, with the logs in each.

        Raises:
            MissingPackageError: pandas is not installed.
        """
        pandas = MissingPackageError.unless_pandas("watch.history has the same without it.")
        return pandas.DataFrame(rows_of(self.history))

    def save(self, file: str | os.PathLike[str]) -> None:
        """Writes the history and the fault to a file, which `load_watch` reads. It holds no pickle.

        Args:
            file: Where it is to be written. It is written aside and then renamed, so that it is never there in part.
        """
        write(Path(file), self.history, self.fault)

    @classmethod
    def of(cls, history: list[Record], fault: Fault | None) -> Watch:
        """A watch with a history that was made before; it can't watch another training.

        Args:
            history: The records.
            fault: What was not finite first, or None.
        """
        watch = cls(None)
        watch.history, watch.fault, watch._is_loaded = history, fault, True
        return watch
