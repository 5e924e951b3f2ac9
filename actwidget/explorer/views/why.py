"""What the model's answer depends on: the parts of the input, or the channels of a layer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.errors import short
from actwidget.explorer.controls import Button, Choice
from actwidget.explorer.description.inspection import Action, Inspection
from actwidget.explorer.drawing import Drawing
from actwidget.explorer.navigation import Grid
from actwidget.explorer.registry import View, register
from actwidget.explorer.why.methods import choices
from actwidget.explorer.why.parts import named, parts_of
from actwidget.explorer.why.question import ABOUT, METHOD, TARGET, Question, code
from actwidget.explorer.why.running import found, work_for
from actwidget.explorer.why.targets import targets_of
from actwidget.explorer.why.words import facts, listing, sentences, subject
from actwidget.figures.attribution.content import AttributionContent
from actwidget.figures.attribution.figure import NARROW, attribution_spec
from actwidget.figures.parts.text import NARROW_LIMIT, escape

if TYPE_CHECKING:
    from actwidget.explorer.controls import Control
    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.selection import Selection
    from actwidget.explorer.why.running import Finding
    from actwidget.explorer.why.targets import Targets
    from actwidget.explorer.work import Work

EXPLAIN = Button("explain", "Explain", "Computes what the answer depends on; from then on every choice is answered")
RESIZED = 40
"""By how many pixels the width of the figure changes before it is arranged anew."""
OTHERS = 3
"""How many of the likeliest classes are buttons."""


@register
class Why(View):
    """Which parts of the input, or which channels of the layer, the answer depends on."""

    name = "why"
    label = "Why"
    question = "Why this answer: what does it depend on?"
    place = 45
    controls = (METHOD, TARGET, ABOUT, EXPLAIN)

    def available(self, data: LayerData) -> str | None:
        """What can be known without a pass; the rest is said when the answer is asked for."""
        session = data.sources.session
        graph, batch = session.graph, session.batch
        if batch is None:
            return "Give inputs to see what the answer to them depends on."
        if batch.lengths:
            return "The inputs differ in their number of samples, so that there is no answer of one sample to explain."
        if graph.output and (dtype := graph.nodes[graph.output].dtype) and not _has_gradients(dtype):
            return (
                f"The model's output holds {dtype}, through which there are no gradients. In code, explain the part of "
                "the model before that."
            )
        return None

    def fitted(self, control: Control, data: LayerData, selection: Selection) -> Control | None:
        """The methods that the model allows, and its classes by their names."""
        if not isinstance(control, Choice):
            return control
        if control is METHOD:
            allowed = choices(data.sources.session.graph, of_layer=selection.option(ABOUT) == "layer")
            return replace(control, choices=allowed)
        if control is TARGET:
            targets = targets_of(data)
            return replace(control, choices={name: short(text, 34) for name, text in targets.choices.items()})
        return control

    def arrangement(self, _data: LayerData, selection: Selection) -> Any:
        """Texts are broken into lines of the figure's width, and the names of bars have the room that they need."""
        return selection.room[0] < NARROW, selection.room[0] // RESIZED

    def work(self, data: LayerData, selection: Selection) -> Work | None:
        """The attributions that the controls ask for."""
        targets = targets_of(data)
        return work_for(data, Question.of(data, selection, targets), targets)

    def code(self, data: LayerData, selection: Selection) -> str:
        """The call that gives what is on screen."""
        targets = targets_of(data)
        return code(data, Question.of(data, selection, targets), targets)

    def is_kept_on_page(self, data: LayerData, selection: Selection) -> bool:
        """Only what was computed, and what is the same for all layers once."""
        question = Question.of(data, selection)
        finding = found(data, question)
        return finding is not None and (bool(question.path) or data.path == selection.layer)

    def draw(self, data: LayerData, selection: Selection) -> Drawing:
        """What has been found so far, or how to begin."""
        targets = targets_of(data)
        question = Question.of(data, selection, targets)
        finding = found(data, question)
        title = f"{question.how.label} of {question.path or 'the input'}"
        if finding is None:
            name = subject(question, targets)
            what = f"the channels of {short(question.path, 60)}" if question.path else "the input"
            return Drawing.message(
                title, f"Explain shows what in {what} speaks for {short(name, 60)}, and what against it."
            )
        if finding.state is None:
            return Drawing.message(title, finding.reason)
        return _drawn(data, selection, question, finding, targets)


def _has_gradients(dtype: str) -> bool:
    return dtype.startswith(("float", "bfloat"))


def _drawn(data: LayerData, selection: Selection, question: Question, finding: Finding, targets: Targets) -> Drawing:
    parts, detail = parts_of(data, question, finding, selection.channel)
    name = subject(question, targets)
    of = question.path or "the input"
    title = [
        escape(f"{question.how.label} of {of}" if question.path else question.how.label, NARROW_LIMIT),
        escape(name, 40),
    ]
    if not finding.is_complete and finding.state is not None:
        title.append(f"{finding.state.done:,} of {finding.state.total:,} passes so far")
    if data.batch_size > 1:
        title.append(f"sample {data.sample}")
    content = AttributionContent(
        title, parts, detail, question.how.meaning, is_signed=question.how.is_signed, room=selection.room
    )
    told = sentences(data, question, finding, targets)
    largest = listing(*named(parts))
    of = str(finding.attributions.layer) if question.how.is_map else of
    alt = f"{question.how.label} of {of} for {name}. {told}" + (f" Largest: {largest}." if largest else "")
    grid = None
    if question.path and not question.how.is_map:
        grid = Grid(np.argsort(-np.abs(np.nan_to_num(parts[0].values)), kind="stable"))
    others = [each for each in targets.names if each != question.target][: OTHERS - 1]
    actions = tuple(
        Action(
            f"Why {short(targets.names[each], 24)} ({targets.words[each]})?",
            {"options": {**dict(selection.options), TARGET.name: each}},
            "Explains this answer instead",
        )
        for each in others
    )
    about = Inspection(f"Why {short(name, 40)}", tuple(facts(data, question, finding, targets)), actions)
    return Drawing.of(attribution_spec(content), alt, tell=lambda: told, grid=grid, inspection=about)
