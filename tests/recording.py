"""Makes the README's moving picture: `python tests/recording.py [folder]`, with the single pictures in that folder.

A real explorer in a real JupyterLab is used as a person would, and photographed before and after each click.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from browser.cells import IMAGE
from browser.lab import Explorer, Notebook, browser, jupyter_lab, new_page, set_theme, write_notebook
from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import Locator

FILE = Path(__file__).parents[1] / "notebooks" / "images" / "recording.webp"
MOST_BYTES = 1_000_000
WIDTH, HEIGHT = 1240, 775
"""Of the explorer on the page, in pixels."""
SHOWN = 1000
"""The width of the moving picture."""
MOVED, READ = 450, 1900
"""How long a picture stays, in milliseconds: one in which the pointer has moved, and one that is to be read."""
LATE = "block11_project_bn"
"""A layer whose channels carry the answer."""
STRONGEST = f"""
effects = aw.channel_effects(model, photo("coffee")[None], "{LATE}")
print(int(effects[0].argmax()))
"""
POINTER = """() => {
  const pointer = document.createElement("div");
  pointer.id = "pointer";
  pointer.innerHTML = '<svg width="26" height="26" viewBox="0 0 24 24">' +
    '<path d="M4 2v17l4.5-4 3 6.5 2.8-1.3-3-6.2H17.5z" fill="#111" stroke="#fff" stroke-width="1.5"/></svg>';
  pointer.style.cssText = "position:fixed;z-index:99999;pointer-events:none;left:-50px;top:0";
  document.body.append(pointer);
}"""
POINT = """([x, y]) => {
  const {style} = document.querySelector("#pointer");
  style.left = `${x - 5}px`;
  style.top = `${y - 2}px`;
}"""


class Recording:
    """Pictures of an explorer, and how long each of them stays."""

    def __init__(self, explorer: Explorer) -> None:
        self.explorer, self.page = explorer, explorer.notebook.page
        self.pictures: list[tuple[Image.Image, int]] = []
        self.page.evaluate(POINTER)

    def take(self, milliseconds: int = READ) -> None:
        """Takes a picture as soon as the page is at rest."""
        self.explorer.settle()
        box = self.explorer.element.bounding_box()
        png = self.page.screenshot(clip={"x": box["x"], "y": box["y"], "width": WIDTH, "height": HEIGHT})
        self.pictures.append((Image.open(io.BytesIO(png)).convert("RGB"), milliseconds))

    def point(self, place: Locator | tuple[float, float]) -> tuple[float, float]:
        """Moves the pointer to a place, or to the middle of an element, and takes a picture."""
        if not isinstance(place, (list, tuple)):
            place.scroll_into_view_if_needed()
            box = place.bounding_box()
            place = box["x"] + min(box["width"] / 2, 90), box["y"] + box["height"] / 2
        self.page.mouse.move(*place)
        self.page.evaluate(POINT, place)
        self.take(MOVED)
        return place

    def click(self, place: Locator | tuple[float, float], milliseconds: int = READ) -> None:
        """Points to a place, clicks, and takes a picture of what follows."""
        self.page.mouse.click(*self.point(place))
        self.take(milliseconds)

    def press(self, name: str) -> None:
        """Clicks a button and waits for the figure that it leads to."""
        before = self.explorer.title
        self.page.mouse.click(*self.point(self.explorer.element.get_by_role("button", name=name)))
        self.explorer.wait_until("(graph, title) => graph.querySelector('.gtitle').textContent !== title", before)
        self.explorer.element.get_by_role("button", name="Stop").wait_for(state="hidden")
        self.take(2 * READ)

    def choose(self, view: str, milliseconds: int = READ) -> None:
        """Clicks the tab of a view."""
        self.point(self.explorer.tab(view))
        self.explorer.choose(view)
        self.take(milliseconds)

    def select(self, path: str) -> None:
        """Clicks the row of a layer; opens its group first."""
        explorer = self.explorer
        if not explorer.row(path).is_visible():
            self.click(explorer.row(path).locator("xpath=preceding::*[@data-group][1]"), MOVED)
        self.page.mouse.click(*self.point(explorer.row(path)))
        explorer.wait_for_title(path)
        self.take()


def play(explorer: Explorer) -> Recording:
    """What a person does who looks into the network for the first time."""
    strongest = int(explorer.notebook.ask(STRONGEST))
    recording = Recording(explorer)
    recording.take()
    recording.click(explorer.tile(6))
    recording.select("block5_expand_relu")
    recording.click(explorer.tile(30))
    recording.choose("overlay")
    recording.select(LATE)
    recording.choose("why", MOVED)
    explorer.element.get_by_label("method").select_option(label="Grad-CAM")
    recording.press("Explain")
    recording.choose("activation", MOVED)
    recording.click(explorer.tile(strongest))
    recording.press("Switch it off")
    recording.click(explorer.switch("network"), 2 * READ)
    return recording


def write(pictures: list[tuple[Image.Image, int]], path: Path) -> int:
    """Joins the pictures in one file, as sharp as its limit of size allows, and gives the quality that this is."""
    size = SHOWN, round(SHOWN * HEIGHT / WIDTH)
    frames = [picture.resize(size, Image.Resampling.LANCZOS) for picture, _ in pictures]
    durations = [milliseconds for _, milliseconds in pictures]
    for quality in range(90, 20, -5):
        frames[0].save(
            path, save_all=True, append_images=frames[1:], duration=durations, loop=0, quality=quality, method=6
        )
        if path.stat().st_size < MOST_BYTES:
            return quality
    message = f"{path} takes more than {MOST_BYTES:,} bytes at any quality that can be read."
    raise ValueError(message)


def main(folder: Path | None) -> None:
    """Writes the README's moving picture, and its single pictures if there is a folder for them."""
    with tempfile.TemporaryDirectory() as scratch, jupyter_lab(Path(scratch)) as address, browser() as chromium:
        write_notebook(Path(scratch) / "look.ipynb", IMAGE)
        page = new_page(chromium, viewport={"width": WIDTH + 300, "height": 1000})
        notebook = Notebook(page, address, "look.ipynb")
        notebook.run_all()
        set_theme(page, "JupyterLab Light")
        explorer = Explorer(notebook)
        explorer.element.evaluate("(element, width) => { element.style.width = `${width}px`; }", WIDTH)
        explorer.element.scroll_into_view_if_needed()
        recording = play(explorer)
        page.context.close()
    for number, (picture, _) in enumerate(recording.pictures if folder else []):
        picture.save(folder / f"{number:02}.png")
    quality = write(recording.pictures, FILE)
    print(f"{FILE}: {len(recording.pictures)} pictures, {FILE.stat().st_size:,} bytes, quality {quality}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
