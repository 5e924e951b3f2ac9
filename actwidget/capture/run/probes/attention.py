"""What attention layers compute on the way: the scores, given when asked for by an argument."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import keras

from actwidget.capture.run.probes.probe import Probe, ProbedCall
from actwidget.capture.structure.call_names import SCORES
from actwidget.capture.structure.calls import Intermediate, Intermediates, Output
from actwidget.keras_internals.layers import flat_layers
from actwidget.keras_internals.variables import seed_states

SCORES_KIND = "AttentionScores"


class AttentionProbe(Probe):
    """Asks an attention layer for its scores by a call of its own, so that the model's own way is not changed."""

    def covers(self, path: str) -> bool:
        """Only the scores: the query, key and value of a MultiHeadAttention are calls of its own."""
        return path == SCORES

    def changed_by_a_call(self, layer: Any) -> list[Any]:
        """The states of the seeds, so that dropout drops the same once more."""
        return seed_states(flat_layers(layer))

    def declared(self, _layer: Any) -> Intermediates:
        """The scores, of a shape that only a call tells."""
        return Intermediates({SCORES: Intermediate(SCORES_KIND)})

    def expected(self, call: ProbedCall) -> Intermediates:
        """The scores: their shape is only known from a call."""
        return self.computed(call, ())

    def computed(self, call: ProbedCall, _wanted: Collection[str] | None) -> Intermediates:
        """The scores, shape `(samples, heads, targets, sources)`, or without heads `(samples, targets, sources)`."""
        result = None if call.repeat is None else call.repeat(return_attention_scores=True)
        scores = result[1] if isinstance(result, (tuple, list)) and len(result) > 1 else None
        if not keras.ops.is_tensor(scores):
            return Intermediates()
        return Intermediates({SCORES: Intermediate(SCORES_KIND, Output.of(scores))}, tensors={SCORES: scores})

    def no_edit(self, layer: str) -> str:
        """Nothing takes the scores from where they are given."""
        return (
            "attention scores are asked for by a call of their own, and nothing in the model takes them from there. "
            f"Put the change behind {layer!r}, the attention layer itself, or behind a layer inside it, as the query, "
            "key or value of a MultiHeadAttention"
        )
