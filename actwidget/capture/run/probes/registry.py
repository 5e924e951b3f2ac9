"""Which layers are asked for what they compute on the way, and how."""

from __future__ import annotations

from typing import Any

import keras

from actwidget.capture.run.probes.attention import AttentionProbe
from actwidget.capture.run.probes.probe import Probe
from actwidget.capture.run.probes.recurrent import RecurrentProbe
from actwidget.capture.run.probes.time_distributed import TimeDistributedProbe
from actwidget.capture.structure.call_names import has_scores

_LOOPS: dict[type, Probe] = {
    keras.layers.RNN: RecurrentProbe(),
    keras.layers.TimeDistributed: TimeDistributedProbe(),
}
_ATTENTION = AttentionProbe()


def probe_of(operation: Any) -> Probe | None:
    """How a layer is asked for what it computes on the way; `None` where nothing is known of such."""
    if has_scores(operation):
        return _ATTENTION
    return next((probe for kind, probe in _LOOPS.items() if isinstance(operation, kind)), None)
