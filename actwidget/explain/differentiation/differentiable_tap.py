"""A tap for passes that are differentiated: it keeps what a final softmax was given, and reaches attention scores."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import keras

from actwidget.capture.run.editor import Edit, in_turn
from actwidget.capture.run.tap import Frame, Tap
from actwidget.capture.structure.call_names import SCORES, CallNames, has_scores, layer_at
from actwidget.explain.differentiation.ending import Ending, ending_of
from actwidget.keras_internals.layers import call_signature

_ASKING = "return_attention_scores"


class DifferentiableTap(Tap):
    """Runs a model with changes put in, and keeps what is needed to differentiate it.

    Attributes:
        endings: The calls that end with a softmax or sigmoid, by the `id` of the tensor that they gave.
    """

    def __init__(
        self,
        root: keras.Model,
        *,
        wanted: tuple[str, ...] = (),
        edits: Mapping[str, Edit] | None = None,
        changes: Mapping[str, Callable[[Any], Any]] | None = None,
        allow_unreached: frozenset[str] = frozenset(),
    ) -> None:
        """Prepares a pass.

        Args:
            root: The model to run.
            wanted: The paths to record.
            edits: From path to the layer with which the user has edited the model.
            changes: From path to what is put in at that path, behind the user's edits. It may be the path of attention
                scores, which the model computes explicitly then.
            allow_unreached: The paths of the edits that may remain unmade.
        """
        self.endings: dict[int, Ending] = {}
        self._edited_paths = frozenset(edits or {})
        self._asked: dict[str, str] = {}  # the attention layers, with the names of their softmax
        self._scores: dict[str, Edit] = {}
        self._opened: dict[int, Ending] = {}
        both: dict[str, list[Edit]] = {path: [edit] for path, edit in (edits or {}).items()}
        taken = dict.fromkeys(wanted, True)
        for path, change in (changes or {}).items():
            if (layer := _attention_layer(root, path)) is None:
                both.setdefault(path, []).append(change)
                continue
            softmax = _softmax_of(root, layer)
            self._asked[layer] = softmax
            taken.pop(path, None)
            if softmax:
                both.setdefault(softmax, []).append(change)
                taken[softmax] = True
            else:
                self._scores[layer] = change
        together = {path: functools.partial(in_turn, each) for path, each in both.items()}
        super().__init__(root, wanted=tuple(taken), edits=together, allow_unreached=allow_unreached)

    def take_inputs(self, frame: Frame, operation: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """Notes the arguments of what may be the model's last call, and asks attention layers for their scores."""
        args, kwargs = super().take_inputs(frame, operation, args, kwargs)
        path = _path(frame)
        if name := ending_of(operation):
            self._opened[id(frame)] = Ending(name, operation, args, kwargs)
        if path in self._asked and not kwargs.get(_ASKING):
            self._opened[id(frame)] = Ending("", operation, args, kwargs)
            kwargs = {**kwargs, _ASKING: True}
        return args, kwargs

    def leave(self, frame: Frame, outputs: Any) -> Any:
        """Takes the scores from the outputs of an attention layer, and notes what a softmax gave."""
        noted, path = self._opened.pop(id(frame), None), _path(frame)
        if path in self._asked:
            outputs = self._with_scores(path, frame, noted, outputs)
        outputs = super().leave(frame, outputs)
        if noted is not None and noted.name and path not in self._edited_paths:
            for tensor in keras.tree.flatten(outputs):
                self.endings[id(tensor)] = Ending(noted.name, noted.operation, noted.args, noted.kwargs, tensor)
        return outputs

    def _with_scores(self, path: str, frame: Frame, noted: Ending | None, outputs: Any) -> Any:
        """The outputs of an attention layer that goes on with changed scores."""
        result, scores = outputs[0], outputs[1]
        if path in self._scores:  # the result of these layers is the scores times the values
            changed = self._scores[path](scores)
            given = noted.args if noted is not None else ()
            value = (given[0] if given else frame.call.operation.input)[1]
            result = result + keras.ops.cast(
                keras.ops.matmul(changed - scores, keras.ops.cast(value, scores.dtype)), result.dtype
            )
            self.values[f"{path}/{SCORES}"] = changed
        else:
            self.values[f"{path}/{SCORES}"] = self.values.get(self._asked[path], scores)
        return result if noted is not None else (result, *outputs[1:])


def reached(tap: DifferentiableTap, path: str) -> bool:
    """Whether the latest pass of a tap has put in the change at a path."""
    return path in tap.editor.reached or path in tap.values


def _path(frame: Frame) -> str:
    return "" if frame.outer is None else frame.outer.prefix + frame.call.name


def _attention_layer(root: Any, path: str) -> str | None:
    """The path of the attention layer whose scores a path is; `None` for any other path."""
    layer, _, name = path.rpartition("/")
    if name != SCORES or not layer:
        return None
    operation = layer_at(root, layer)
    return layer if operation is not None and _gives_scores(operation) else None


def _gives_scores(operation: Any) -> bool:
    return has_scores(operation) and _ASKING in call_signature(operation).parameters


def _softmax_of(root: Any, layer: str) -> str:
    """The path of the softmax layer inside an attention layer; `""` where it has none."""
    known = CallNames(layer_at(root, layer)).known
    return next((f"{layer}/{name}" for name, each in known.items() if isinstance(each, keras.layers.Softmax)), "")
