"""A figure of words alone."""

from __future__ import annotations

from actwidget.figures import message_figure


def test_a_message_is_shown_literally_and_cut_where_it_is_too_long():
    figure = message_figure("<b>", "<i>" + "why " * 500, height=300)
    (annotation,) = figure.layout.annotations
    assert figure.layout.title.text == "&lt;b&gt;"
    assert annotation.text.startswith("&lt;i&gt;why why")
    assert len(annotation.text) < 450
    assert (len(figure.data), figure.layout.height) == (0, 300)
