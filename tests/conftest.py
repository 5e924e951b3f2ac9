"""What every room's tests share: which run by default, in what order, and what none of them may leave behind."""

from __future__ import annotations

import os
import random
import sys
import threading
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

# On some CPUs TensorFlow's own choice is to go without oneDNN, and then it has no convolutions with the channels first.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

TESTS = Path(__file__).parent
BROWSER = TESTS / "browser"

# How long an example takes depends on what else the machine does, so no time limit decides whether a test passes.
AT_A_DESK = hypothesis.settings(
    hypothesis.settings.get_profile("default"),
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
# At a desk each run tries other examples. CI always tries the same, so that a failure there is due to the change.
IN_CI = hypothesis.settings(AT_A_DESK, derandomize=True, database=None)
hypothesis.settings.register_profile("actwidget", IN_CI if os.environ.get("CI") else AT_A_DESK)
hypothesis.settings.load_profile("actwidget")

# These take longest. They are collected first, so that with `-n` no worker is left alone with one of them at the end.
LONGEST = (
    "capture/test_from_tf_keras.py",
    "capture/test_every_way.py",
    "capture/test_values.py",
    "test_classroom.py",
    "test_otter.py",
    "test_site.py",
)


def shared_state() -> dict[str, Any]:
    """What all tests of one process share, and each has to leave as it was."""
    state: dict[str, Any] = {
        "recursion limit": sys.getrecursionlimit(),
        "working directory": Path.cwd(),
        "environment": {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"},
        # actwidget keeps one thread, which encodes pictures, from the first large picture on.
        "threads": {
            thread for thread in threading.enumerate() if not (thread.daemon or thread.name.startswith("actwidget"))
        },
    }
    if numpy := sys.modules.get("numpy"):
        state["NumPy's error handling"] = numpy.geterr()
    if keras := sys.modules.get("keras"):
        state["Keras's settings"] = (
            keras.config.floatx(),
            keras.config.dtype_policy().name,
            keras.config.image_data_format(),
        )
        state["Keras's methods"] = (vars(keras.Layer)["__call__"], vars(keras.Operation)["__call__"])
    if tensorflow := sys.modules.get("tensorflow"):
        state["TensorFlow runs functions eagerly"] = tensorflow.config.functions_run_eagerly()
    return state


@pytest.fixture(autouse=True, scope="session")
def tensors_are_compared_by_their_values() -> Iterator[None]:
    """On PyTorch a tensor with a gradient refuses to become an array, so tests could not compare it with one."""
    if os.environ.get("KERAS_BACKEND") != "torch":
        yield
        return
    import torch

    def values(self: Any, dtype: Any = None, copy: bool | None = None) -> Any:  # noqa: ARG001, FBT001
        array = self.detach().cpu().numpy()
        return array if dtype is None else array.astype(dtype, copy=False)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.Tensor, "__array__", values)
        yield


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    """No test changes what the tests after it meet."""
    before = shared_state()
    yield
    after = shared_state()
    changed = {name: (value, after[name]) for name, value in before.items() if after[name] != value}
    assert not changed


# What runs only where its option is given, from the name of its marker, and of the option, to what it is.
ON_REQUEST = {
    "network": "tests that install packages",
    "gpu": "tests that need a GPU",
    "thorough": "tests of large models, and of variants, of what others test",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Tests that need a package index, a GPU or much time run on request."""
    for name, what in ON_REQUEST.items():
        parser.addoption(f"--{name}", action="store_true", help=f"run the tests marked `{name}` too: {what}")


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Says that tests are left out: with pytest-xdist no other line does."""
    left_out = {name: what for name, what in ON_REQUEST.items() if not config.getoption(name)}
    return [f"{name}: {what} are left out; add --{name}" for name, what in left_out.items()]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What tests told by `record_property`, below their report; whole numbers of one name are added up."""
    told: dict[str, Any] = {}
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            told[name] = told[name] + value if isinstance(told.get(name), int) and isinstance(value, int) else value
    if told:
        terminalreporter.section("figures")
        for name, value in told.items():
            terminalreporter.write_line(f"{name}: {value}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """In CI a test draws the same numbers in each run, and Keras the same first weights, which go by `random`."""
    if os.environ.get("CI"):
        random.seed(item.nodeid)
        if numpy := sys.modules.get("numpy"):
            numpy.random.seed(zlib.crc32(item.nodeid.encode()))


def is_left_out(item: pytest.Item, config: pytest.Config) -> bool:
    """Whether nobody has asked for a test, or the installed releases or the backend in use lack what it is about."""
    not_asked_for = any(item.get_closest_marker(name) and not config.getoption(name) for name in ON_REQUEST)
    lacks = any(mark.args[0].applies for mark in item.iter_markers("not_where"))
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    needs_another = any(backend not in mark.args for mark in item.iter_markers("backend"))
    return not_asked_for or lacks or needs_another


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks the browser's tests, leaves out what is not asked for or not there to be tested, puts the longest first."""
    for item in items:
        if item.path.is_relative_to(BROWSER):
            item.add_marker(pytest.mark.browser)
    left_out = [item for item in items if is_left_out(item, config)]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)
    order = {TESTS / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path, len(order)))
