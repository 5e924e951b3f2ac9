"""The kept samples of a scan in a layer's space, and how much alike layers are by these samples."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from actwidget.errors import ActwidgetError
from actwidget.explorer.controls import Button, Choice, Number
from actwidget.explorer.description.facts import Fact
from actwidget.explorer.drawing import Drawing
from actwidget.explorer.navigation import Grid
from actwidget.explorer.registry import View, register
from actwidget.explorer.scanned import space
from actwidget.explorer.scanned.colors import COLORINGS
from actwidget.explorer.scanned.sample_map import SampleMap
from actwidget.explorer.scanned.taken_sample import scanned_number
from actwidget.explorer.work import Progress, Work
from actwidget.figures.parts.layout import HEIGHT
from actwidget.figures.space.samples import samples_spec
from actwidget.figures.space.similarity import alike, similarity_spec
from actwidget.scanning.space.projection import METHODS
from actwidget.scanning.space.similarity import similarity_steps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from actwidget.explorer.controls import Control
    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.selection import Selection
    from actwidget.scanning.result import Scan

COLORING = Choice("samples_color", "colour by", "what the colour of a sample says", COLORINGS)
METHOD = Choice("samples_method", "projection", "how the layer's space is shown in two dimensions", METHODS)
PICKED = Number("samples_picked", "sample", count=2**53, empty="none", follows=("sample",))
OTHER = Choice("similar_to", "compared with", "the columns: the same layers, or those of another scan", {})
COMPARE = Button("similarity", "Compare", "Computes how much alike each pair of layers is")
QUICK = 4e9
"""So many multiplications take about a second."""
NO_SCAN = "Give a scan: LayerExplorer(model, x, scan=aw.scan(model, data))."


def _others(data: LayerData) -> dict[str, tuple[str, Scan | None]]:
    """What the layers can be compared with, from the value of `OTHER` to its name and scan; `None` for each other."""
    others = data.sources.scan.others if data.sources.scan is not None else []
    named = {f"scan[{place}]": (f"scan {place + 1}", each) for place, each in enumerate(others, 1)}
    return {"": ("each other", None), **named}


def _other(data: LayerData, selection: Selection) -> tuple[str, Scan | None]:
    """The name of what the layers are compared with, and the scan; `None` for each other."""
    others = _others(data)
    return others.get(selection.option(OTHER), others[""])


def _map_of(data: LayerData, selection: Selection) -> SampleMap:
    columns = 3 if selection.room[1] <= HEIGHT else 5
    return SampleMap(data, selection.option(COLORING), selection.option(PICKED), columns)


@register
class Samples(View):
    """The kept samples in two dimensions of the layer's space, and the neighbours of one of them."""

    name = "samples"
    label = "Samples"
    question = "Which samples look alike to this layer?"
    place = 49
    needs_scan = True
    controls = (COLORING, METHOD)
    figure_options = (PICKED,)

    def available(self, data: LayerData) -> str | None:
        """Of scanned layers."""
        source = data.sources.scan
        return NO_SCAN if source is None else source.missing(data.path)

    def fitted(self, control: Control, data: LayerData, selection: Selection) -> Control | None:
        """What the samples can be coloured by, and the projections that are installed."""
        if control.name == COLORING.name and self.available(data) is None:
            found = _map_of(data, selection)
            return replace(COLORING, choices=found.colorings, shown=found.coloring)
        if control.name == METHOD.name:
            known = {name: label for name, label in METHODS.items() if name != "umap" or find_spec("umap") is not None}
            return replace(METHOD, choices=known) if len(known) > 1 else None
        return control

    def work(self, data: LayerData, selection: Selection) -> Work | None:
        """A UMAP, which takes a while."""
        source, method = data.sources.scan, selection.option(METHOD)
        if source is None or method == "pca" or space.is_known(source.scan, ("projection", data.path, method)):
            return None
        scan, path = source.scan, data.path

        def start() -> Iterator[Progress]:
            yield Progress(0, 1)
            space.projection(scan, path, method)
            yield Progress(1, 1)

        return Work(("samples", path, method), METHODS[method], start, is_wanted=True, says_why=True)

    def arrangement(self, _data: LayerData, selection: Selection) -> bool:
        """Whether the neighbours stand beside the points or below them."""
        return selection.room[1] <= HEIGHT

    def scanned_clicked(self, number: int, data: LayerData, selection: Selection) -> Mapping[str, Any] | None:
        """Marks the sample where it can't be taken as the input, or is the input already."""
        source = data.sources.scan
        options = {name: value for name, value in selection.options if name != PICKED.name}
        if source is None or number < 0:
            return {}
        if source.scan.missing_samples:
            return {"options": {**options, PICKED.name: number}}
        is_input = scanned_number(data.sources.annotations, selection.sample) == number
        return {"options": options} if is_input else None

    def code(self, data: LayerData, selection: Selection) -> str:
        """The calls that give what is on screen."""
        found = _map_of(data, selection)
        method = selection.option(METHOD)
        more = "" if method == "pca" else f", {method!r}"
        lines = [f"projection = scan.projection({data.path!r}{more})", "projection.points, projection.labels"]
        if found.coloring in {"verdict", "prediction"}:
            output = data.sources.session.graph.output
            lines.append(f"scan.features({output!r})  # the model's answers for the same samples")
        if found.picked is not None:
            lines.append(f"scan.neighbours({data.path!r}, {found.picked})")
        return "\n".join(lines)

    def draw(self, data: LayerData, selection: Selection) -> Drawing:
        """The points, and beside them a sample with its neighbours."""
        source, method = data.sources.scan, selection.option(METHOD)
        if source is None:
            return Drawing.message(data.path, NO_SCAN)
        if method != "pca" and not space.is_known(source.scan, ("projection", data.path, method)):
            return Drawing.message(data.path, f"{METHODS[method]} is being computed.")
        try:
            projection = space.projection(source.scan, data.path, method)
        except ActwidgetError as error:
            return Drawing.message(data.path, str(error))
        found = _map_of(data, selection)
        content = found.content(projection)
        order = found.order(projection)
        grid = Grid(order, of=PICKED.name, takes={sample: sample for sample in order.tolist()})
        return Drawing.of(samples_spec(content), found.alt(content), tell=lambda: found.facts(projection), grid=grid)


@register
class SimilarLayers(View):
    """How much alike layers are by the kept samples, as a matrix; to each other, or to those of another scan."""

    name = "similarity"
    label = "Similar layers"
    question = "Which layers tell samples apart in the same way?"
    place = 65
    needs_scan = True
    controls = (OTHER, COMPARE)
    is_of_network = True

    def available(self, data: LayerData) -> str | None:
        """Of a scan of the model as it is."""
        source = data.sources.scan
        if source is None:
            return NO_SCAN
        return source.missing(source.scan.paths[0]) if source.scan.paths else "The scan has no layers."

    def fitted(self, control: Control, data: LayerData, _selection: Selection) -> Control | None:
        """What the layers can be compared with, if there is a choice."""
        if control.name != OTHER.name:
            return control
        choices = {value: name for value, (name, _) in _others(data).items()}
        return replace(OTHER, choices=choices) if len(choices) > 1 else None

    def work(self, data: LayerData, selection: Selection) -> Work | None:
        """The comparison of all pairs of layers."""
        source, (_, other) = data.sources.scan, _other(data, selection)
        if source is None or space.is_known(source.scan, ("similarity", other)):
            return None
        scan = source.scan

        def start() -> Iterator[Progress]:
            try:
                for step in similarity_steps(scan, other):
                    if step.result is not None:
                        space.keep_similarity(scan, other, step.result)
                    yield Progress(step.done, step.total)
            except ActwidgetError as error:
                space.keep_similarity(scan, other, error)
                raise

        return Work(
            ("similarity", selection.option(OTHER)),
            "the similarity of layers",
            start,
            is_wanted=_is_quick(data),
            says_why=True,
        )

    def code(self, data: LayerData, selection: Selection) -> str:
        """The call that gives what is on screen; `scan` is what the explorer was given."""
        several = bool(data.sources.scan is not None and data.sources.scan.others)
        other = "" if _other(data, selection)[1] is None else f", {selection.option(OTHER)}"
        return f"similar = aw.similarity({'scan[0]' if several else 'scan'}{other})\nsimilar.figure()"

    def is_kept_on_page(self, data: LayerData, selection: Selection) -> bool:
        """Only what was computed."""
        source = data.sources.scan
        return source is not None and space.is_known(source.scan, ("similarity", _other(data, selection)[1]))

    def cell_clicked(self, row: int, column: int, data: LayerData, selection: Selection) -> Mapping[str, Any] | None:
        """Selects the layer of the row; in the row of the selected layer, that of the column."""
        source, (_, other) = data.sources.scan, _other(data, selection)
        paths = source.scan.paths if source is not None else []
        columns = paths if other is None else other.paths
        if not (0 <= row < len(paths) and 0 <= column < len(columns)):
            return {}
        path = columns[column] if paths[row] == selection.layer else paths[row]
        return {"layer": path} if path in data.sources.session.graph.nodes else {}

    def draw(self, data: LayerData, selection: Selection) -> Drawing:
        """The matrix, with the selected layer marked."""
        source, (name, other) = data.sources.scan, _other(data, selection)
        if source is None:
            return Drawing.message(data.model_name, NO_SCAN)
        try:
            found = space.similarity_of(source.scan, other)
        except ActwidgetError as error:
            return Drawing.message(data.model_name, str(error))
        if found is None:
            count = len(source.scan.paths)
            text = f"Compare shows how much alike each pair of the {count:,} scanned layers is (linear CKA)."
            return Drawing.message(data.model_name, text)
        figure = similarity_spec(
            found.paths,
            found.columns,
            found.values,
            samples=len(found.samples),
            selected=selection.layer,
            names=("", "") if other is None else ("this scan", name),
        )
        to = "" if other is None else f" to {len(found.columns):,} of {name}"
        alt = f"{data.model_name}: similarity of {len(found.paths):,} layers{to} over {len(found.samples):,} samples"
        facts = [Fact("rests on", f"{len(found.samples):,} samples")]
        if selection.layer in found.paths:
            near = alike(found.paths, found.values, selection.layer, columns=None if other is None else found.columns)
            words = ", ".join(f"{path} {value:.2f}" for path, value in near) or "none"
            facts.append(Fact(f"most like {selection.layer}", words))
            alt += f"; most like {selection.layer}: {words}"
        return Drawing.of(figure, alt, tell=lambda: facts)


def _is_quick(data: LayerData) -> bool:
    """Whether the comparison takes about a second, by the multiplications of the Gram matrices and their products."""
    scan = data.sources.scan.scan if data.sources.scan is not None else None
    if scan is None or not scan.paths:
        return False
    samples = len(scan.labels)
    channels = sum(len(each.per_channel.mean) for each in scan.statistics.values())
    return samples**2 * (channels + len(scan.paths) ** 2) < QUICK
