"""Takes screenshots of the explorer in real JupyterLab: `python tests/screenshots.py [folder [kind ...]]`.

Into a folder: every kind of layer and view, in four widths, light and dark, and as seen with the two common kinds of
colour blindness. Without: the site's pictures.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from browser.cells import KINDS, MORE
from browser.lab import browser, jupyter_lab, new_page, open_notebook, set_theme, wait_for_explorer, write_notebook

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WIDTHS = (1400, 1000, 760, 420)
"""The explorer's own, in pixels."""
BLINDNESSES = ("protanopia", "deuteranopia")
"""By their names in Chromium, which simulates them."""
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


PICTURES = Path(__file__).parents[1] / "notebooks" / "images"
BEST = {"image": "explorer", "overlay": "overlay", "attention": "attention", "overview": "overview"}
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def take(chromium: Browser, address: str, name: str, shots: dict[Path, tuple[str, int, str]]) -> None:
    """Runs the notebook `name` and takes each picture in its theme and width, and with its colour blindness."""
    page = new_page(chromium, viewport={"width": WIDTHS[0] + 300, "height": 1900})
    open_notebook(page, address, f"{name}.ipynb")
    explorer = wait_for_explorer(page)
    tools = page.context.new_cdp_session(page)
    for path, (theme, width, blindness) in shots.items():
        set_theme(page, THEMES[theme])
        tools.send("Emulation.setEmulatedVisionDeficiency", {"type": blindness})
        explorer.evaluate("(element, width) => { element.style.width = `${width}px`; }", width)
        page.evaluate(TWO_FRAMES)
        explorer.scroll_into_view_if_needed()
        page.evaluate(TWO_FRAMES)
        explorer.screenshot(path=path)
        print(path)
    page.context.close()


def main(folder: Path | None, kinds: list[str]) -> None:
    """Writes all pictures into `folder`, or the site's pictures where there is none."""
    cells = {kind: (KINDS | MORE)[kind] for kind in kinds or (KINDS if folder else BEST)}
    (folder or PICTURES).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, jupyter_lab(Path(scratch)) as address, browser() as chromium:
        for name, cell in cells.items():
            write_notebook(Path(scratch) / f"{name}.ipynb", cell)
            if folder:
                looks = [(theme, width, "none") for theme in THEMES for width in WIDTHS]
                shots = {folder / f"{name}-{look[0]}-{look[1]}.png": look for look in looks}
                shots |= {folder / f"{name}-{blindness}.png": ("light", 1000, blindness) for blindness in BLINDNESSES}
            else:
                shots = {PICTURES / f"{BEST[name]}.png": ("light", 1240, "none")}
            take(chromium, address, name, shots)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None, sys.argv[2:])
