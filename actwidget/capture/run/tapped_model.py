"""`Tapped`: a `keras.Model` around another one, with a tap on it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras

from actwidget.capture.run.tap import Tap
from actwidget.capture.structure.call_arguments import Signature
from actwidget.capture.structure.call_names import Edited
from actwidget.capture.structure.stable_paths import path_in, stable_path
from actwidget.keras_internals.graph import function_of
from actwidget.keras_internals.layers import call_signature, set_call_signature, set_takes_training, takes_training
from actwidget.keras_internals.symbolic import in_symbolic_scope
from actwidget.keras_internals.versions import TRAINING_DROPPED


def _of_one_structure(inputs: Any, training: bool | None = None, mask: Any = None) -> None:  # noqa: FBT001 - Keras's signature
    """The signature of `call` for a model that takes all its inputs as one structure."""


def _signature_of_one(model: keras.Layer) -> inspect.Signature:
    """How a model is called that takes all of its inputs as one structure."""
    signature = inspect.signature(_of_one_structure)
    if not TRAINING_DROPPED.applies or takes_training(model):
        return signature
    taken = [parameter for name, parameter in signature.parameters.items() if name != "training"]
    return signature.replace(parameters=taken)


@dataclass
class _Untracked:
    """Holds values that Keras must not wrap and track, as it does with lists and dicts among a layer's attributes."""

    paths: str | list[str] | dict[str, str] | None
    allow_unreached: frozenset[str] = frozenset()
    reached: set[str] = field(default_factory=set)
    specs: Any = None


@keras.saving.register_keras_serializable(package="actwidget")
class Tapped(keras.Model, Edited):  # type: ignore[misc]  # Keras has no type hints
    """Runs a model and returns some of its activations, or the model's own output after edits of its activations.

    It shares the model's weights, works when called and under `predict` and `fit`, and is saved with the model inside.

    Attributes:
        model: The model inside.
        edits: For each path the layer that its value goes through.
        allow_unreached: The paths of the edits that a call may leave out.
    """

    def __init__(
        self,
        model: keras.Model,
        paths: str | list[str] | dict[str, str] | None = None,
        edits: Mapping[str, keras.Layer] | None = None,
        *,
        allow_unreached: Collection[str] = (),
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Puts a tap on `model`.

        Args:
            model: The model to run.
            paths: The path whose activation is the output, or a list or dict of them; `None` for the model's output.
            edits: For each path the layer that its value goes through before it goes on.
            allow_unreached: The paths of edits that a call may leave out, as the model need not call their layers.
            name: The name.
            **kwargs: What `keras.Model` takes.
        """
        # The inputs come to the model inside in their own dtype, as they would without a tap.
        super().__init__(name=name or f"{model.name}_tapped", autocast=False, **kwargs)
        self.model = model
        self.edits = dict(edits or {})
        self._plain = _Untracked(paths, frozenset(allow_unreached))
        self.supports_masking = True
        set_takes_training(self, takes=takes_training(model))  # of which Keras's trainer makes its call
        self.built = model.built and all(layer.built for layer in self.edits.values())
        # Keras binds the arguments of a call by this.
        of_one = function_of(model) is not None or Signature(model).has_one
        set_call_signature(self, _signature_of_one(model) if of_one else call_signature(model))

    def call(self, *args: Any, training: bool | None = None, **kwargs: Any) -> Any:
        """Runs the model inside. If `training` is not given, it is not passed on, so the model chooses its own default.

        Raises:
            NotCapturableError: The model did not call one of the layers in this pass.
        """
        paths, plain = self._plain.paths, self._plain
        wanted = set(self._wanted)
        tap = Tap(self.model, wanted=wanted, edits=self.edits, allow_unreached=plain.allow_unreached, stop=True)
        if not in_symbolic_scope():  # a call that only asks for shapes computes nothing
            plain.reached = tap.editor.reached
        mask = kwargs.get("mask")
        # Keras passes a mask of only `None`s when the caller has given none.
        if keras.tree.flatten(mask) == [None] or "mask" not in call_signature(self.model).parameters:
            kwargs.pop("mask", None)
        outputs = tap.run(*args, **kwargs, **({} if training is None else {"training": training}))
        tap.check_edits()
        if paths is None:
            return outputs
        tap.check_values(wanted)
        return keras.tree.map_structure(lambda path: tap.values[path], paths)

    @property
    def allow_unreached(self) -> frozenset[str]:
        """The paths of the edits that a call may leave out."""
        return self._plain.allow_unreached

    @property
    def reached(self) -> dict[str, bool]:
        """For the path of each edit whether the latest call made it; all `False` before the first one.

        In a step that TensorFlow compiles, as under `predict` and `fit`, the latest call is the one that was traced.
        """
        return {path: path in self._plain.reached for path in self.edits}

    @property
    def _wanted(self) -> list[str]:
        """The paths whose activations are the outputs."""
        return [] if self._plain.paths is None else list(keras.tree.flatten(self._plain.paths))

    def expect(self, specs: Any) -> None:
        """Sets the shapes and dtypes of the outputs, as `keras.KerasTensor`s, so that a symbolic call runs nothing."""
        self._plain.specs = specs

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The shapes and dtypes of the outputs."""
        return super().compute_output_spec(*args, **kwargs) if self._plain.specs is None else self._plain.specs

    def compute_mask(self, _inputs: Any, _previous_mask: Any = None) -> None:
        """Does nothing: the outputs keep the masks that they got inside the model."""

    def export(self, filepath: Any, *args: Any, **kwargs: Any) -> None:
        """As of any Keras model; where no `input_signature` is given it is that of the model inside.

        Args:
            filepath: Where to write.
            *args: What `keras.Model.export` takes.
            **kwargs: The same by name.
        """
        if len(args) < 3 and kwargs.get("input_signature") is None:
            kwargs["input_signature"] = self._signature()
        super().export(filepath, *args, **kwargs)

    def _signature(self) -> list[Any] | None:
        """The symbolic inputs of the model inside; `None` if Keras has to find them out from a call."""
        if (function := function_of(self.model)) is not None:
            return [function.input]
        shape = (self.model.get_build_config() or {}).get("input_shape")
        if shape is None:
            return None
        dtype = self.model.input_dtype
        spec = functools.partial(keras.KerasTensor, dtype=dtype)
        return [keras.tree.map_shape_structure(lambda each: spec((None, *each[1:])), shape)]

    def get_config(self) -> dict[str, Any]:
        """The model inside, the paths and the edits, as Keras saves them."""
        save = keras.saving.serialize_keras_object
        edits = {path: save(layer) for path, layer in self.edits.items()}
        paths = self._plain.paths
        words = {path: stable_path(self.model, path) for path in [*edits, *self._wanted]}
        config = {"name": self.name, "model": save(self.model), "paths": paths, "edits": edits, "words": words}
        return {**config, "allow_unreached": sorted(self.allow_unreached)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Tapped:
        """Makes the model from what `get_config` gave.

        Raises:
            LayerNotFoundError: The model inside has no layer at one of the paths.
        """
        load = functools.partial(keras.saving.deserialize_keras_object, custom_objects=custom_objects)
        config = dict(config)
        model = load(config.pop("model"))
        now = {path: path_in(model, words) for path, words in config.pop("words").items()}
        edits = {now[path]: load(layer) for path, layer in config.pop("edits").items()}
        paths = config.pop("paths")
        allowed = [now[path] for path in config.pop("allow_unreached", ())]
        wanted = paths and keras.tree.map_structure(now.__getitem__, paths)
        return cls(model, wanted, edits, allow_unreached=allowed, **config)
