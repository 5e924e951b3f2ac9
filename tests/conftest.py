"""What every room's tests share."""

from __future__ import annotations

import os
import shutil

import pytest


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium, for `playwright`'s `launch(executable_path=...)`.

    Where there is none the test is skipped, but not in CI: there it must run.
    """
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next(filter(None, map(shutil.which, names)), None)
    if found:
        return found
    message = f"no Chromium found: none of {', '.join(names)} is on PATH"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
