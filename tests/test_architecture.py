"""The package is a few rooms, and a room imports only from those before it."""

from __future__ import annotations

import ast
import fnmatch
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PACKAGE = REPOSITORY / "actwidget"

# What each room may import: other rooms, and packages that are not the standard library's.
ROOMS: dict[str, set[str]] = {
    "errors": set(),
    "options": {"errors"},
    "files": set(),
    "keras_internals": {"errors"},
    "capture": {"errors", "options", "keras_internals"},
    "analysis": {"errors"},
    "figures": {"errors", "analysis"},
    "scanning": {"errors", "options", "files", "keras_internals", "capture", "analysis", "figures"},
    "explain": {"errors", "options", "keras_internals", "capture", "analysis", "figures"},
    "explorer": {"errors", "options", "capture", "analysis", "scanning", "explain", "figures"},
    "widgets": {"errors", "options", "capture", "analysis", "scanning", "explain", "figures", "explorer"},
    "training": {"errors", "options", "files", "keras_internals", "capture", "analysis", "figures", "widgets"},
    "samples": {"errors"},
}
PACKAGES: dict[str, set[str]] = {
    "errors": set(),
    "options": {"numpy"},
    "files": set(),
    "keras_internals": {"jax", "keras", "numpy", "tensorflow", "torch"},
    "capture": {"keras", "numpy", "tensorflow"},
    "analysis": {"numpy"},
    "training": {"keras", "numpy"},
    "scanning": {"datasketches", "keras", "numpy", "plotly", "tqdm"},
    "figures": {"PIL", "fast_sugiyama", "numpy", "plotly"},
    "explain": {"keras", "numpy", "plotly"},
    "explorer": {"keras", "numpy"},
    "widgets": {"IPython", "anywidget", "ipywidgets", "keras", "numpy", "plotly", "traitlets"},
    "samples": {"PIL", "keras", "numpy", "skimage", "sklearn", "tqdm"},
}


# What runs on TensorFlow alone: its backend, and models that come from it. Nothing else may import it.
ON_TENSORFLOW = ("keras_internals/backends/tensorflow", "keras_internals/foreign/", "capture/structure/keras_2/")


def imported(source: str, module: str, *, is_package: bool) -> set[str]:
    """Every module that `source` imports anywhere in it, by absolute name, imported names included.

    `from a import b` gives both `a` and `a.b`, since `b` can be a module.
    """
    here = module.split(".") if is_package else module.split(".")[:-1]
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            names.add(origin)
            names.update(f"{origin}.{alias.name}" for alias in node.names)
    return names


def rooms_of(names: set[str]) -> set[str]:
    """The rooms among imported names; "" stands for the package's own public names."""
    ours = {name for name in names if name.split(".")[0] == "actwidget"}
    rooms = {name.split(".")[1] for name in ours if "." in name}
    unknown = rooms - ROOMS.keys()
    return (rooms & ROOMS.keys()) | ({""} if unknown or (ours and not rooms) else set())


def packages_of(names: set[str]) -> set[str]:
    """The top-level packages among imported names that are neither ours nor the standard library's."""
    return {name.split(".")[0] for name in names} - set(sys.stdlib_module_names) - {"actwidget", "__future__"}


def modules() -> list[tuple[str, Path]]:
    """(room, file) of every module in every room."""
    files = (path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py")
    return [(path.relative_to(PACKAGE).with_suffix("").parts[0], path) for path in files]


def imports_of(path: Path) -> set[str]:
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    is_package = parts[-1] == "__init__"
    module = ".".join(parts[:-1] if is_package else parts)
    return imported(path.read_text(encoding="utf-8"), module, is_package=is_package)


@pytest.mark.parametrize(("room", "path"), modules(), ids=lambda value: getattr(value, "stem", value))
def test_a_module_imports_only_from_rooms_before_its_own(room: str, path: Path) -> None:
    assert rooms_of(imports_of(path)) - {room} <= ROOMS[room]


@pytest.mark.parametrize(("room", "path"), modules(), ids=lambda value: getattr(value, "stem", value))
def test_a_module_imports_only_the_packages_of_its_room(room: str, path: Path) -> None:
    assert packages_of(imports_of(path)) <= PACKAGES[room]


def test_tensorflow_is_imported_only_by_what_runs_on_it_alone() -> None:
    importing = [
        path.relative_to(PACKAGE).as_posix() for _, path in modules() if "tensorflow" in packages_of(imports_of(path))
    ]
    assert importing
    assert [path for path in importing if not path.startswith(ON_TENSORFLOW)] == []


# Inside capture: what each part may import of the others, besides its own.
PARTS: dict[str, set[str]] = {
    "structure": set(),
    "run": {"structure"},
    "trace": {"structure", "run"},
    "semantics": {"structure", "run", "trace"},
    "access": {"structure", "run", "trace", "semantics"},
    "edits": {"structure", "run", "trace", "semantics", "access"},
}


@pytest.mark.parametrize(
    "path", [path for room, path in modules() if room == "capture" and path.parent.name != "capture"], ids=str
)
def test_a_part_of_capture_imports_only_from_parts_before_it(path: Path) -> None:
    part = path.relative_to(PACKAGE / "capture").parts[0].removesuffix(".py")
    names = [name.split(".") for name in imports_of(path)]
    imported_parts = {name[2] for name in names if name[:2] == ["actwidget", "capture"] and len(name) > 2}
    assert (imported_parts & PARTS.keys()) - {part} <= PARTS[part]


def test_no_files_import_each_other_in_a_circle_not_even_for_types() -> None:
    files = {module_name(path): path for _, path in modules()}
    uses = {name: {each for each in imports_of(path) if each in files} - {name} for name, path in files.items()}
    # To import a module from its package is to import the module.
    for name, used in uses.items():
        uses[name] = {each for each in used if not any(other.startswith(f"{each}.") for other in used)}
    while free := [name for name, used in uses.items() if not used]:
        uses = {name: used - set(free) for name, used in uses.items() if name not in free}
    assert uses == {}


def module_name(path: Path) -> str:
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_the_reader_of_imports_sees_every_form_of_import() -> None:
    source = """
import actwidget.widgets
from actwidget import capture, layer_tree
from . import mosaic
from ..figures.palette import accent
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import keras
def late():
    from plotly import graph_objects
"""
    names = imported(source, "actwidget.analysis.statistics", is_package=False)
    assert rooms_of(names) == {"widgets", "capture", "analysis", "figures", ""}
    assert packages_of(names) == {"keras", "plotly"}
    assert rooms_of(imported("from . import mosaic", "actwidget.analysis", is_package=True)) == {"analysis"}
    assert rooms_of(imported("import actwidget as aw", "actwidget.widgets.components.tree", is_package=False)) == {""}


def test_analysis_loads_in_a_fresh_process_without_keras_or_plotly_or_widgets() -> None:
    program = "import sys, actwidget.analysis; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    run = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    loaded = set(run.stdout.split())
    assert "numpy" in loaded
    assert not loaded & {"IPython", "PIL", "anywidget", "ipywidgets", "keras", "plotly", "tensorflow"}


def test_the_package_holds_its_rooms_and_nothing_else() -> None:
    rooms = {f"{name}.py" if name in {"errors", "files", "options"} else name for name in ROOMS}
    assert names_in(PACKAGE) == rooms | {"__init__.py", "py.typed"}


def test_the_repository_holds_what_it_should_and_nothing_else() -> None:
    code = {"actwidget", "binder", "docs", "notebooks", "tests"}
    about = {"CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "LICENSE", "README.md", "pyproject.toml"}
    assert names_in(REPOSITORY) == code | about | {".ci", ".github", ".gitignore"}


def names_in(folder: Path) -> set[str]:
    """The names in a folder of the repository, less those that git does not see."""
    lines = (REPOSITORY / ".gitignore").read_text(encoding="utf-8").split()
    unseen = [".git", *(line.rstrip("/") for line in lines)]
    return {p.name for p in folder.iterdir() if not any(fnmatch.fnmatch(p.name, pattern) for pattern in unseen)}
