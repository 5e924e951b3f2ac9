"""Optional packages: imported, or only found on disk, with an error that says how to install them."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from actwidget.errors import MissingPackageError

_SAMPLES = 'pip install "actwidget[samples]"'


def imported(module: str, distribution: str) -> Any:
    """The module, imported.

    Args:
        module: Its dotted name.
        distribution: The name that its package has on PyPI.

    Raises:
        MissingPackageError: The package is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        # A module missing deeper down is a broken installation, and its own error says more than ours would.
        if error.name is None or error.name.partition(".")[0] != module.partition(".")[0]:
            raise
        raise _missing(distribution, _SAMPLES) from error


def imported_keras() -> Any:
    """Keras, imported when a model is made: it loads its backend, which takes seconds and which a picture doesn't need.

    Raises:
        MissingPackageError: Keras or its backend is not installed.
    """
    try:
        return import_module("keras")
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in {"keras", "tensorflow", "jax", "torch"}:
            raise
        raise MissingPackageError.of_backend(package) from error


def packaged_file(module: str, relative: str, distribution: str) -> Path:
    """A file inside an installed package, found without importing the package.

    Args:
        module: The package's import name.
        relative: The file's path inside the package, with `/`.
        distribution: The name that the package has on PyPI, with the version that holds the file where it matters.

    Raises:
        MissingPackageError: The package is not installed, or has no such file.
    """
    spec = find_spec(module)
    folders = [] if spec is None else list(spec.submodule_search_locations or [])
    for folder in folders:
        file = Path(folder, relative)
        if file.is_file():
            return file
    if folders:
        message = f"The installed package {module!r} has no file {relative!r}; {distribution} has it: {_SAMPLES}"
        raise MissingPackageError(message)
    raise _missing(distribution, _SAMPLES)


def _missing(distribution: str, command: str) -> MissingPackageError:
    return MissingPackageError(f"This sample needs the package {distribution}, which is not installed: {command}")
