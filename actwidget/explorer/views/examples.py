"""The samples of a scan that excite the selected channel most, and its mean by class."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np

from actwidget.explorer.controls import Choice, Number
from actwidget.explorer.description.facts import Fact
from actwidget.explorer.drawing import Drawing
from actwidget.explorer.navigation import Grid
from actwidget.explorer.registry import View, register
from actwidget.explorer.scanned.class_preference import preferred
from actwidget.explorer.scanned.example_inputs import shown_example
from actwidget.figures.examples.content import ClassMeans, ExamplesContent
from actwidget.figures.examples.figure import examples_spec, has_pictures, in_a_row
from actwidget.figures.parts.text import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actwidget.explorer.controls import Control
    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.scanned.scan_source import ScanSource
    from actwidget.explorer.selection import Selection
    from actwidget.figures.examples.content import Shown
    from actwidget.scanning.result import Scan

MOST = 24
"""Of more examples than these the first are shown."""
MOST_CLASSES = 20
"""Of more classes those with the largest means have bars."""
PART = Choice(
    "example_part",
    "picture",
    "what is shown of each picture: the pixels that the channel's largest value depends on, or all",
    {"field": "what it sees", "whole": "whole"},
)
EXAMPLE = Number("example", "example", count=1_000, empty="", follows=("layer", "channel"))
DRAWING = "examples"
"""The kind of what is kept of this view."""


@register
class ExamplesView(View):
    """The real samples that excite a channel most. A click, or the key Enter, takes one as an input."""

    name = "examples"
    label = "Examples"
    question = "Which samples excite this channel most?"
    place = 46
    controls = ("channel", EXAMPLE, PART)
    needs_scan = True

    def available(self, data: LayerData) -> str | None:
        """Of layers that were scanned, also without inputs."""
        if (source := data.sources.scan) is None:
            return "Give a scan: LayerExplorer(model, x, scan=aw.scan(model, data))."
        if (reason := source.missing(data.path)) is not None:
            return reason
        if not data.is_read_as_computed:
            return "The scan counted the layer's own channels. Set the channel axis to automatic."
        return None

    def fitted(self, control: Control, data: LayerData, selection: Selection) -> Control | None:
        """As many examples as there are, and for pictures of which the channel sees a part what is shown of them."""
        if self.available(data) is not None or (content := content_of(data, selection)) is None:
            return None
        if control.name == PART.name:
            return control if has_pictures(content) and data.map_size != (0, 0) else None
        count = len(content.examples)
        return replace(EXAMPLE, count=count) if count > 1 else None

    def arrangement(self, data: LayerData, selection: Selection) -> tuple[int, int] | None:
        """The room, which the tiles fill."""
        return selection.room if self.available(data) is None else None

    def code(self, data: LayerData, selection: Selection) -> str:
        """The calls that give what is on screen."""
        channel = channel_of(data, selection)
        lines = [f"scan.top({data.path!r}, {channel})"]
        if len(_scan(data).by_label(data.path).labels):
            lines.append(f"labels, means = scan.by_label({data.path!r})\nmeans[:, {channel}]")
        if _scan(data).missing_samples is None:
            lines.append(f"explorer.take_sample(scan.top({data.path!r}, {channel})[0].sample)")
        return "\n".join(lines)

    def draw(self, data: LayerData, selection: Selection) -> Drawing:
        """Tiles of pictures or rows of anything else, above the bars of the classes."""
        channel = channel_of(data, selection)
        name = _name(data, channel)
        content = content_of(data, selection)
        if content is None:
            drawing = Drawing.message(data.path, _nothing(data, channel))
            return replace(drawing, grid=Grid(np.arange(data.channel_count)))
        sentence = "" if content.classes is None else content.classes.sentence
        alt = "; ".join(
            filter(
                None,
                [
                    f"{data.path}: the samples that excite {name} most, {_over(data)}",
                    ", ".join(_in_words(each) for each in content.examples),
                    sentence,
                ],
            )
        )
        grid = Grid(
            np.arange(len(content.examples)),
            in_a_row(content),
            of=EXAMPLE.name,
            takes=tuple(each.number for each in content.examples),
        )
        can_take = _scan(data).missing_samples is None
        facts = [Fact("examples", f"highest {_over(data)}{'; click one to use it' * can_take}")]
        if sentence:
            facts.append(Fact(name, sentence))
        return Drawing.of(examples_spec(content), alt, tell=lambda: facts, grid=grid)


def channel_of(data: LayerData, selection: Selection) -> int:
    """The selected channel, otherwise the one with the highest mean over the scan, whatever the sample on screen is."""
    if selection.channel is not None:
        return selection.channel
    means = np.asarray(_source(data).statistics(data.path).per_channel.mean, np.float64)
    return int(np.argmax(np.where(np.isfinite(means), means, -np.inf)))


def _about(data: LayerData, classes: Sequence[int], top: Sequence[int | None]) -> str:
    """Which classes a channel is about, in words; `""` for none. `top` are those of the examples."""
    names = [data.sources.annotations.class_name(label) for label in classes]
    if not names:
        return ""
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"mostly about {listed} ({sum(label in classes for label in top)} of {len(top)} examples)"


def content_of(data: LayerData, selection: Selection) -> ExamplesContent | None:
    """What the figure shows; `None` if no sample excites the channel more than others."""
    channel = channel_of(data, selection)
    part, marked = selection.option(PART), selection.option(EXAMPLE)
    key = f"{DRAWING}:{channel}:{part}"
    found = data.remembered(key)
    if found is None:
        is_constant = bool(np.asarray(_source(data).statistics(data.path).per_channel.constant)[channel])
        examples = [] if is_constant else _scan(data).top(data.path, channel)[:MOST]
        found = [shown_example(data, each, whole=part == "whole") for each in examples]
        size = sum(0 if each.pixels is None else int(each.pixels.nbytes) for each, _ in found)
        data.keep(key, found, size + 2_000 * len(found))
    if not found:
        return None
    values = [each.value for each, _ in found]
    is_tied = len(found) > 1 and values[0] == values[-1] and len(found) < _scan(data).count
    tied = [f"all equal: the first {len(found)} of those with this value"] if is_tied else []
    why = "" if selection.channel is not None or data.channel_count == 1 else ", which has the highest mean"
    reasons = list(dict.fromkeys(why for _, why in found if why))
    return ExamplesContent(
        title=data.path,
        words=[f"{_name(data, channel)}{why}", f"highest {_over(data)}", *tied, *reasons[:1]],
        examples=[each for each, _ in found],
        classes=_classes(data, channel),
        marked=None if marked is None or marked >= len(found) else int(marked),
        room=selection.room,
    )


def _nothing(data: LayerData, channel: int) -> str:
    """Why there are no examples of a channel, in words."""
    each, name = _source(data).statistics(data.path).per_channel, _name(data, channel)
    if np.asarray(each.constant)[channel]:
        value = number(float(np.asarray(each.maximum)[channel]))
        return f"{name} is {value} for every one of {_source(data).samples_in_words}: none excites it more than others."
    return f"None of {_source(data).samples_in_words} gives {name} a finite value."


def _classes(data: LayerData, channel: int) -> ClassMeans | None:
    """The means by class, of many classes those of the highest."""
    labels, means = _scan(data).by_label(data.path)
    if len(labels) < 2:
        return None
    own = means[:, channel]
    kept = np.arange(len(labels))
    if len(labels) > MOST_CLASSES:
        kept = np.argsort(-np.where(np.isfinite(own), own, -np.inf), kind="stable")[:MOST_CLASSES]
    top = [each.label for each in _scan(data).top(data.path, channel)]
    about_these = preferred(labels, own, top)
    names = [data.sources.annotations.class_name(int(label)) for label in labels[kept]]
    marked = [place for place, label in enumerate(labels[kept]) if int(label) in about_these]
    return ClassMeans(names, own[kept], marked, len(labels), _about(data, about_these, top))


def _source(data: LayerData) -> ScanSource:
    return cast("ScanSource", data.sources.scan)


def _scan(data: LayerData) -> Scan:
    return _source(data).scan


def _over(data: LayerData) -> str:
    """Of how many samples these are."""
    return f"of {_source(data).samples_in_words}"


def _name(data: LayerData, channel: int) -> str:
    names = data.class_names
    if names is None or names[channel] == str(channel):
        return f"{data.channel_label} {channel}"
    return f"{names[channel]} ({channel})"


def _in_words(each: Shown) -> str:
    """An example in the alt text: its number, class and value, and the word at which it stands."""
    label = f" ({each.label})" if each.label else ""
    word = f" at {each.words[each.at]!r}" if each.at is not None and each.at < len(each.words) else ""
    return f"sample {each.number}{label} {number(each.value)}{word}"
