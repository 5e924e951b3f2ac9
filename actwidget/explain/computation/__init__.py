"""How one value of a layer is computed: its terms, the steps after their sum, and where each term comes from."""

from __future__ import annotations

from actwidget.explain.computation.arithmetic_result import Arithmetic, Given, Source, Step, Term, Terms
from actwidget.explain.computation.computations import Computations, arithmetic

__all__ = ["Arithmetic", "Computations", "Given", "Source", "Step", "Term", "Terms", "arithmetic"]
