"""What the model answered for the kept samples of a scan, and whether it was right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.explorer.answers.kind import are_logits, kind_of_output

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actwidget.explorer.layer_data import LayerData
    from actwidget.scanning.result import Scan


@dataclass(frozen=True, eq=False)
class KeptAnswers:
    """Labels and answers by the number of the sample.

    Attributes:
        labels: The true classes, of the samples that have one.
        classes: The classes that the model predicts, of the samples for which it does.
        numbers: The number that it gives, where it gives one number that is no class.
        why_no_labels: Why there are no labels, in words; `""` if there are some.
        why_no_classes: Why there are no predicted classes.
        why_no_verdict: Why it can't be told which are right.
    """

    labels: Mapping[int, int]
    classes: Mapping[int, int]
    numbers: Mapping[int, float]
    why_no_labels: str
    why_no_classes: str
    why_no_verdict: str

    def is_wrong(self, sample: int) -> bool | None:
        """Whether the model is wrong for a sample; `None` if that is not known."""
        if self.why_no_verdict or sample not in self.labels or sample not in self.classes:
            return None
        return self.labels[sample] != self.classes[sample]


def answers_of(data: LayerData, scan: Scan) -> KeptAnswers:
    """What is known of the kept samples."""
    samples = scan.features(scan.paths[0])[0].tolist() if scan.paths else []
    labels = {sample: label for sample, label in zip(samples, scan.labels, strict=True) if label is not None}
    no_labels = "" if labels else "the scan has no labels: aw.scan(model, data, labels=labels)"
    found, units, why = _predicted(data, scan, is_labelled=bool(labels))
    classes = {sample: int(each) for sample, each in found.items()} if units else {}
    numbers = {} if units else found
    if labels and classes and (highest := max(labels.values())) >= units:
        verdict = f"labels go up to {highest:,}, and the model knows {units:,} classes"
    else:
        verdict = no_labels or why
    return KeptAnswers(labels, classes, numbers, no_labels, "" if classes else why, verdict)


def _predicted(data: LayerData, scan: Scan, *, is_labelled: bool) -> tuple[dict[int, float], int, str]:
    """The class or the number for each sample, how many classes there are (0 for numbers), and why there are none."""
    session, annotations = data.sources.session, data.sources.annotations
    graph, batch = session.graph, session.batch
    path = graph.output
    if path not in scan.paths:
        where = f", {path!r}" if path else ""
        return {}, 0, f"the scan does not have the model's output{where}: aw.scan(model, data) scans all layers"
    no_class = "the model's output is no class of the whole sample"
    if len(graph.nodes[path].output_shape or ()) > 2:
        return {}, 0, no_class
    samples, rows = scan.features(path)
    finite = np.isfinite(rows).all(axis=1)
    samples, rows = samples[finite], rows[finite]
    if not len(rows):
        return {}, 0, "the model's output is not finite"
    kind = kind_of_output(graph, path, rows[0], annotations, [] if batch is None else batch.samples)
    found: Any
    if kind == "two classes":
        found, units = rows[:, 0] > 0.5, 2
    elif kind == "classes" or (kind == "scores" and (is_labelled or are_logits(graph, path, annotations))):
        found, units = rows.argmax(axis=1), rows.shape[1]
    elif kind == "numbers" and rows.shape[1] == 1:
        found, units = rows[:, 0].astype(float), 0
    else:
        return {}, 0, no_class
    return dict(zip(samples.tolist(), found.tolist(), strict=True)), units, "" if units else no_class
