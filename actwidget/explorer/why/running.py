"""Computes the answer to a question step by step, and keeps what there is so far."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from actwidget.errors import ActwidgetError
from actwidget.explain.attribution.steps import attribution_steps
from actwidget.explorer.why.question import one_sample
from actwidget.explorer.work import Progress, Work

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actwidget.explain.attribution.job import Partial
    from actwidget.explain.attribution.result import Attributions
    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.why.question import Question
    from actwidget.explorer.why.targets import Targets

ASKED = ("why", "asked")
"""The key of whether the user has asked once: from then on every choice is answered by itself."""
AT_ONCE = 4
"""How many passes one step makes: a pass of a network for pictures takes some hundredths of a second."""


@dataclass(frozen=True, eq=False)
class Finding:
    """What has been found so far.

    Attributes:
        state: The method's own state; `None` if the question has no answer.
        sample: The index of the sample in it.
        reason: Why there is no answer.
        is_complete: Whether nothing is left to compute.
    """

    state: Partial | None
    sample: int = 0
    reason: str = ""
    is_complete: bool = False

    @cached_property
    def attributions(self) -> Attributions:
        """The attributions so far."""
        if self.state is None:
            raise ActwidgetError(self.reason)
        return self.state.attributions


def found(data: LayerData, question: Question) -> Finding | None:
    """What is known of the answer; `None` for nothing."""
    finding: Finding | None = data.sources.results.get(question.key)
    return finding


def work_for(data: LayerData, question: Question, targets: Targets) -> Work | None:
    """What is left to compute; `None` for nothing. What was stopped begins again only if it is asked for."""
    finding = found(data, question)
    if finding is not None and finding.is_complete:
        return None
    return Work(
        question.key,
        question.how.label,
        lambda: _steps(data, question, targets),
        is_wanted=finding is None and bool(data.sources.results.get(ASKED)),
        says_why=True,
    )


def _steps(data: LayerData, question: Question, targets: Targets) -> Iterator[Progress]:
    results = data.sources.results
    results.put(ASKED, value=True)
    inputs, sample = one_sample(data)
    try:
        states = attribution_steps(
            data.sources.session.graph.model,
            inputs,
            targets.target(question.target),
            method=question.method,
            layer=question.path or None,
            batch_size=AT_ONCE,
        )
        state = None
        for state in states:
            results.put(question.key, Finding(state, sample))
            yield Progress(state.done, state.total)
        results.put(question.key, Finding(state, sample, is_complete=True))
    except ActwidgetError as error:
        results.put(question.key, Finding(None, reason=str(error), is_complete=True))
        raise
