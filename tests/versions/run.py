"""Tests actwidget with older releases, or on another backend: `.venv/bin/python tests/versions/run.py oldest`.

The names are `oldest` and `colab` for releases, `jax` and `torch` for Keras's other backends in their newest releases.
Makes the environment `.venv-oldest` with the versions in `oldest.txt`, unless it is there already. In it run the tests
that say whether values, edits and widgets are right. Arguments after the name go to pytest in place of these tests.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PYTHON = {"oldest": "3.11", "colab": "3.13", "jax": "3.11", "torch": "3.11"}
BACKENDS = {"jax", "torch"}
TOOLS = ("hypothesis>=6.100", "nbval>=0.11", "pandas>=2.2", "pytest>=8.3", "pytest-xdist>=3.7")
CAPTURE = ("any_graph", "edit", "submodel", "tapped_model")
"""The tests of capture for each environment."""
WIDGETS = ("assets", "composite", "explorer", "ipywidgets7", "saved", "settings", "shows", "still", "views", "words")
"""Those of the widgets that meet ipywidgets, anywidget, traitlets and Plotly in many places."""
OVER_DATA = (
    "tests/scanning/test_batches.py",
    *(
        f"tests/training/test_watch.py::test_{name}"
        for name in (
            "each_record_holds_the_numbers_that_the_model_had_at_that_moment",
            "steps_are_counted_where_a_call_runs_several",
            "a_file_holds_the_whole_history",
        )
    ),
)
"""Those of scans and of training, for each environment."""
TESTS = (
    *OVER_DATA,
    *(f"tests/capture/test_{name}.py" for name in (*CAPTURE, "conversion", "table")),
    *("tests/keras_internals/test_versions.py", "tests/figures", "tests/explorer/test_explorer.py"),
    *(f"tests/widgets/test_{name}.py" for name in WIDGETS),
)
# Colab's releases lie between the oldest and the newest; the lessons and the tests of frames run with them too.
TESTS_BETWEEN = (
    *OVER_DATA,
    *(f"tests/capture/test_{name}.py" for name in ("edit", "submodel")),
    *("tests/keras_internals/test_versions.py", "tests/explorer/test_explorer.py"),
    *(f"tests/widgets/test_{name}.py" for name in ("composite", "explorer", "ipywidgets7", "saved", "still")),
)
TESTS_ON_BACKENDS = (
    *OVER_DATA[:-1],
    *(f"tests/capture/test_{name}.py" for name in CAPTURE),
    *("tests/keras_internals/test_backends.py", "tests/explorer/test_explorer.py", "tests/explain/test_excite.py"),
    "tests/widgets/test_shows.py",
)
# With --all, before a release: it takes three times as long.
MORE_OF_CAPTURE = tuple(
    f"tests/capture/test_{name}.py" for name in ("deep_witness", "left_out", "unchanged", "weights")
)
ALL_OVER_DATA = (
    "tests/training",
    *(f"tests/scanning/test_{name}.py" for name in ("batch_sums", "batches", "excitations", "sample_data", "scanner")),
    *(f"tests/scanning/test_{name}.py" for name in ("space", "storage")),
)
ALL = (
    *TESTS,
    *ALL_OVER_DATA,
    *MORE_OF_CAPTURE,
    "tests/keras_internals",
    "tests/explorer",
    "tests/samples",
    "tests/widgets",
)
ALL_ON_BACKENDS = (
    *(*TESTS_ON_BACKENDS, *MORE_OF_CAPTURE, "tests/keras_internals", "tests/explorer"),
    *(*ALL_OVER_DATA, "tests/explain/test_effects.py", "tests/widgets/test_weights.py"),
)


def main() -> int:
    """Runs what the command line asks for, and gives pytest's exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("name", choices=PYTHON, help="which releases")
    parser.add_argument("--all", action="store_true", help="more tests; comes before the name")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="pytest's arguments, in place of the usual tests")
    asked = parser.parse_args()
    python = environment(asked.name)
    usual = TESTS_ON_BACKENDS if asked.name in BACKENDS else TESTS_BETWEEN if asked.name == "colab" else TESTS
    every = ALL_ON_BACKENDS if asked.name in BACKENDS else ALL
    tests = every if asked.all else usual
    arguments = asked.arguments or ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder", "--durations=10", *tests]
    # Most of the time goes into compiling small models, which gains nothing from optimization.
    backend = {"KERAS_BACKEND": asked.name, "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"} if asked.name in BACKENDS else {}
    command = [python, "-m", "pytest", "-rfEs", *arguments]
    return subprocess.call(command, cwd=REPOSITORY, env={**os.environ, **backend})


def environment(name: str) -> Path:
    """The Python of the environment with these releases, which is made if it is not there.

    Another one can be named in an environment variable, such as `ACTWIDGET_COLAB_PYTHON`.
    """
    if given := os.environ.get(f"ACTWIDGET_{name.upper()}_PYTHON"):
        return Path(given)
    folder = REPOSITORY / f".venv-{name}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    uv("venv", "--allow-existing", "--python", PYTHON[name], folder, PYENV_VERSION=PYTHON[name])
    # On another backend TensorFlow is there, as on Colab, and must not be touched.
    extras = f"cpu,{name},samples" if name in BACKENDS else "cpu,samples"
    versions = Path(__file__).with_name(f"{name}.txt")
    wanted = [*(["--constraint", versions] if versions.exists() else []), "--editable", f"{REPOSITORY}[{extras}]"]
    uv("pip", "install", "--python", python, *wanted, *TOOLS)
    return python


def uv(*arguments: str | Path, **environment: str) -> None:
    """Runs uv, which finds a Python of the right version or says that there is none.

    `PYENV_VERSION` makes pyenv, if that is in use, show uv the Python that is asked for.
    """
    subprocess.run([sys.executable, "-m", "uv", "--quiet", *arguments], env={**os.environ, **environment}, check=True)


if __name__ == "__main__":
    sys.exit(main())
