"""How a model's `call` is given a batch: as one structure, or spread over several arguments."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import Parameter
from typing import Any, Literal

import keras

from actwidget.errors import InvalidInputsError
from actwidget.keras_internals.layers import call_signature

Spread = Literal["", "positions", "names"]
"""`""` for one structure, `"positions"` for a tuple of arguments, `"names"` for a dict of them."""

_PLACED = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
_NAMED = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


def arguments(value: Any, spread: Spread) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The positional and the keyword arguments by which a model is called on a value.

    >>> arguments({"src": 1, "tgt": 2}, "names"), arguments((1, 2), "positions"), arguments((1, 2), "")
    (((), {'src': 1, 'tgt': 2}), ((1, 2), {}), (((1, 2),), {}))
    """
    if spread == "names":
        return (), dict(value)
    return (tuple(value) if spread == "positions" else (value,)), {}


def has_call(model: keras.Model) -> bool:
    """Whether a model can be called: some classes have a `train_step` alone."""
    return "call" in vars(model) or type(model).call not in {keras.Model.call, keras.Layer.call}


class Signature:
    """The arguments of a model's `call` that can hold inputs, which `training` does not."""

    def __init__(self, model: keras.Model) -> None:
        """Reads the arguments of the model's `call`."""
        every = list(call_signature(model).parameters.values())
        known = [each for each in every if each.name != "training"]
        self._name = model.name
        self._before_training = [each.name for each in every if each.kind in _PLACED]
        self._placed = [each.name for each in known if each.kind in _PLACED]
        self._named = [each.name for each in known if each.kind in _NAMED]
        self._more_placed = any(each.kind is Parameter.VAR_POSITIONAL for each in known)
        self._more_named = any(each.kind is Parameter.VAR_KEYWORD for each in known)
        self._needed = [
            each.name for each in known if each.default is Parameter.empty and each.kind in {*_PLACED, *_NAMED}
        ]
        marks: dict[Any, str] = {Parameter.VAR_POSITIONAL: "*", Parameter.VAR_KEYWORD: "**"}
        self._text = ", ".join(
            f"{marks.get(each.kind, '')}{each.name}{'' if each.default is Parameter.empty else f'={each.default!r}'}"
            for each in known
        )

    @property
    def takes_one(self) -> bool:
        """Whether `call` can be given one structure alone."""
        return (bool(self._placed) or self._more_placed) and self._needed in ([], self._placed[:1])

    @property
    def has_one(self) -> bool:
        """Whether `call` has no argument but one that could hold inputs."""
        return len({*self._placed, *self._named}) == 1 and not (self._more_placed or self._more_named)

    @property
    def usual(self) -> Spread:
        """How the model is called where no inputs tell how they are meant."""
        if self.takes_one:
            return ""
        return "positions" if set(self._needed) <= set(self._placed) else "names"

    def ways(self, inputs: Any) -> list[tuple[Spread, Any]]:
        """The ways in which inputs may be meant, the likeliest first, with the inputs as each of them takes them.

        Raises:
            InvalidInputsError: `call` takes several arguments, and the inputs are no tuple or dict of them.
        """
        spread = self._spread(inputs)
        if not self.takes_one:
            if spread is None:
                raise self._refusal(inputs)
            return [spread]
        if spread is None or len(inputs) < (1 if isinstance(inputs, Mapping) else 2):
            return [("", inputs)]
        # A dict of several arguments is hardly ever one argument; a tuple often is.
        by_name = isinstance(inputs, Mapping) and len(inputs) > 1
        return [spread, ("", inputs)] if by_name or not self._placed else [("", inputs), spread]

    def _spread(self, inputs: Any) -> tuple[Spread, Any] | None:
        """Inputs as arguments of their own, if they can be."""
        if isinstance(inputs, Mapping):
            fits = all(map(self._takes_name, inputs)) and set(self._needed) <= set(inputs)
            return ("names", dict(inputs)) if fits else None
        if not isinstance(inputs, (list, tuple)):
            return None
        names = self._placed[: len(inputs)]
        if not set(self._needed) <= set(names) or (len(inputs) > len(names) and not self._more_placed):
            return None
        if names == self._before_training[: len(names)]:
            return "positions", tuple(inputs)
        return ("names", dict(zip(names, inputs, strict=True))) if len(inputs) == len(names) else None

    def _takes_name(self, key: Any) -> bool:
        """Whether an argument of this name can be given inputs."""
        return key in self._named or (self._more_named and isinstance(key, str) and key != "training")

    def _refusal(self, inputs: Any) -> InvalidInputsError:
        by_name = ", ".join(f"{name!r}: ..." for name in self._needed or self._named)
        placed = set(self._needed) <= set(self._placed) and self._placed
        by_place = f"a tuple in this order, ({', '.join(self._needed)}), or " if placed else ""
        if isinstance(inputs, Mapping):
            missing = [name for name in self._needed if name not in inputs]
            unknown = [key for key in inputs if not self._takes_name(key)]
            parts = [f"missing {missing}" * bool(missing), f"unknown {unknown}" * bool(unknown)]
            got = f"a dict of {list(inputs)}: {', '.join(filter(None, parts))}"
        elif isinstance(inputs, (list, tuple)):
            got = f"a {type(inputs).__name__} of {len(inputs)}"
        else:
            got = type(inputs).__name__
        return InvalidInputsError(
            f"Model {self._name!r} takes several arguments, call({self._text}). Give them as {by_place}a dict by "
            f"name, {{{by_name}}}; got {got}."
        )
