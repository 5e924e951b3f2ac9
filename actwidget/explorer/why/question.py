"""What is asked: which method, which target, and what of the sample or the layer on screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras

from actwidget.capture.semantics.sample_independence import are_samples_independent
from actwidget.explorer.controls import Choice
from actwidget.explorer.why.methods import METHODS, choices
from actwidget.explorer.why.targets import targets_of

if TYPE_CHECKING:
    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.selection import Selection
    from actwidget.explorer.why.methods import Method
    from actwidget.explorer.why.targets import Targets

METHOD = Choice(
    "why_method", "method", "how the contributions are found", {name: each.label for name, each in METHODS.items()}
)
TARGET = Choice("why_target", "target", "which answer is explained", {})
ABOUT = Choice(
    "why_about", "parts of", "what the answer is divided among", {"input": "the input", "layer": "this layer"}
)


@dataclass(frozen=True)
class Question:
    """What is asked.

    Attributes:
        method: The name of the method.
        target: The value of the control for the target.
        path: The layer that is asked about; `""` for the input.
        sample: The index of the sample.
    """

    method: str
    target: str
    path: str
    sample: int

    @classmethod
    def of(cls, data: LayerData, selection: Selection, targets: Targets | None = None) -> Question:
        """The question that the controls ask."""
        path = data.path if selection.option(ABOUT) == "layer" else ""
        allowed = choices(data.sources.session.graph, of_layer=bool(path))
        method = str(selection.option(METHOD))
        targets = targets or targets_of(data)
        target = targets.fitted(str(selection.option(TARGET)))
        return cls(method if method in allowed else next(iter(allowed)), target, path, data.sample)

    @property
    def key(self) -> tuple[str, Question]:
        """The key of the results."""
        return "why", self

    @property
    def how(self) -> Method:
        """The method."""
        return METHODS[self.method]


def one_sample(data: LayerData) -> tuple[Any, int]:
    """The inputs for the sample on screen, and its index in them: alone, unless the model mixes samples."""
    session = data.sources.session
    batch, graph = session.batch, session.graph
    if batch is None:
        message = "There are no inputs."
        raise RuntimeError(message)
    fixed = any(
        getattr(tensor, "shape", (None,))[0] is not None
        for tensor in keras.tree.flatten(graph.inputs)
        if tensor is not None
    )
    if fixed or batch.size == 1 or are_samples_independent(graph, graph.tree.children) is False:
        return batch.fed, data.sample
    return batch.rows(data.sample, data.sample + 1), 0


def code(data: LayerData, question: Question, targets: Targets) -> str:
    """Source code that computes what is on screen, with `model` and `x` in scope."""
    batch = data.sources.session.batch
    size = 1 if batch is None else batch.size
    target = targets.code(question.target)
    options = [f"method={question.method!r}"] + ([f"layer={question.path!r}"] if question.path else [])
    imports = "import actwidget\n" + ("import keras\n" if "keras." in target else "")
    many = batch is not None and len(batch.samples) > 1
    given, sample = "x", data.sample
    if size > 1 and not many:
        given, sample = f"x[{data.sample}:{data.sample + 1}]", 0
    arguments = ", ".join([given, *([] if target == "None" else [target]), *options])
    return (
        f"{imports}\nfound = actwidget.attributions(model, {arguments})\nvalues = found.values  # of sample {sample}\n"
    )
