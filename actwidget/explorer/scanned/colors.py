"""The colours of samples: by label, by prediction, or by whether the model is right."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from actwidget.analysis.pixels.levels import LEVELS
from actwidget.figures.parts.palette import CLASS_COLORS, MUTED, WARNING, palette
from actwidget.figures.parts.text import between, escape
from actwidget.figures.space.samples import Group

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from actwidget.explorer.scanned.kept_answers import KeptAnswers

COLORINGS = {"verdict": "right or wrong", "label": "label", "prediction": "prediction", "none": "none"}


def colorings(answers: KeptAnswers) -> dict[str, str]:
    """The choices that there are, with their names on screen."""
    missing = {
        "verdict": answers.why_no_verdict,
        "label": answers.why_no_labels,
        "prediction": "" if answers.numbers else answers.why_no_classes,
    }
    return {each: name for each, name in COLORINGS.items() if not missing.get(each)}


def groups(
    coloring: str, samples: Sequence[int], answers: KeptAnswers, name: Callable[[int], str], wanted: Collection[int]
) -> list[Group]:
    """The samples by colour.

    Args:
        coloring: One of `COLORINGS`.
        samples: The numbers of the samples, in the order of the points.
        answers: What is known of them.
        name: What a class is called.
        wanted: Samples whose class has a colour of its own, however many classes there are.
    """
    if coloring == "verdict":
        return _verdict(samples, answers)
    if coloring == "prediction" and answers.numbers:
        return _by_number(samples, answers.numbers)
    if coloring in {"label", "prediction"}:
        known = answers.labels if coloring == "label" else answers.classes
        return _by_class(samples, known, name, wanted, "label" if coloring == "label" else "prediction")
    return [Group(_counted(len(samples), "sample"), CLASS_COLORS[6], np.arange(len(samples)))]


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"


def _places(belongs: Iterable[bool]) -> npt.NDArray[np.intp]:
    return np.asarray([place for place, does in enumerate(belongs) if does], np.intp)


def _verdict(samples: Sequence[int], answers: KeptAnswers) -> list[Group]:
    verdicts = [answers.is_wrong(sample) for sample in samples]
    wrong, right, unknown = (_places(each is verdict for each in verdicts) for verdict in (True, False, None))
    found = [
        Group(f"{len(right):,} right", MUTED, right, is_named=False),
        Group(f"{len(wrong):,} wrong", WARNING, wrong, is_on_top=True, is_named=False),
    ]
    return [
        *found,
        *([Group(f"{len(unknown):,} not known", CLASS_COLORS[6], unknown, is_named=False)] if len(unknown) else []),
    ]


def _by_class(
    samples: Sequence[int], known: Mapping[int, int], name: Callable[[int], str], wanted: Collection[int], noun: str
) -> list[Group]:
    """A colour for each class; of many for those of the wanted samples, then for the most frequent."""
    classes = [known.get(sample) for sample in samples]
    counts = Counter(each for each in classes if each is not None)
    most = len(CLASS_COLORS)
    first = dict.fromkeys(known[sample] for sample in wanted if sample in known)
    shown = list(dict.fromkeys([*first, *(each for each, _ in counts.most_common())]))[:most]
    colors = dict(zip(sorted(shown), CLASS_COLORS, strict=False))
    found = [
        Group(escape(name(shown_class), 24), color, _places(each == shown_class for each in classes))
        for shown_class, color in colors.items()
    ]
    if others := len(counts.keys() - colors.keys()):
        places = _places(each is not None and each not in colors for each in classes)
        found.insert(0, Group(f"{others:,} other {noun}s", MUTED, places, is_named=False))
    if len(places := _places(each is None for each in classes)):
        found.insert(0, Group(f"no {noun}", MUTED, places, is_named=False))
    return found


def _by_number(samples: Sequence[int], numbers: Mapping[int, float]) -> list[Group]:
    places = _places(sample in numbers for sample in samples)
    values = np.asarray([numbers[samples[place]] for place in places.tolist()])
    low, high = float(values.min()), float(values.max())
    levels = np.rint((values - low) / ((high - low) or 1.0) * (LEVELS - 1)).astype(int)
    entries = palette("viridis")
    colors = [f"#{entries[3 * level : 3 * level + 3].hex()}" for level in levels.tolist()]
    found = [Group(f"prediction, dark to light {between(low, high)}", colors, places, is_named=False)]
    rest = _places(sample not in numbers for sample in samples)
    return [*([Group("no prediction", MUTED, rest, is_named=False)] if len(rest) else []), *found]
