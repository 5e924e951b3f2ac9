"""The contrast of text with every background that it can have is at least 4.5 to 1, and 3 to 1 for dimmed text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import actwidget.widgets

FRONTEND = Path(actwidget.widgets.__file__).parent / "frontend"
SHEETS = sorted(FRONTEND.glob("*.css"))
# Sets the colours of marimo for the other sheets; it has no text of its own.
SHEETS.remove(FRONTEND / "composite.css")
# Coloured areas that never have text on them.
WITHOUT_TEXT = re.compile(r"\.actw-bar\b|^to$")
# For what is dimmed, and for signs that are no text, 3 to 1 is enough.
DIMMED = re.compile(r'aria-disabled="true"|:disabled|\.actw-tree-mark\b')
# These stand on no other background than that of the page.
ON_THE_PAGE = re.compile(r"\.actw-(warning|alert|samples-error)\b|^\.jupyter-widgets-disconnected \.actw-plot::before$")

# What the themes of JupyterLab 4 set.
LIGHT = {
    "--jp-border-color2": "#e0e0e0",
    "--jp-brand-color1": "#1976d2",
    "--jp-content-link-color": "#0d47a1",
    "--jp-error-color1": "#d32f2f",
    "--jp-layout-color0": "#ffffff",
    "--jp-layout-color1": "#ffffff",
    "--jp-layout-color2": "#eeeeee",
    "--jp-layout-color3": "#bdbdbd",
    "--jp-ui-font-color1": "rgba(0, 0, 0, 0.87)",
    "--jp-ui-font-color2": "rgba(0, 0, 0, 0.54)",
}
DARK = {
    "--jp-border-color2": "#424242",
    "--jp-brand-color1": "#2196f3",
    "--jp-content-link-color": "#64b5f6",
    "--jp-error-color1": "#f44336",
    "--jp-layout-color0": "#111111",
    "--jp-layout-color1": "#212121",
    "--jp-layout-color2": "#424242",
    "--jp-layout-color3": "#616161",
    "--jp-ui-font-color1": "rgba(255, 255, 255, 0.87)",
    "--jp-ui-font-color2": "rgba(255, 255, 255, 0.54)",
}


def rules(css):
    """The rules of a style sheet as pairs of a selector and its declarations; at-rules are opened."""
    css = re.sub(r"/\*.*?\*/|@import[^;]*;", "", css, flags=re.DOTALL)
    for selector, body in re.findall(r"([^{};]+)\{([^{}]*)\}", css):
        pairs = (line.split(":", 1) for line in body.split(";") if ":" in line)
        yield " ".join(selector.split()), {name.strip(): " ".join(value.split()) for name, value in pairs}


def dark_hosts():
    """What is set here in dark hosts that are no JupyterLab."""
    return next(body for selector, body in rules((FRONTEND / "theme.css").read_text()) if "dark" in selector)


def arguments(text):
    """The arguments of a CSS function, split at the commas outside of parentheses."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def color(text, variables):
    """A CSS colour as red, green, blue and opacity, all from 0 to 1; `None` for what is no colour of its own."""
    name, _, rest = text.removesuffix(")").partition("(")
    given = arguments(rest)
    if name == "var":
        value = variables.get(*given) if len(given) == 2 else variables.get(given[0])
        return None if value is None else color(value, variables)
    if name in {"rgb", "rgba"}:
        numbers = [float(each.rstrip("%")) / (100 if "%" in each else 1) for each in re.findall(r"[\d.]+%?", rest)]
        return (*(number / 255 for number in numbers[:3]), *(numbers[3:] or [1.0]))
    if name == "color-mix":
        first, _, share = given[1].rpartition(" ")
        return mixed(color(first, variables), color(given[2], variables), float(share.removesuffix("%")) / 100)
    if name.startswith("#"):
        digits = name[1:] if len(name) == 7 else "".join(digit * 2 for digit in name[1:])
        return (*(int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)), 1.0)
    return {"white": (1.0, 1.0, 1.0, 1.0), "transparent": (0.0, 0.0, 0.0, 0.0)}.get(name)


def mixed(first, second, weight):
    """The colour that `color-mix(in srgb, ...)` gives, which weighs each by its opacity."""
    opacity = weight * first[3] + (1 - weight) * second[3]
    parts = (weight * a * first[3] + (1 - weight) * b * second[3] for a, b in zip(first[:3], second[:3], strict=True))
    return (*(part / opacity for part in parts), opacity)


def over(top, bottom):
    """A colour on an opaque one."""
    return tuple(a * top[3] + b * (1 - top[3]) for a, b in zip(top[:3], bottom[:3], strict=True))


def luminance(rgb):
    """The relative luminance of WCAG 2."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first, second):
    """The contrast of WCAG 2, from 1 to 21."""
    darker, lighter = sorted((luminance(first), luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


THEMES = {"JupyterLab light": LIGHT, "JupyterLab dark": DARK, "no theme": {}, "dark hosts": dark_hosts()}


def test_the_contrast_and_the_colours_of_css_are_computed_as_wcag_and_css_say():
    assert contrast((0, 0, 0), (1, 1, 1)) == pytest.approx(21)
    assert contrast(color("#767676", {})[:3], (1, 1, 1)) == pytest.approx(4.54, abs=0.01)
    assert color("var(--a, #fff)", {}) == color("white", {}) == (1, 1, 1, 1)
    assert color("color-mix(in srgb, #f00 25%, transparent)", {}) == (1, 0, 0, 0.25)
    assert color("color-mix(in srgb, var(--a) 50%, rgb(0 0 0 / 100%))", {"--a": "#f00"}) == (0.5, 0, 0, 1)
    assert over((1, 1, 1, 0.5), (0, 0, 0)) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_text_stands_out_from_every_background_of_its_sheet(sheet, theme):
    found = list(rules(sheet.read_text()))
    shared = [*rules((FRONTEND / "explorer.css").read_text()), *rules((FRONTEND / "theme.css").read_text())]
    variables = {
        name: value for _, body in [*shared, *found] for name, value in body.items() if name.startswith("--actw")
    }
    variables |= THEMES[theme]
    page = color("var(--jp-layout-color1, #ffffff)", variables)
    backgrounds = {"the page": page[:3]}
    for selector, body in found:
        area = color(body.get("background", body.get("background-color", "none")), variables)
        if area is not None and not WITHOUT_TEXT.search(selector):
            backgrounds[selector] = over(area, page)
    for selector, body in found:
        text = color(body.get("color", "inherit"), variables)
        if text is None:
            continue
        least = 3 if DIMMED.search(selector) else 4.5
        low = {
            where: round(ratio, 2)
            for where, area in backgrounds.items()
            if (where == "the page" or not ON_THE_PAGE.search(selector))
            and (ratio := contrast(over(text, area), area)) < least
        }
        assert low == {}, f"{selector} of {sheet.name}"
