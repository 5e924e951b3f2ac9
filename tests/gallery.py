"""Takes a picture of each kind of figure: `python tests/gallery.py folder [kind ...]`.

Each is drawn by Chromium as a page with the widget draws it, light and dark, wide and narrow.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from browser.lab import browser
from plotly.offline import get_plotlyjs

from actwidget.analysis import histogram, statistics
from actwidget.analysis.difference import difference
from actwidget.analysis.health import summary
from actwidget.analysis.kernels import kernel_pictures
from actwidget.figures import (
    View,
    activation_spec,
    channel_order,
    comparison_spec,
    overlay_spec,
    overview_spec,
    picture,
    scalar_spec,
    values_spec,
    weights_spec,
)
from actwidget.widgets.plot import serialize

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

Spec = dict[str, Any]
RNG = np.random.default_rng(5)
SIZES = {"wide": 900, "narrow": 500}
THEMES = {
    "light": {"text": "#1f2328", "line": "#d0d7de", "background": "#ffffff"},
    "dark": {"text": "#e6e6e6", "line": "#3a3f46", "background": "#111418"},
}
WORDS = ["the", "cat", "sat", "on", "the", "mat", "and", "then", "it", "slept", "all", "day"]
PLOT = Path(__file__).parents[1] / "actwidget" / "widgets" / "plot.js"
DRAW = """
async ([module, spec, images, look, width]) => {
  const url = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
  const { resolveFigure } = await import(url);
  const { data, layout } = resolveFigure(spec, images, look);
  layout.width = width;
  document.body.style.background = look.background;
  document.getElementById("figure").style.height = `${layout.height}px`;
  await Plotly.react("figure", data, layout, { displayModeBar: false });
}
"""


def waves(height: int, width: int, channels: int) -> NDArray[np.float32]:
    """Smooth patterns with both signs, one a channel."""
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j][..., np.newaxis]
    fx, fy, phase = RNG.uniform(1, 9, (3, channels))
    return (np.sin(fx * x * 6 + phase) * np.cos(fy * y * 6) * RNG.uniform(0.2, 2, channels)).astype(np.float32)


def photo() -> NDArray[np.float32]:
    """A disc before a slope of colours."""
    y, x = np.mgrid[-1:1:160j, -1:1:200j]
    sky = np.stack([0.3 + 0.3 * y, 0.5 + 0.2 * x, 0.8 - 0.3 * y], axis=-1)
    return np.where(((x - 0.2) ** 2 + y**2 < 0.3)[..., np.newaxis], [0.95, 0.7, 0.2], sky).clip(0, 1).astype(np.float32)


def view(values: NDArray[Any], *, scaling: Any = "layer", at: Any = None, order: str = "index", **more: Any) -> Spec:
    """The figure of one activation."""
    numbers = statistics(values[np.newaxis])
    channel = more.get("channel")
    own = None if channel is None else values[..., channel]
    return activation_spec(
        View(
            title=more.pop("title", "block3/conv2"),
            picture=picture(values, numbers, channel_order(numbers, order), scaling, at=at),
            numbers=numbers,
            histogram=histogram(values, channel_values=own),
            order_name=order,
            **more,
        )
    )


def maps() -> Spec:
    """Feature maps after a ReLU."""
    return view(np.maximum(waves(28, 28, 48), 0), channel=7)


def robust() -> Spec:
    """A few extreme values left out of the colours."""
    sample = waves(28, 28, 48)
    sample[3, 4, 7], sample[20, 5, 30] = 90, -70
    return view(sample, scaling="robust", channel=7, sample=2)


def broken() -> Spec:
    """NaN and infinity."""
    sample = np.maximum(waves(28, 28, 24), 0)
    sample[5:9, 5:12, 3], sample[15, 10:20, 3], sample[..., 11] = np.nan, np.inf, np.nan
    return view(sample, channel=3)


def volume() -> Spec:
    """One slice of a volume."""
    return view(np.stack([np.maximum(waves(24, 24, 12), 0) for _ in range(5)]), at=(1,), channel=2, title="conv3d")


def sequence() -> Spec:
    """Time by unit, the last steps masked."""
    sample = np.cumsum(RNG.normal(size=(len(WORDS), 24)), axis=0).astype(np.float32) / 4
    mask = np.arange(len(WORDS)) < 9
    return view(sample, channel=5, noun="unit", tokens=WORDS, mask=mask, title="lstm")


def attention() -> Spec:
    """A map for each head."""
    scores = np.exp(RNG.normal(size=(len(WORDS), len(WORDS), 6)) * 2)
    shares = (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)
    return view(shares, channel=2, noun="head", tokens=WORDS, title="block_1/attention/scores")


def classes() -> Spec:
    """The units of a classifier, with the true one."""
    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    scores = np.exp(RNG.normal(size=10) * 2)
    return view(
        (scores / scores.sum()).astype(np.float32), channel=3, noun="unit", class_names=names, label=4, title="out"
    )


def cells() -> Spec:
    """Thousands of units."""
    return view(
        np.tanh(RNG.normal(size=2048)).astype(np.float32), channel=77, noun="unit", order="mean", title="hidden"
    )


def labels() -> Spec:
    """A picture of few distinct integers."""
    flat = waves(60, 80, 5).argmax(axis=-1)
    return values_spec("segmentation/argmax", flat, number_of=1)


def texts() -> Spec:
    """Texts."""
    return values_spec("lookup", np.array([WORDS[:6], WORDS[6:]], dtype=object))


def scalar() -> Spec:
    """One number a sample."""
    return scalar_spec("price", RNG.normal(size=24) * 3 + 5, sample=6)


def weights() -> Spec:
    """Kernels, a bias, a matrix."""
    kernel = RNG.normal(size=(5, 5, 3, 32)).astype(np.float32)
    shown = kernel_pictures(kernel, input_channel=1)
    assert shown is not None
    arrays = {"kernel": kernel, "bias": RNG.normal(size=32).astype(np.float32)}
    return weights_spec("conv1", arrays, {"kernel": shown.values}, 4, {"kernel": shown.words})


def overview() -> Spec:
    """The whole network."""
    rows = []
    for number in range(14):
        value = np.maximum(waves(8, 8, 12) - 0.06 * number, 0)
        value[..., : number // 2] = 0
        rows.append(
            summary(f"block{number // 4 + 1}/conv{number % 4 + 1}", value[np.newaxis], statistics(value[np.newaxis]))
        )
    return overview_spec(rows, "small · 14 layers", "block2/conv3")


def comparison() -> Spec:
    """Two activations and what is between them."""
    first = np.maximum(waves(20, 20, 30), 0)
    second = first * RNG.uniform(0.6, 1.2, 30).astype(np.float32)
    return comparison_spec("conv2", first, second, difference(first, second), names=("before", "after"), channel=4)


def overlay() -> Spec:
    """A channel over the input."""
    spec = overlay_spec("conv2", photo(), np.maximum(waves(40, 50, 9)[..., 3], 0), channel=3)
    assert spec is not None
    return spec


def patch() -> Spec:
    """What one position depends on."""
    values = waves(20, 25, 9)[..., 3]
    spec = overlay_spec("conv5", photo(), values, channel=3, cell=(8, 15), box=(40, 90, 100, 160))
    assert spec is not None
    return spec


KINDS: tuple[Callable[[], Spec], ...] = (
    *(maps, robust, broken, volume, sequence, attention, classes, cells, labels, texts, scalar),
    *(weights, overview, comparison, overlay, patch),
)


def main(folder: Path, wanted: list[str]) -> None:
    """Writes the pictures into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    module = PLOT.read_text(encoding="utf-8")
    with browser() as chromium:
        page = chromium.new_page()
        complaints: list[str] = []
        page.on(
            "console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.set_content('<body style="margin:8px"><div id="figure" style="display:inline-block"></div></body>')
        page.add_script_tag(content=get_plotlyjs())
        for kind in (kind for kind in KINDS if not wanted or kind.__name__ in wanted):
            sent = serialize(kind())
            for theme, look in THEMES.items():
                for size, width in SIZES.items():
                    page.set_viewport_size({"width": width + 16, "height": 1600})
                    told = {**look, "narrow": size == "narrow"}
                    page.evaluate(DRAW, [module, sent.spec, sent.images, told, width])
                    page.locator("#figure").screenshot(path=folder / f"{kind.__name__}-{theme}-{size}.png")
        page.close()
    if complaints:
        sys.exit("\n".join(complaints))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
