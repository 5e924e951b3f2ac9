"""Measures what a person waits for, all in one run: `python tests/benchmarks/run.py [--quick]`.

A `!` marks a goal that is not met. On a busy machine all times grow together; the ratios stay.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS.parent), str(TESTS)]
# Kernels and fresh processes take actwidget from this checkout as well.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(TESTS.parent), os.environ.get("PYTHONPATH")]))

SECTIONS = (
    "import",
    "notebook",
    "capture",
    "trees",
    "graph",
    "scan",
    "attributions",
    "what_if",
    "excite",
    "python",
    "rivals",
    "page",
    "kinds",
    "fidelity",
    "watch",
)


def main() -> None:
    """Prints one table for each section."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer layers, fewer repetitions")
    parser.add_argument(
        "sections", nargs="*", choices=[[], *SECTIONS], help=f"of {', '.join(SECTIONS)}; all by default"
    )
    chosen = parser.parse_args()
    start = time.perf_counter()
    run(chosen.sections or SECTIONS, quick=chosen.quick)
    print(f"\n{time.perf_counter() - start:,.0f} s in all")


def run(sections: Sequence[str], *, quick: bool) -> None:  # noqa: C901, PLR0912 - one branch a section
    """Measures some sections, in their order."""
    # After the command line is read: each of these loads TensorFlow.
    from attributions import attribution_passes
    from capturing import captures, trees
    from excite import ideal_inputs
    from fidelity import report
    from graph import graphs
    from kinds import drawings as kinds_drawn
    from kinds import pages as kinds_painted
    from networks import SOURCES
    from page import first_pictures, pages
    from rivals import drawings
    from scan import scans
    from selection import selections
    from startup import imports, saved_notebook
    from table import show
    from watch import watched
    from what_if import what_if

    if "import" in sections:
        show("Import", imports(3 if quick else 5))
    if "notebook" in sections:
        show("Saved notebook", saved_notebook())
    if "capture" in sections:
        show("Capture", captures(5 if quick else 15, 5 if quick else 15))
    if "trees" in sections:
        show("Large models", [*trees(), *first_pictures(5 if quick else 9)])
    if "graph" in sections:
        show("Graph of a large model", graphs(5 if quick else 9))
    if "attributions" in sections:
        show("Attributions of EfficientNet-Lite0", attribution_passes(3 if quick else 7))
    if "what_if" in sections:
        show("What if, on EfficientNet-Lite0", what_if(10 if quick else 20))
    if "excite" in sections:
        show("Ideal inputs of 64 channels of EfficientNet-Lite0", ideal_inputs(2 if quick else 3, 16 if quick else 64))
    if "scan" in sections:
        show("A whole data set", scans(3 if quick else 7))
    for name in SOURCES:
        if "python" in sections:
            title = f"{name}: Python's work for a layer not seen before, no front end connected"
            show(title, selections(name, 8 if quick else 24, 1 if quick else 3))
        if "rivals" in sections:
            show(f"{name}: Python's work to draw one large layer, its activation at hand", drawings(name))
    if "page" in sections:
        for name, rows in pages(6 if quick else 15, 3).items():
            show(f"{name}: in JupyterLab and Chromium", rows)
    if "kinds" in sections:
        show("Large activations of each kind: Python's work to draw one at hand", kinds_drawn(3 if quick else 9))
        show("Large activations of each kind: click to paint", kinds_painted(3 if quick else 7))
    if "fidelity" in sections:
        report()
    if "watch" in sections:
        show("Training with aw.Watch, of the time without", watched(2 if quick else 5))


if __name__ == "__main__":
    main()
