"""The answer in words: the score, what adds up to it, what was taken off the output."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np

from actwidget.explorer.description.facts import Fact
from actwidget.figures.parts.input_image import is_picture
from actwidget.figures.parts.text import number, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.why.question import Question
    from actwidget.explorer.why.running import Finding
    from actwidget.explorer.why.targets import Targets


FAR = 0.05
"""A larger completeness error is called large."""


def subject(question: Question, targets: Targets) -> str:
    """What is explained: the name of the class, or of the number."""
    return targets.names.get(question.target, "the top class")


def score_name(question: Question, targets: Targets, pre_activation: str) -> str:
    """What the score is of."""
    name = subject(question, targets)
    if targets.is_one_number:
        return f"the value of {name}" if not pre_activation else f"the value of {name} before the {pre_activation}"
    if targets.place is not None:
        of = f" of output {targets.output}" if targets.output else ""
        every = ", summed over all positions" if targets.rank > 2 else ""
        return f"{'the logit' if pre_activation else 'the value'} of {name}{of}{every}"
    return f"the logit of {name}, before the {pre_activation}" if pre_activation else f"the output for {name}"


def baseline_name(data: LayerData, question: Question, layer: str) -> str:
    """Where the path of integrated gradients begins."""
    if question.path:
        return f"zeros in {question.path}"
    if layer:
        return "embeddings of zeros"
    batch = data.sources.session.batch
    arrays = [] if batch is None else [array for array in batch.samples if array is not None]
    pictures = [is_picture(array.shape[1:], array.dtype) for array in arrays]
    if len(arrays) == 1 and all(pictures):
        return "the black picture" if arrays[0].min() >= 0 else "the picture of zeros"
    return "an input of zeros" if len(arrays) == 1 else "inputs of zeros"


def sums(finding: Finding) -> tuple[float, float] | None:
    """What the parts add up to, and how far the score rose from the baseline; `None` if that is not known."""
    attributions = finding.attributions
    if attributions.delta is None:
        return None
    arrays = [each for each in keras.tree.flatten(attributions.values) if each is not None]
    total = sum(float(np.sum(each[finding.sample], dtype=np.float64)) for each in arrays)
    return total, total - float(attributions.delta[finding.sample])


def facts(data: LayerData, question: Question, finding: Finding, targets: Targets) -> list[Fact]:
    """The numbers of the answer, for the inspector."""
    attributions = finding.attributions
    score = float(attributions.score[finding.sample])
    listed = []
    if np.isfinite(score):
        listed.append(Fact("score", f"{number(score)}, a logit" if attributions.pre_activation else number(score)))
    if (words := targets.words.get(question.target)) is not None and attributions.pre_activation:
        listed.append(Fact("answer", words))
    if (both := sums(finding)) is not None:
        total, rise = both
        listed.append(Fact("sum of parts", precise(total)))
        way = "rose by" if rise >= 0 else "fell by"
        listed.append(
            Fact(f"score {way}", f"{precise(abs(rise))} from {baseline_name(data, question, _layer(finding))}")
        )
    if not finding.is_complete and finding.state is not None:
        listed.append(Fact("so far", f"{finding.state.done:,} of {finding.state.total:,} passes"))
    return listed


def sentences(data: LayerData, question: Question, finding: Finding, targets: Targets) -> str:
    """The answer in a sentence or two, for below the figure and the alt text."""
    attributions = finding.attributions
    score = float(attributions.score[finding.sample])
    said: list[str] = []
    if np.isfinite(score):
        name = score_name(question, targets, attributions.pre_activation)
        said.append(f"The score is {number(score)}, {name}.")
        if not attributions.pre_activation and _is_distribution(targets):
            said.append("No softmax was taken off: none was found at the end of the model.")
    if (both := sums(finding)) is not None:
        total, rise = both
        way = "rose" if rise >= 0 else "fell"
        base = baseline_name(data, question, _layer(finding))
        by = precise(abs(rise))
        said.append(f"The parts add up to {precise(total)}; the score {way} by {by} from {base}{_apart(total, rise)}.")
    if not finding.is_complete and finding.state is not None:
        said.append(f"Not complete: {finding.state.done:,} of {finding.state.total:,} passes.")
    layer = _layer(finding)
    if layer and layer != question.path:
        what = "The map is that of" if question.how.is_map else "Measured at"
        said.append(f"{what} {layer}.")
    return " ".join(said)


def precise(value: float) -> str:
    """A number in four digits, so that two that nearly agree can be told apart.

    >>> precise(8.3127), precise(0.31705)
    ('8.313', '0.317')
    """
    return f"{float(f'{value:.4g}'):,.6g}"


def _apart(total: float, rise: float) -> str:
    """How far two numbers that should be equal are apart, in words."""
    share = abs(total - rise) / abs(rise) if rise else np.inf
    if share <= FAR:
        return f" ({percent(share)} apart)"
    how = f"{percent(share)} apart" if share < 10 else "far apart"
    return f" ({how}: more steps would come closer)"


def _layer(finding: Finding) -> str:
    layer = finding.attributions.layer
    return layer if isinstance(layer, str) else ", ".join(filter(None, layer))


def _is_distribution(targets: Targets) -> bool:
    return targets.place is None and any("%" in words for words in targets.words.values())


def listing(names: Sequence[str], values: Sequence[float], count: int = 5) -> str:
    """The largest of some values with their names."""
    order = np.argsort(-np.abs(np.nan_to_num(np.asarray(values, np.float64))), kind="stable")[:count].tolist()
    return ", ".join(f"{names[each]} {number(float(values[each]))}" for each in order)
