"""`load_watch`: a training that was watched before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from actwidget.training.stored import read_history
from actwidget.training.watch import Watch

if TYPE_CHECKING:
    import os


def load_watch(file: str | os.PathLike[str]) -> Watch:
    """A watch with the history that `Watch.save` has written to a file.

    It has `history`, `fault` and `to_frame()`, and can be saved again, but it can't watch another training.

    Args:
        file: The file. Nothing in it is run.

    Returns:
        The watch.

    Raises:
        OptionError: It is no such file, or it is damaged.
        FileNotFoundError: There is none.

    Example:
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = pathlib.Path(folder) / "run.npz"
        ...     Watch([[1.0]]).save(file)
        ...     load_watch(file).history
        []
    """
    return Watch.of(*read_history(Path(file)))
