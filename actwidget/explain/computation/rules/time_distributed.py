"""`TimeDistributed`: the layer that it wraps, at one step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from actwidget.capture.structure.call_names import CallNames
from actwidget.explain.computation.rules.recurrent import at_step
from actwidget.explain.computation.site import Rule, Site, Sum, UnknownArithmeticError


def distributed(site: Site) -> Sum:
    """What it gives is what the wrapped layer gives at the step."""
    name, _ = CallNames(site.operation).call(site.operation.layer)
    path = f"{site.path}/{name}"
    return Sum([site.at(path).products([site.index])])


def wrapped(site: Site, name: str, rule_of: Callable[[object], Rule]) -> Sum:
    """A value of the wrapped layer, by its path below the layer.

    Raises:
        UnknownArithmeticError: It is of a layer further inside, whose inputs at one step are not captured.
    """
    layer, (sample, step, *rest) = site.operation, site.index
    own, _ = CallNames(layer).call(layer.layer)
    if name != own:
        message = f"It runs once a time step in {layer.name!r}, where what single layers are given is not captured."
        raise UnknownArithmeticError(message)
    given = at_step(site.input, step)
    index = (sample, *rest)
    masked = replace(given, mask=None)
    inner = Site(layer.layer, f"{site.path}/{own}", (masked,), {}, index, site.output[:, step], at=site.at)
    return rule_of(layer.layer)(inner)
