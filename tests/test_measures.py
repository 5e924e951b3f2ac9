"""What keeps the code readable and one release of Keras from another: sizes, and private names in one room alone."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import keras
import pytest

REPOSITORY = Path(__file__).parents[1]
PACKAGE = REPOSITORY / "actwidget"
LONGEST_FILE = 400
LONGEST_FUNCTION = 80
MOST_FILES = 14
PYTHON = sorted(PACKAGE.rglob("*.py"))
SCRIPTS = sorted(PACKAGE.rglob("*.js"))
FOLDERS = sorted({path.parent for path in PYTHON})
# `LayerExplorer(...)` and `attributions(...)` have sixteen arguments, and a person reads there what each one means.
LONG_WITH_REASON = {
    ("actwidget/widgets/explorer.py", "__init__"),
    ("actwidget/explain/attribution/public.py", "attributions"),
}
PRIVATE_ROOM = PACKAGE / "keras_internals"
# What only says where to find something that has a public name is no private name.
NAMED = re.compile(r"(?:\.|\b(?:def|class) +)(_\w+)")
NOT_PUBLIC = ("keras.src", "raw_ops", "compat.v1", "tensorflow.python")


def named(value: object) -> str:
    return value.relative_to(REPOSITORY).as_posix() if isinstance(value, Path) else str(value)


@pytest.mark.parametrize("path", [*PYTHON, *SCRIPTS], ids=named)
def test_a_file_is_no_longer_than_a_person_reads_at_once(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", PYTHON, ids=named)
def test_a_function_is_no_longer_than_a_screen(path: Path) -> None:
    functions = [node for node in ast.walk(tree_of(path)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    lengths = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in functions}
    too_long = {(named(path), name) for name, length in lengths.items() if length > LONGEST_FUNCTION}
    assert too_long <= LONG_WITH_REASON


@pytest.mark.parametrize("folder", FOLDERS, ids=named)
def test_a_folder_holds_no_more_files_than_a_person_takes_in(folder: Path) -> None:
    assert len([path for path in folder.glob("*.py") if path.name != "__init__.py"]) <= MOST_FILES


@pytest.mark.parametrize("path", [path for path in PYTHON if not path.is_relative_to(PRIVATE_ROOM)], ids=named)
def test_what_keras_and_tensorflow_have_not_made_public_is_used_in_one_room_alone(path: Path) -> None:
    tree = tree_of(path)
    assert sorted(set(attributes_of_others(tree)) & private_names()) == []
    bare = without_docstrings(path.read_text(encoding="utf-8"))
    texts = {*texts_in(bare), *ast.unparse(bare).splitlines()}
    assert [text for text in texts if any(name in text for name in NOT_PUBLIC)] == []


def test_the_search_for_private_names_finds_every_way_to_use_one() -> None:
    tree = ast.parse('layer._flatten_layers()\ngetattr(x, "_keras_mask", None)\nself._nodes\nhasattr(y, "shape")')
    assert set(attributes_of_others(tree)) == {"_flatten_layers", "_keras_mask"}
    assert {"_flatten_layers", "_keras_mask", "_keras_history", "_inbound_nodes"} <= private_names()


@pytest.mark.parametrize("path", [path for path in PYTHON if path.is_relative_to(PACKAGE / "widgets")], ids=named)
def test_the_screen_knows_keras_by_its_types_alone(path: Path) -> None:
    for node in tree_of(path).body:
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            imports = [each for each in ast.walk(node) if isinstance(each, (ast.Import, ast.ImportFrom))]
            names = [name.name for each in imports for name in each.names]
            modules = [each.module or "" for each in imports if isinstance(each, ast.ImportFrom)]
            assert not {name.partition(".")[0] for name in [*names, *modules]} & {"keras", "tensorflow"}


def test_each_module_of_capture_has_a_test_file_of_its_name() -> None:
    """A folder within a part, such as the probes, can have one file for all of its modules."""
    tests = {path.stem for path in (REPOSITORY / "tests" / "capture").rglob("test_*.py")}
    capture = PACKAGE / "capture"
    modules = [path for path in PYTHON if path.is_relative_to(capture) and path.name != "__init__.py"]
    names = {path: {path.stem, *path.relative_to(capture).parts[1:-1]} for path in modules}
    assert [named(path) for path, known in names.items() if not tests & {f"test_{name}" for name in known}] == []


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def private_names() -> frozenset[str]:
    """Every name with one underscore before it that the installed Keras's sources give to an attribute or a method."""
    sources = (path for path in Path(keras.src.__path__[0]).rglob("*.py") if not path.name.endswith("_test.py"))
    found = {name for path in sources for name in NAMED.findall(path.read_text(encoding="utf-8"))}
    return frozenset(name for name in found if is_private(name))


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def is_named(node: ast.AST, *names: str) -> bool:
    return isinstance(node, ast.Name) and node.id in names


def is_own(node: ast.AST) -> bool:
    """Whether code stands for the object whose method it is in, or for its class."""
    return is_named(node, "self", "cls") or (isinstance(node, ast.Call) and is_named(node.func, "super"))


def attributes_of_others(tree: ast.AST) -> Iterator[str]:
    """The private attributes that code uses of other objects, and that its own classes do not have."""
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and is_private(node.attr)]
    own = {node.attr for node in attributes if isinstance(node.ctx, ast.Store) and is_named(node.value, "self")}
    yield from (node.attr for node in attributes if not is_own(node.value) and node.attr not in own)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and is_named(node.func, "getattr", "setattr", "hasattr", "delattr"):
            name = node.args[1]
            if isinstance(name, ast.Constant) and isinstance(name.value, str) and is_private(name.value):
                yield name.value


def texts_in(tree: ast.AST) -> list[str]:
    return [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def without_docstrings(source: str) -> ast.AST:
    """The tree of a source without the texts that stand for themselves."""

    class Strip(ast.NodeTransformer):
        def visit_Expr(self, node: ast.Expr) -> ast.AST:
            is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
            return ast.copy_location(ast.Pass(), node) if is_text else node

    return Strip().visit(ast.parse(source))
