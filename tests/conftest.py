"""What every room's tests share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

BROWSER = Path(__file__).parent / "browser"


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in tests/browser has the marker `browser`, so that `-m "not browser"` leaves it out."""
    for item in items:
        if item.path.is_relative_to(BROWSER):
            item.add_marker(pytest.mark.browser)
