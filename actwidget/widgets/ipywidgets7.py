"""What ipywidgets 7, which Colab has, does in another way than ipywidgets 8."""

from __future__ import annotations

from typing import Any


def view_bundle(widget: Any) -> dict[str, Any]:
    """The output that shows a widget, as a mapping from MIME types to representations of it.

    It can go when the floor is ipywidgets 8, where `_repr_mimebundle_` returns this. In ipywidgets 7 a widget displays
    itself and has no such method.

    Args:
        widget: A widget that has not been closed.
    """
    view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    return {"text/plain": repr(widget), "application/vnd.jupyter.widget-view+json": view}


def with_tooltip(kind: Any, options: dict[str, Any]) -> dict[str, Any]:
    """The options of a widget, with its tooltip under the name that its class has for it.

    It can go when the floor is ipywidgets 8. In ipywidgets 7 the tooltip of a control with a description is called
    `description_tooltip`, and `tooltip` would be ignored without an error.

    Args:
        kind: The class of the widget.
        options: Its options, as ipywidgets 8 takes them.
    """
    if "tooltip" in options and not hasattr(kind, "tooltip"):
        options = {**options, "description_tooltip": options["tooltip"]}
        del options["tooltip"]
    return options
