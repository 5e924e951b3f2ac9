"""What the tab Samples shows of a layer: points, colours, words, and one sample with its neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.errors import ActwidgetError, short
from actwidget.explorer.description.facts import Fact
from actwidget.explorer.scanned import space
from actwidget.explorer.scanned.colors import COLORINGS, colorings, groups
from actwidget.explorer.scanned.kept_answers import KeptAnswers, answers_of
from actwidget.explorer.scanned.pictures import batch_picture, scanned_picture
from actwidget.explorer.scanned.taken_sample import scanned_number
from actwidget.figures.parts.input_image import input_picture
from actwidget.figures.parts.text import escape, number, percent
from actwidget.figures.space.samples import SamplesContent, Tile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actwidget.analysis.dtypes import FloatArray
    from actwidget.explorer.layer_data import LayerData
    from actwidget.scanning.result import Scan
    from actwidget.scanning.space.neighbours import Neighbour
    from actwidget.scanning.space.projection import Projection

NEAR = 8
TILE = 128
"""The longer side of a small picture, in pixels."""


@dataclass(frozen=True, eq=False)
class SampleMap:
    """A layer with a scan.

    Attributes:
        data: The layer.
        wanted: What the samples are to be coloured by.
        chosen: The sample that was chosen in the figure; `None` for the explorer's, if it comes from the scan.
        columns: How many neighbours stand side by side.
    """

    data: LayerData
    wanted: str
    chosen: int | None
    columns: int = 3

    @property
    def scan(self) -> Scan:
        """The scan."""
        source = self.data.sources.scan
        if source is None:
            message = "There is no scan."
            raise ValueError(message)
        return source.scan

    @cached_property
    def answers(self) -> KeptAnswers:
        """The labels and predictions."""
        annotations = self.data.sources.annotations
        # Whether scores are classes can depend on whether their names, or labels of the batch, are given.
        key = "answers", bool(annotations.class_names), bool(annotations.labels)
        found: KeptAnswers = space.known(self.scan, key, lambda: answers_of(self.data, self.scan))
        return found

    @cached_property
    def colorings(self) -> dict[str, str]:
        """What the samples can be coloured by."""
        return colorings(self.answers)

    @property
    def coloring(self) -> str:
        """What they are coloured by: what was chosen, otherwise the first that there is."""
        return self.wanted if self.wanted in self.colorings else next(iter(self.colorings))

    @cached_property
    def picked(self) -> int | None:
        """The sample that is marked."""
        return self._own if self.chosen is None else self.chosen

    @property
    def _own(self) -> int | None:
        """The number in the scan of the explorer's sample."""
        return scanned_number(self.data.sources.annotations, self.data.sample)

    @cached_property
    def output(self) -> FloatArray | None:
        """What the layer gives for the explorer's sample, as the scan keeps it; `None` where there is no such thing."""
        data = self.data
        if data.missing is not None or not (data.is_numeric and data.is_read_as_computed):
            return None
        values = np.asarray(data.value, np.float64)
        values = values.reshape(-1, values.shape[-1]) if values.ndim else values.reshape(1, 1)
        finite = np.isfinite(values)
        return np.asarray(np.where(finite, values, 0).sum(axis=0) / np.maximum(finite.sum(axis=0), 1))

    @cached_property
    def near(self) -> list[Neighbour]:
        """The neighbours of the marked sample, or of the explorer's."""
        of: Any = self.output if self.picked is None else self.picked
        if of is None:
            return []
        try:
            return self.scan.neighbours(self.data.path, of, NEAR)
        except ActwidgetError:  # it was not kept, or is not finite: the facts say so
            return []

    def order(self, projection: Projection) -> Any:
        """The samples as the arrow keys go through them: those that the model is wrong for first."""
        samples = projection.samples
        wrong = np.asarray([self.answers.is_wrong(sample) is True for sample in samples.tolist()], bool)
        return samples if self.coloring != "verdict" else np.concatenate([samples[wrong], samples[~wrong]])

    def content(self, projection: Projection) -> SamplesContent:
        """What the figure shows."""
        samples = projection.samples.tolist()
        places = {sample: place for place, sample in enumerate(samples)}
        near = [places[each.sample] for each in self.near if each.sample in places]
        wanted = [*([] if self.picked is None else [self.picked]), *(each.sample for each in self.near)]
        here = None
        if self._own is None and self.output is not None and projection.method == "pca":
            here = projection.place(self.output) if self.output.shape == projection.mean.shape else None
        points, axes = _plane(projection)
        if here is not None and axes[1] == "sample":
            here = np.asarray([here[0], 0.0])
        return SamplesContent(
            title=self._title(projection),
            points=points,
            samples=projection.samples,
            words=self._hover(projection),
            groups=groups(self.coloring, samples, self.answers, self._class_name, wanted),
            axes=axes,
            picked=None if self.picked is None else places.get(self.picked),
            near=near,
            here=here,
            tiles=self._tiles(),
            caption=self._near_caption(),
            columns=self.columns,
        )

    def _title(self, projection: Projection) -> list[str]:
        count = len(projection.samples)
        of = f" of {self.scan.count:,}" if self.scan.count != count else ""
        parts = [escape(self.data.path, 40), f"{count:,}{of} samples"]
        if projection.explained is not None:
            parts.append(f"the plane holds {percent(sum(projection.explained))} of the variance")
        if not self.scan.complete:
            parts.append("the scan is not complete")
        return parts

    def facts(self, projection: Projection) -> Sequence[Fact]:
        """What stands below the figure."""
        answers = self.answers
        verdicts = [answers.is_wrong(sample) for sample in projection.samples.tolist()]
        judged = [each for each in verdicts if each is not None]
        found = [Fact("samples", f"{len(projection.samples):,} kept of {self.scan.count:,}")]
        if judged:
            found.append(Fact("wrong", f"{sum(judged):,} of {len(judged):,} ({percent(sum(judged) / len(judged))})"))
        elif answers.why_no_verdict:
            found.append(Fact("right or wrong", f"not known: {answers.why_no_verdict}"))
        if self.picked is not None:
            is_there = self.picked in projection.samples
            said = ", ".join(self._words(self.picked)[1:]) if is_there else "its output was not kept, or is not finite"
            found.append(Fact(f"sample {self.picked:,}", said or "kept"))
        if projection.left_out:
            found.append(Fact("left out", f"{projection.left_out:,} with NaN or infinity"))
        if missing := self.scan.missing_samples:
            found.append(Fact("pictures", missing))
        return found

    def alt(self, content: SamplesContent) -> str:
        """The figure in words."""
        colors = f"coloured by {COLORINGS[self.coloring]}: " if self.coloring != "none" else ""
        parts = [f"{' · '.join(content.title)}; {colors}{', '.join(group.name for group in content.groups)}"]
        if self.near:
            of = "the explorer's sample" if self.picked is None else f"sample {self.picked}"
            parts.append(f"nearest to {of}: {', '.join(str(each.sample) for each in self.near)}")
        return "; ".join(parts)

    def _class_name(self, label: int) -> str:
        return self.data.sources.annotations.class_name(label)

    def _hover(self, projection: Projection) -> list[str]:
        """What hover says of each sample."""
        names = self.data.sources.annotations.class_names
        labels = self.data.sources.annotations.labels
        key = "words", projection.path, projection.method, tuple(names or ()), bool(labels)
        samples = projection.samples.tolist()
        found: list[str] = space.known(
            self.scan, key, lambda: ["<br>".join(map(escape, self._words(sample))) for sample in samples]
        )
        return found

    def _words(self, sample: int) -> list[str]:
        """What is known of a sample, in lines."""
        answers, lines = self.answers, [f"sample {sample:,}"]
        if sample in answers.labels:
            lines.append(f"label: {self._class_name(answers.labels[sample])}")
        if sample in answers.classes:
            is_wrong = answers.is_wrong(sample)
            verdict = "" if is_wrong is None else " (wrong)" if is_wrong else " (right)"
            lines.append(f"predicted: {self._class_name(answers.classes[sample])}{verdict}")
        if sample in answers.numbers:
            lines.append(f"predicted: {number(answers.numbers[sample])}")
        return lines

    def _near_caption(self) -> str:
        return "the sample, and those nearest to it here" if self.picked is not None else "the input, and those nearest"

    def _tiles(self) -> list[Tile]:
        if not self.near:
            return []
        if self.picked is None:
            first = Tile(-1, ("the input", ""), *_picture(batch_picture(self.data)))
        else:
            first = self._tile(self.picked, "")
        return [first, *(self._tile(each.sample, f"{each.distance:.2g}") for each in self.near)]

    def _tile(self, sample: int, distance: str) -> Tile:
        answers = self.answers
        name = self._class_name(answers.labels[sample]) if sample in answers.labels else f"sample {sample}"
        more = f"{distance} away" if distance else ""
        if answers.is_wrong(sample):
            more = f"→ {short(self._class_name(answers.classes[sample]), 11)}"
        return Tile(sample, (name, more), *_picture(scanned_picture(self.scan, sample)))


def _picture(pixels: Any) -> tuple[str, tuple[int, int]]:
    """A picture of a tile, and its size."""
    found = None if pixels is None else input_picture(pixels, TILE)
    return found or ("", (1, 1))


def _plane(projection: Projection) -> tuple[FloatArray, tuple[str, str]]:
    """The points, and the titles of the axes; of a layer of one channel the samples stand above each other."""
    if projection.explained is None:
        return projection.points, ("UMAP 1", "UMAP 2")
    if len(projection.mean) == 1:
        order = np.arange(len(projection.samples), dtype=np.float64)
        return np.stack([projection.points[:, 0], order], axis=1), ("value less its mean", "sample")
    first, second = (f"direction {place}: {percent(share)}" for place, share in enumerate(projection.explained, 1))
    return projection.points, (first, second)
