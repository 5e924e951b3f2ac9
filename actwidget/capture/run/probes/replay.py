"""A layer's call made once more: what the first call changed is as it was before, and afterwards as it is now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras

from actwidget.capture.run.probes.probe import Probe
from actwidget.keras_internals.attributes import restored_attributes, without_new_losses
from actwidget.keras_internals.layers import flat_layers
from actwidget.keras_internals.tensors import mask_of, set_mask


@dataclass(frozen=True)
class Before:
    """What a layer's own call changes: its seeds and states, and the masks of the tensors it is given."""

    layer: Any
    variables: list[tuple[Any, Any]]
    masks: list[tuple[Any, Any]]

    @classmethod
    def of(cls, probe: Probe, layer: Any, args: Any, kwargs: Any) -> Before:
        """Notes this just before a layer is called that will be probed afterwards."""
        given = [leaf for leaf in keras.tree.flatten((args, kwargs)) if _can_have_mask(leaf)]
        variables = [(each, each.value + 0) for each in probe.changed_by_a_call(layer)]
        return cls(layer, variables, [(leaf, mask_of(leaf)) for leaf in given])

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Runs a block in which all of this is as it was before the call; afterwards it is as it was after the call."""
        after = [variable.value + 0 for variable, _ in self.variables]
        masks = [mask_of(leaf) for leaf, _ in self.masks]
        for variable, value in self.variables:
            variable.assign(value)
        for leaf, mask in self.masks:
            set_mask(leaf, mask)
        inside = flat_layers(self.layer)
        try:
            with restored_attributes(inside, trial=True), without_new_losses(inside):
                yield
        finally:
            for (variable, _), value in zip(self.variables, after, strict=True):
                variable.assign(value)
            for (leaf, _), mask in zip(self.masks, masks, strict=True):
                set_mask(leaf, mask)


def _can_have_mask(leaf: Any) -> bool:
    return isinstance(leaf, keras.KerasTensor) or keras.ops.is_tensor(leaf)
