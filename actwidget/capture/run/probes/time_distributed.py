"""What runs inside a `TimeDistributed`: all steps at once, folded into the batch, where they are treated alike."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from actwidget.capture.run.probes.probe import Observation, Probe, ProbedCall, agrees, holds
from actwidget.capture.structure.call_names import CallNames
from actwidget.capture.structure.calls import Call, Intermediate, Intermediates, Output
from actwidget.capture.structure.shapes import known_lengths
from actwidget.errors import error_text
from actwidget.keras_internals.backend import backend
from actwidget.keras_internals.layers import flat_layers, takes_mask, takes_training
from actwidget.keras_internals.tensors import set_mask
from actwidget.keras_internals.variables import recurrent_states, seed_states

NO_STEPS = "gives no value for each sample and step"


class TimeDistributedProbe(Probe):
    """Runs the wrapped layer on all steps at once and unfolds what its layers give to `(samples, steps, ...)`.

    That this is what happened step by step is checked on what the wrapped layer gives. It runs as outside of training:
    with dropout or batch statistics at work the check fails.
    """

    is_loop = True
    steps = 1

    def changed_by_a_call(self, layer: Any) -> list[Any]:
        """Seeds of layers that draw outside of training too, and states."""
        inside = flat_layers(layer)
        return [*seed_states(inside), *recurrent_states(inside)]

    def declared(self, layer: Any) -> Intermediates:
        """The wrapped layer."""
        return Intermediates(calls=[Call(layer.layer, _name(layer), 0)])

    def expected(self, call: ProbedCall) -> Intermediates:
        """The calls inside, seen in a trial on symbols."""
        fold, inputs, options = _folded(call, symbolic=True)
        seen = call.observe(call.layer.layer, (inputs,), options, ())
        return Intermediates(calls=[fold.call(_call(call.layer, seen))])

    def computed(self, call: ProbedCall, wanted: Collection[str] | None) -> Intermediates:
        """The calls inside, and their values with the steps on the second axis."""
        layer, name = call.layer, _name(call.layer)
        inside = None if wanted is None else {path.removeprefix(f"{name}/") for path in wanted}
        try:
            fold, inputs, options = _folded(call)
            seen = call.observe(layer.layer, (inputs,), options, inside)
            outputs = [fold.unfolded(leaf) for leaf in _tensors(seen.result)]
        except Exception as error:  # noqa: BLE001 - whatever a layer raises that can't take all steps at once
            return _refused(layer, f"on all steps at once {layer.layer.name!r} raised {error_text(error)}")
        unlike = (
            f"on all steps at once {layer.layer.name!r} gives other values than step by step, as do layers that mix "
            "samples or keep a state, and in training mode dropout and batch statistics"
        )
        if not holds(agrees(outputs, _tensors(call.outputs)), unlike):
            return _refused(layer, unlike)
        inside_call = fold.call(_call(layer, seen))
        tensors = dict(zip(inside_call.outputs, outputs, strict=True))
        inner = {f"{name}/{path}": tensor for path, tensor in seen.tensors.items() if fold.fits(tensor)}
        tensors |= {path: fold.unfolded(tensor) for path, tensor in inner.items()}
        refused = {f"{name}/{path}": reason for path, reason in seen.refused.items()}
        return Intermediates(calls=[inside_call], tensors=tensors, refused=refused)

    def no_edit(self, layer: str) -> str:
        """The layer goes through its steps by itself."""
        return (
            f"{layer!r} runs what it holds step by step, out of reach, and the values shown are computed beside it. "
            f"Put the change behind {layer!r} itself, or edit the model that it wraps and wrap the edited one"
        )


@dataclass(frozen=True)
class _Fold:
    """How samples and steps are put on one axis.

    Attributes:
        batch: The number of samples, `None` or a tensor where it is open.
        steps: That of steps.
        static: Both, as far as they are known beforehand.
        mask: Which steps count, shape `(samples, steps)`, where that is known.
    """

    batch: Any
    steps: Any
    static: tuple[int | None, int | None]
    mask: Any = None

    def unfolded(self, tensor: Any) -> Any:
        """A tensor, shape `(samples * steps, ...)`, as `(samples, steps, ...)`."""
        unfolded = ops.reshape(tensor, (self.batch, self.steps, *ops.shape(tensor)[1:]))
        if self.mask is not None:
            set_mask(unfolded, self.mask)
        return unfolded

    def fits(self, tensor: Any) -> bool:
        """Whether a tensor has a value for each sample and step."""
        return backend.is_dense(tensor) and self.output(Output.of(tensor)) is not None

    def output(self, output: Output) -> Output | None:
        """The shape of what is unfolded; `None` where there is no value for each sample and step."""
        shape = output.shape
        size = None if None in self.static else self.static[0] * self.static[1]  # type: ignore[operator]
        if not shape or shape[0] not in (None, size):
            return None
        return Output((*self.static, *shape[1:]), output.dtype)

    def call(self, call: Call) -> Call:
        """A call that was seen on all steps at once, and all calls inside it."""
        outputs = {name: self.output(output) for name, output in call.outputs.items()}
        fitting = {name: output for name, output in outputs.items() if output is not None}
        intermediates = call.intermediates and dataclasses.replace(
            call.intermediates,
            values={name: self.intermediate(value) for name, value in call.intermediates.values.items()},
            calls=[self.call(inner) for inner in call.intermediates.calls],
        )
        return dataclasses.replace(
            call,
            outputs=fitting if len(fitting) == len(outputs) else {},
            calls=[self.call(inner) for inner in call.calls],
            intermediates=intermediates,
            reason=call.reason or ("" if len(fitting) == len(outputs) else NO_STEPS),
        )

    def intermediate(self, value: Intermediate) -> Intermediate:
        """What a layer inside computes on the way."""
        return Intermediate(value.kind, value.output and self.output(value.output))


def _folded(call: ProbedCall, *, symbolic: bool = False) -> tuple[_Fold, Any, dict[str, Any]]:
    """How a call's steps are folded, and what the wrapped layer is called with on all of them.

    Args:
        call: The call.
        symbolic: Whether what it is called with is to be symbols, of as many samples as there may be.
    """
    inner, given = call.layer.layer, call.arguments
    inputs, mask = next(iter(given.values())), given.get("mask")
    if not isinstance(inputs, keras.KerasTensor):
        inputs = ops.convert_to_tensor(inputs)
    known_samples, known_steps, *_ = known_lengths(inputs.shape)
    batch, steps = ops.shape(inputs)[:2]

    def put_together(value: Any) -> Any:
        if symbolic:
            shape = (None, *known_lengths(value.shape[2:]))
            return keras.KerasTensor(shape, dtype=keras.backend.standardize_dtype(value.dtype))
        return ops.reshape(value, (batch * steps, *ops.shape(value)[2:]))

    options: dict[str, Any] = {}
    if takes_mask(inner) and mask is not None:
        options["mask"] = put_together(mask)
    if takes_training(inner):
        options["training"] = False
    of_steps = mask if mask is not None and not symbolic and len(mask.shape) == 2 else None
    return _Fold(batch, steps, (known_samples, known_steps), of_steps), put_together(inputs), options


def _refused(layer: Any, reason: str) -> Intermediates:
    name = _name(layer)
    reason = f"runs once a time step in {layer.name!r}, and {reason}"
    return Intermediates(calls=[Call(layer.layer, name, 0, reason=reason)], refused={name: reason})


def _tensors(value: Any) -> list[Any]:
    return [leaf for leaf in keras.tree.flatten(value) if ops.is_tensor(leaf)]


def _call(layer: Any, seen: Observation) -> Call:
    """The call of the wrapped layer on all steps at once, as it is called in the layer around it."""
    level = CallNames(layer)
    name, _ = level.call(layer.layer)
    outputs = {level.output(name, number): output for number, output in enumerate(seen.outputs)}
    return dataclasses.replace(seen.call, name=name, outputs=outputs)


def _name(layer: Any) -> str:
    """The name of the wrapped layer in the one around it."""
    return CallNames(layer).call(layer.layer)[0]
