"""Every exception a user of actwidget can meet, and how names and values are written in their messages."""

from __future__ import annotations

import re
import reprlib
import typing
from importlib import import_module

_COLOR_CODES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_QUOTED = re.compile(r"""(?<!\w)(['"])((?:\\.|(?!\1).){100,})\1(?!\w)""")
_LONGEST = 1500
_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = 100

__all__ = [
    "ActwidgetError",
    "CaptureError",
    "ChannelError",
    "InvalidInputsError",
    "LayerNotFoundError",
    "MemoryBudgetError",
    "MissingPackageError",
    "ModelNotBuiltError",
    "NotCapturableError",
    "OptionError",
    "SampleError",
    "ScanError",
    "UnsupportedKerasError",
    "UnsupportedModelError",
]


def short(text: str, limit: int = 80) -> str:
    r"""A name as it can be shown on one line: what has no glyph is a space, and a long one is cut in its middle.

    Args:
        text: The name; it may come from anywhere.
        limit: How many characters are shown at most.

    Example:
        >>> short("\x1b[1mbold\x1b[0m\nname"), short("a" * 50 + "b" * 50, 9)
        ('bold name', 'aaaa…bbbb')
    """
    if len(text) <= limit and text.isprintable():
        return " ".join(text.split())
    # Only the ends of a long text are shown, so only they are looked at.
    ends = text if len(text) <= 8 * limit else f"{text[: 4 * limit]}…{text[-4 * limit :]}"
    plain = "".join(char if char.isprintable() else " " for char in _COLOR_CODES.sub("", ends))
    flat = " ".join(plain.split())
    if len(flat) <= limit:
        return flat
    return f"{flat[: limit // 2]}…{flat[limit // 2 + 1 - limit :]}"


def shown(value: object) -> str:
    """The `repr` of a value that may be huge, deeply nested, or unable to give one.

    Example:
        >>> shown("conv"), shown([[[[[[[[1]]]]]]]]), len(shown("x" * 10_000))
        ("'conv'", '[[[[[[...]]]]]]', 100)
    """
    return _repr.repr(value)


def error_text(error: BaseException) -> str:
    """An exception's class and message on one line, also of one that can't tell its message.

    Example:
        >>> error_text(KeyError("a key"))
        'KeyError: a key'
    """
    try:
        # A KeyError shows the repr of its message.
        text = str(error.args[0] if isinstance(error, KeyError) and error.args else error)
    except Exception as unreadable:  # noqa: BLE001 - a class of the user's may raise anything
        text = f"(its message can't be read: {type(unreadable).__name__})"
    return f"{type(error).__name__}: {short(text[:600], 600)}"


class ActwidgetError(Exception):
    """Base of all errors that actwidget raises on purpose.

    The message names the thing, says what was expected and what came, and what to do next. It is one line of bounded
    length, whatever the names in it: long ones are cut in their middle.
    """

    _keras_call_info_injected = True  # by this Keras is told to add no list of a layer's arguments to the message
    ag_pass_through = True  # by this TensorFlow's AutoGraph is told to leave the exception as it is

    def __init__(self, message: str = "") -> None:
        """An error with this message."""
        named = _QUOTED.sub(lambda found: f"{found[1]}{short(found[2])}{found[1]}", message)
        super().__init__(short(named, _LONGEST))

    def __str__(self) -> str:
        # KeyError shows the repr of its argument; a sentence should be shown as one.
        return str(self.args[0]) if self.args else ""


class LayerNotFoundError(ActwidgetError, KeyError):
    """A selector names no layer of the model, or more than one."""


class UnsupportedModelError(ActwidgetError, TypeError):
    """What was given as a model is not one that actwidget can look inside."""


class UnsupportedKerasError(ActwidgetError, ImportError):
    """The installed Keras or TensorFlow lacks parts that actwidget uses; the message names them and what to install."""


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


class ScanError(ActwidgetError, RuntimeError):
    """A scan of a data set could not go on, or its file could not be read or written; the message says why.

    Attributes:
        scan: What was counted until then, an `actwidget.scanning.Scan`; `None` if nothing was.
    """

    scan: object = None


class MissingPackageError(ActwidgetError, ImportError):
    """An optional package is needed; the message holds the pip command."""

    @classmethod
    def unless_imported(cls, package: str, message: str) -> typing.Any:
        """An optional package, imported where it is needed.

        Args:
            package: The name of the module.
            message: What to do without it.

        Raises:
            MissingPackageError: It can't be imported.
        """
        try:
            return import_module(package)
        except ImportError as error:
            raise cls(message) from error

    @classmethod
    def unless_pandas(cls, alternative: str = "") -> typing.Any:
        """pandas, for a `to_frame()`.

        Args:
            alternative: A sentence that says what gives the same without it.

        Raises:
            MissingPackageError: It can't be imported.
        """
        message = f"to_frame() needs pandas: pip install pandas. {alternative}".rstrip()
        return cls.unless_imported("pandas", message)

    @classmethod
    def of_backend(cls, package: str) -> MissingPackageError:
        """The error for Keras, or for the backend on which it is set to run.

        Args:
            package: What is missing: `"keras"`, `"tensorflow"`, `"jax"` or `"torch"`.
        """
        if package in {"jax", "torch"}:
            title = {"jax": "JAX", "torch": "PyTorch"}[package]
            return cls(f'Keras is set to run on {title}, which is not installed: pip install "actwidget[{package}]".')
        return cls(
            "actwidget needs Keras and a backend for it. TensorFlow: "
            'pip install "actwidget[tensorflow]" (or "actwidget[cpu]" without a GPU). JAX or PyTorch: '
            'pip install "actwidget[jax]" or "actwidget[torch]", and set KERAS_BACKEND to jax or torch.'
        )
