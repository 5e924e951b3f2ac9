"""A sample of a scan's data as one more sample of the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from actwidget.capture.run.batch_parts import joined
from actwidget.errors import OptionError

if TYPE_CHECKING:
    from actwidget.capture.access.session import Session
    from actwidget.explorer.annotations import Annotations
    from actwidget.explorer.scanned.scan_source import ScanSource


_ORIGIN = "sample {:,} of the scan"


def scanned_number(annotations: Annotations, place: int) -> int | None:
    """The number in the scan of a sample of the batch; `None` if it does not come from there."""
    digits = annotations.origins.get(place, "").removeprefix("sample ").removesuffix(" of the scan").replace(",", "")
    is_of_scan = digits.isdecimal() and annotations.origins[place] == _ORIGIN.format(int(digits))
    return int(digits) if is_of_scan else None


class Taken(NamedTuple):
    """A batch with a sample of a scan.

    Attributes:
        session: The session on the batch.
        annotations: What is known of its samples.
        place: The number of the sample in the batch.
    """

    session: Session
    annotations: Annotations
    place: int


def take(source: ScanSource | None, number: int, session: Session, annotations: Annotations) -> Taken:
    """Adds a sample of a scan to the batch, unless it is there already.

    A sample that can't stand beside those of the batch, such as a longer sequence, takes the place of all of them.

    Args:
        source: The scan.
        number: The sample's number in the data that was scanned.
        session: The session on the batch as it is; the result has the same one if the sample is there already.
        annotations: What is known of its samples.

    Raises:
        OptionError: There is no scan.
        ScanError, SampleError: The sample can't be read.
        InvalidInputsError: It does not fit the model.
    """
    if source is None:
        message = "Expected an explorer with a scan: LayerExplorer(model, x, scan=aw.scan(model, data))."
        raise OptionError(message)
    origin = _ORIGIN.format(number)
    if (known := annotations.with_origin(origin)) is not None:
        return Taken(session, annotations, known)
    one = session.on(source.scan.sample(number))
    inputs = None if session.batch is None or one.batch is None else joined(session.batch, one.batch)
    if session.batch is None or inputs is None:
        return Taken(one, annotations.on(one.graph, one.batch).with_sample(0, origin), 0)
    place = session.batch.size
    return Taken(session.on(inputs), annotations.with_sample(place, origin, one.batch), place)
