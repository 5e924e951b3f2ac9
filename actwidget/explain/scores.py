"""The score of a target on outputs of a model without gradients: of the unchanged model first, then of changed ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from actwidget.capture.run.conversion import as_array
from actwidget.errors import OptionError
from actwidget.explain.differentiation.target import scores_of

if TYPE_CHECKING:
    from actwidget.explain.differentiation.target import Target
    from actwidget.explain.downstream import Held

Array = np.ndarray[Any, Any]


class Scorer:
    """Gives the score of a target for each row of a model's outputs."""

    def __init__(self, target: Target, model_name: str, *, logits: bool) -> None:
        """Knows nothing of the model's answer yet.

        Args:
            target: The target.
            model_name: The model's name, for messages.
            logits: Whether the outputs are without a final softmax or sigmoid.
        """
        self.logits = logits
        self._target = target
        self._name = model_name
        self._endings: list[str] = []
        self._classes: Array | None = target.classes

    def begin(self, held: Held) -> Array:
        """The scores of the unchanged model, by which the top class of each sample is chosen.

        Raises:
            OptionError: The model has no such class, or the target does not fit its outputs.
        """
        self._endings = held.endings
        scores, classes, answer = self._scores(held.outputs, self._target.kind, self._classes)
        answer.check(self._target, self._name)
        self._classes = None if classes is None else as_array(classes)
        result = as_array(scores)
        if result.shape != (held.samples,):
            message = f"Expected one number for each of {held.samples} samples from the target, got {result.shape}."
            raise OptionError(message)
        return result

    def score(self, outputs: Any, samples: Array) -> Array:
        """The score of each row of some outputs.

        Args:
            outputs: The model's outputs, in its own structure.
            samples: Which sample each row is.
        """
        kind = "callable" if self._classes is None else "class"
        classes = None if self._classes is None else self._classes[samples]
        return as_array(self._scores(outputs, kind, classes)[0])

    def _scores(self, outputs: Any, kind: Any, classes: Array | None) -> Any:
        tensors = None if classes is None else keras.ops.convert_to_tensor(classes, "int32")
        return scores_of(
            outputs,
            self._endings,
            kind,
            self._target.function,
            tensors,
            logits=self.logits,
            model_name=self._name,
        )
