"""The figure of an output, by what kind of answer it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.figures.answers.class_map import class_map_spec
from actwidget.figures.answers.content import Answer, by_value
from actwidget.figures.answers.numbers import numbers_spec
from actwidget.figures.answers.ranked import ranked_spec
from actwidget.figures.parts.layout import of_panel_height
from actwidget.figures.values import values_spec

if TYPE_CHECKING:
    from numpy.typing import NDArray


@ignore_float_errors
def answer_spec(answer: Answer) -> dict[str, Any]:
    """The figure of an output as a dict of `data` and `layout`, which Plotly has not checked.

    Args:
        answer: What it shows.

    Returns:
        `{"data": [...], "layout": {...}}`.
    """
    match answer.kind:
        case "numbers":
            return numbers_spec(answer)
        case "map":
            return class_map_spec(answer)
        case "rows":
            table = values_spec(answer.title, answer.values, sample_number=answer.sample)
            return {**table, "layout": of_panel_height(table["layout"])}
        case _:
            return ranked_spec(answer)


def answer_order(answer: Answer) -> NDArray[np.intp]:
    """The units of an answer in the order in which they are shown.

    Args:
        answer: What is shown.

    Returns:
        The indices of the units, shape `(units,)`.

    >>> answer_order(Answer("out", "classes", np.array([0.2, 0.7, 0.1]), ["a", "b", "c"])).tolist()
    [1, 0, 2]
    """
    match answer.kind:
        case "map":
            return by_value(answer.pixel_shares)
        case "classes" | "labels" | "scores":
            return by_value(answer.units)
        case "two classes":
            return np.arange(1)
        case _:
            return np.arange(len(answer.names))
