"""An outcome as its figure shows it, in words, and as a list of edits that can be taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.dtypes import is_numeric
from actwidget.errors import short
from actwidget.explorer.answers.kind import are_logits, is_distribution, kind_of_output, unit_names
from actwidget.explorer.description.facts import Fact
from actwidget.explorer.description.inspection import Action, Inspection
from actwidget.explorer.what_if.edits import as_mapping, grouped
from actwidget.figures.parts.text import percent
from actwidget.figures.what_if import WhatIfContent

if TYPE_CHECKING:
    from actwidget.explorer.controls import Paths
    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.selection import Selection
    from actwidget.explorer.what_if.edits import EditGroup, Edits
    from actwidget.explorer.what_if.outcome import Outcome

MOST_NAMED = 3
BARS = frozenset({"classes", "two classes", "labels", "scores", "numbers"})
"""The kinds of answers that bars show."""


def content_of(data: LayerData, selection: Selection, outcome: Outcome) -> WhatIfContent:
    """What the figure shows of an outcome."""
    kind, names, before, after = None, [""], np.zeros(0), np.zeros(0)
    if outcome.before and is_numeric(outcome.before[0].dtype) and outcome.before[0].ndim < 2:
        kind, names, before, after = _answer(data, outcome)
    count = len(grouped(selection.edits))
    return WhatIfContent(
        # The list of changes beside the figure names them all.
        heading=" \u00b7 ".join([f"{count} changes", *_sample(data)]) if count > 1 else "",
        title=" \u00b7 ".join([edits_in_words(selection.edits), *_sample(data)]),
        kind=kind,
        names=names,
        before=before,
        after=after,
        layers=list(outcome.moved),
        moved=list(outcome.moved.values()),
        edited=frozenset(each.path for each in selection.edits),
    )


def _answer(data: LayerData, outcome: Outcome) -> tuple[Any, list[str], Any, Any]:
    """The kind of the first output, the names of its units, and their values before and after."""
    graph, annotations = data.sources.session.graph, data.sources.annotations
    batch, value = data.sources.session.batch, outcome.before[0]
    path = graph.output
    kind = kind_of_output(graph, path, value, annotations, [] if batch is None else batch.samples)
    if kind is None and value.ndim == 1:
        kind = "classes" if is_distribution(value) else "scores"
    if kind not in BARS:
        return None, [], np.zeros(0), np.zeros(0)
    is_logits = kind == "scores" and bool(path) and are_logits(graph, path, annotations)
    layer = graph.nodes[path].name if path else "output"
    names = unit_names(kind, annotations.class_names, value, layer, is_logits=is_logits)
    units = [each.astype(np.float64).reshape(-1) for each in (value, outcome.after[0])]
    if kind == "two classes":
        units = [np.concatenate([1 - each, each]) for each in units]
    return kind, names, units[0], units[1]


def _sample(data: LayerData) -> list[str]:
    return [f"sample {data.sample}"] if data.batch_size > 1 else []


def edits_in_words(edits: Edits) -> str:
    """All edits in one line, of many the first ones."""
    groups = grouped(edits)
    words = [f"{short(each.path, 40)}: {each.words}" for each in groups[:MOST_NAMED]]
    more = len(groups) - MOST_NAMED
    return "; ".join([*words, *([f"and {more} more"] if more > 0 else [])])


def words_of(content: WhatIfContent) -> str:
    """The outcome in a sentence or two."""
    texts = [content.title]
    if content.kind is not None:
        texts.append(", ".join(content.change_of(unit) for unit in content.shown_units[:3]))
    others = [
        (path, value)
        for path, value in zip(content.layers, content.moved, strict=True)
        if path not in content.edited and np.isfinite(value)
    ]
    if others:
        path, value = max(others, key=lambda pair: pair[1])
        texts.append(f"moved most: {short(path, 60)} by {percent(value)}")
    return ". ".join(texts)


def inspection_of(data: LayerData, selection: Selection, kept: Paths) -> Inspection:
    """The list of edits, each with a button that takes it back."""
    edits = selection.edits
    if not edits:
        return Inspection("No changes yet", (Fact("the model", "as it is"),))
    groups = grouped(edits)
    actions = [
        Action(
            f"\u2715 {short(each.path, 22)}: {short(each.words, 32)}",
            {"edits": as_mapping(each.without(edits)), **_fewer_kept(each, selection, kept)},
            f"Takes back: {each.path}: {each.words}",
        )
        for each in groups
    ]
    here = sum(each.path == data.path for each in edits)
    options = dict(selection.options)
    chosen = tuple(path for path in options.get(kept.name) or () if path != data.path) + (data.path,) * here
    more = []
    if here and chosen.count(data.path) != (options.get(kept.name) or ()).count(data.path):
        changes = {"options": {**options, kept.name: chosen}}
        more.append(
            Action("Keep, and change more", changes, "Keeps what the controls show, for another change of this layer")
        )
    if len(groups) > 1:
        options.pop(kept.name, None)
        more.append(Action("Take all back", {"edits": {}, "options": options}))
    title = f"{len(groups)} change{'s' * (len(groups) != 1)}"
    return Inspection(title, (), (*more, *actions))


def _fewer_kept(group: EditGroup, selection: Selection, kept: Paths) -> dict[str, Any]:
    """The options after edits of a layer have been taken back: so many less of it are complete."""
    options = dict(selection.options)
    paths = list(options.get(kept.name) or ())
    if group.path not in paths:
        return {}
    for _ in group.edits[: paths.count(group.path)]:
        paths.remove(group.path)
    return {"options": {**options, kept.name: tuple(paths)}}
