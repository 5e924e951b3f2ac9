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


def test_a_long_message_is_broken_into_lines_between_its_words():
    message = "The arithmetic of this layer is not known, since it is one of your own: go on with what it was given."
    (annotation,) = message_figure("own", message).layout.annotations
    lines = annotation.text.split("<br>")
    assert " ".join(lines) == message
    assert len(lines) == 3
    assert max(map(len, lines)) <= 48
