"""Every exception a user of actwidget can meet."""

from __future__ import annotations


class ActwidgetError(Exception):
    """Base of all errors that actwidget raises on purpose.

    The message names the thing, says what was expected and what came, and what to do next.
    """

    def __str__(self) -> str:
        # KeyError shows the repr of its argument; a sentence should be shown as one.
        return str(self.args[0]) if self.args else ""


class LayerNotFoundError(ActwidgetError, KeyError):
    """A selector names no layer of the model, or more than one."""


class UnsupportedModelError(ActwidgetError, TypeError):
    """What was given as a model is not one that actwidget can look inside."""


class ModelNotBuiltError(ActwidgetError, ValueError):
    """The model has no layers to show yet, since nothing has told it the shape of its input."""


class InvalidInputsError(ActwidgetError, ValueError):
    """The inputs do not fit the model: wrong shape, number, names, type, or an empty batch."""


class ChannelError(ActwidgetError, IndexError):
    """A channel that the selected layer does not have."""


class SampleError(ActwidgetError, IndexError):
    """A sample that the batch does not have."""


class OptionError(ActwidgetError, ValueError):
    """An option with a value that is not one of the known ones."""


class NotCapturableError(ActwidgetError, ValueError):
    """The layer is in the tree, but its value cannot be had; the message says why."""


class CaptureError(ActwidgetError, RuntimeError):
    """The forward pass itself failed; the cause is chained."""


class MemoryBudgetError(ActwidgetError, MemoryError):
    """The activations asked for would not fit the byte budget."""


class MissingPackageError(ActwidgetError, ImportError):
    """An optional package is needed; the message holds the pip command."""
