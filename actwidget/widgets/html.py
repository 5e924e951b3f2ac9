"""The explorer's lines of text as HTML; all text that comes from a model is escaped."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from actwidget.errors import short
from actwidget.explorer.description.facts import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actwidget.capture.structure.node import LayerNode
    from actwidget.explorer.answers.predictions import TopAnswers
    from actwidget.explorer.description.facts import Fact

ORIGINS = {
    "functional": "The explorer reads this activation with a sub-model.",
    "composed": "The explorer reads this activation with a sub-model for each nested model.",
    "tapped": "The explorer records this activation during a run of the model.",
    "opaque": "This activation is not available.",
}
"""How an activation is obtained, for each `LayerNode.origin`."""


def escape(text: str, limit: int = 120) -> str:
    """Text from a model, shortened to one line of limited length and escaped for HTML."""
    return html.escape(short(text, limit))


def size_of(tree: LayerNode) -> str:
    """How large a model is, as `144 layers · 4,650,000 parameters`."""
    return f"{plural(tree.layer_count, 'layer')} · {plural(tree.parameters, 'parameter')}"


def header(tree: LayerNode) -> str:
    """The model's name and size."""
    name, size = tree.name, size_of(tree)
    return (
        f'<span class="actw-model" title="{escape(name, 400)} · {size}">{escape(name)}</span>'
        f'<span class="actw-muted actw-size">{size}</span>'
    )


def prediction(answers: TopAnswers) -> str:
    """The model's answer for the sample as a short list, each probability with a bar; empty without an answer."""
    if not answers.items:
        return ""
    has_bars = any(item.share is not None for item in answers.items)
    rows = "".join(
        f'<li><span class="actw-answer" title="{escape(item.name, 400)}">{escape(item.name)}</span>'
        f"{_bar(item.share) if has_bars else ''}<span>{escape(item.text)}</span></li>"
        for item in answers.items
    )
    output, label = "", "The model's answer"
    if answers.output:
        label += f", output {answers.output}"
        output = f'<span class="actw-output" title="{escape(label, 400)}">{escape(answers.output)}</span>'
    kind = "actw-tops" if has_bars else "actw-tops actw-no-bars"
    return f'{output}<ol class="{kind}" aria-label="{escape(label, 400)}">{rows}</ol>'


def _bar(share: float | None) -> str:
    """A bar for a probability."""
    width = 100 * max(0.0, min(1.0, share or 0.0))
    return f'<span class="actw-bar"><span style="width:{width:.1f}%"></span></span>'


def title(heading: str, sentence: str) -> str:
    """The name of the selected layer, or of the network, and below it a sentence on what it is and gives."""
    return (
        f'<div class="actw-path" title="{escape(heading, 400)}">{escape(heading)}</div>'
        f'<div class="actw-sentence" title="{escape(sentence, 400)}">{escape(sentence)}</div>'
    )


def facts(statements: Sequence[Fact] | str) -> str:
    """A layer's statistics as a list of terms with warnings marked, or one sentence."""
    if isinstance(statements, str):
        words = escape(statements, 700)
        return f'<p class="actw-muted" title="{words}">{words}</p>' if statements else ""
    if not statements:
        return ""
    items = "".join(
        f"<div><dt>{fact.term}</dt><dd{' class=actw-warning' if fact.warns else ''}>{escape(fact.text)}</dd></div>"
        for fact in statements
    )
    return f'<dl class="actw-numbers">{items}</dl>'


def aside(text: str) -> str:
    """Text of less importance, in a muted colour."""
    return f'<span class="actw-muted">{escape(text)}</span>'


def progress(done: int, total: int) -> str:
    """A bar that shows how far some work has come."""
    return f'<progress class="actw-progress" aria-label="Progress" max="{total}" value="{done}"></progress>'


def live(role: str, text: str) -> str:
    """A line that a screen reader speaks when it changes; `role` is `status` or `alert`."""
    words = escape(text, 2000)
    # The status is one line, which ends in an ellipsis where there is no room for all of it.
    tooltip = f' title="{words}"' if role == "status" and words else ""
    return f'<div role="{role}" class="actw-{role}"{tooltip}>{words}</div>'
