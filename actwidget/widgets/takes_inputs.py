"""`TakesInputs`: a widget on a model whose batch can be replaced, or gets more samples, while it is on screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actwidget.explorer.selection import FIELDS
from actwidget.widgets.new_samples import NewSamples
from actwidget.widgets.rendering import Rendering

if TYPE_CHECKING:
    import numpy as np


class TakesInputs(Rendering):
    """The batch of an explorer."""

    _samples: NewSamples

    def _connect(self) -> None:
        super()._connect()
        self._samples = NewSamples(self, self._screen.samples)

    @property
    def inputs(self) -> Any:
        """The batch, in the structure and the dtypes that the model takes; `None` if none was given.

        Arrays have the shape `(samples, ...)`, even if a single sample was given. They are read-only copies of the
        arrays that were given. Assigning another batch shows it at once, as `set_inputs` does.

        Raises:
            UnsupportedModelError, InvalidInputsError: The assigned batch does not fit; nothing has changed then.
        """
        batch = self._explorer.session.batch
        return None if batch is None else batch.fed

    @inputs.setter
    def inputs(self, inputs: Any) -> None:
        self.set_inputs(inputs)

    def set_inputs(self, inputs: Any, labels: Any = None, tokens: Any = None) -> None:
        """Shows another batch: the same layer, view, channel and sample if they still exist.

        Args:
            inputs: One batch, as for `LayerExplorer`.
            labels: The true class of each sample. Without them the labels of before stay if there are as many samples.
            tokens: The texts of the steps of a sequence; without them as for `labels`.

        Raises:
            UnsupportedModelError, InvalidInputsError, OptionError: As for `LayerExplorer`; nothing has changed then.

        Example:
            >>> import keras, numpy as np
            >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Rescaling(2.0, name="twice")])
            >>> explorer = LayerExplorer(model, np.ones((3, 4)), layer="twice", sample=1)
            >>> explorer.set_inputs(np.full((2, 4), 5.0))
            >>> explorer.activation.max(), explorer.sample
            (np.float32(10.0), 1)
        """
        with self._lock:
            self._explorer.set_inputs(inputs, labels=labels, tokens=tokens)
            if self._links:
                self._show_batch()
                self._samples.renew()

    def set_sample(self, sample: np.ndarray[Any, Any], origin: str, place: int | None = None) -> int:
        """Adds a sample to the batch, or puts another one in a place of it, and selects it.

        Args:
            sample: One sample in the shape that the model takes.
            origin: Where it comes from, in words.
            place: Which sample it takes the place of; `None` to append it.

        Returns:
            Its number.

        Raises:
            InvalidInputsError: It does not fit; nothing has changed then.
        """
        with self._lock:
            number = self._explorer.set_sample(sample, origin, place)
            self._show_batch(sample=number)
            return number

    def choose_sample(self, sample: int) -> None:
        """Selects a sample that was chosen on the page, unless the batch does not have it any more."""
        with self._lock:
            is_there = sample < self._explorer.data.batch_size
            if is_there and not self._rendering and getattr(self, "sample", None) != sample:
                self._change({"sample": sample})

    def _show_batch(self, **changes: Any) -> None:
        """Shows the selection on another batch."""
        explorer, screen = self._explorer, self._screen
        screen.mark({}, only=True)
        with self._single_redraw():
            if screen.tree.model_tree is not explorer.tree:
                screen.tree.show(explorer.tree, explorer.selection.layer)
            for name in FIELDS:
                value = changes.get(name, getattr(explorer.selection, name))
                if getattr(self, name) != value:
                    setattr(self, name, value)
