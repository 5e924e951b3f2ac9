"""Where a pass is differentiated: at an input of the model, or at an activation inside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import keras

Mode = Literal["input", "replace", "add"]


@dataclass(frozen=True)
class Point:
    """One tensor with respect to which a pass is differentiated.

    Attributes:
        path: The path of the activation; of an input the path of its layer, `""` where that is not known.
        index: Which of the flat inputs it is; `None` for an activation inside the model.
        mode: How the tensor goes in: as the model's input, in the place of the activation, or added to it.
    """

    path: str = ""
    index: int | None = None
    mode: Mode = "input"

    def edit(self, tensor: Any) -> Callable[[Any], Any]:
        """The edit of the activation that puts a tensor in."""

        def put(value: Any) -> Any:
            given = keras.ops.cast(tensor, value.dtype)
            return given if self.mode == "replace" else value + given

        return put
