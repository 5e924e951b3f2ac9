"""`Tapped`: a `keras.Model` around another one, with a tap on it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras

from actwidget.capture.lasting import found_again, lasting
from actwidget.capture.level import Edited
from actwidget.capture.tap import Tap, refusal
from actwidget.errors import NotCapturableError


@dataclass
class _Untracked:
    """Holds what Keras would otherwise wrap and track, as it does with lists and dicts."""

    paths: str | list[str] | dict[str, str] | None
    specs: Any = None


@keras.saving.register_keras_serializable(package="actwidget")
class Tapped(keras.Model, Edited):  # type: ignore[misc]  # Keras has no type hints
    """Runs a model and gives some of its activations, or its own output with activations changed on the way.

    It shares the model's weights, works when called and under `predict` and `fit`, and is saved with the model inside.

    Attributes:
        model: The model inside.
        edits: For each path the layer that its value goes through.
    """

    def __init__(
        self,
        model: keras.Model,
        paths: str | list[str] | dict[str, str] | None = None,
        edits: Mapping[str, keras.Layer] | None = None,
        *,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Puts a tap on `model`.

        Args:
            model: The model to run.
            paths: The path whose activation is the output, or a list or dict of them; `None` for the model's output.
            edits: For each path the layer that its value goes through before it goes on.
            name: The name.
            **kwargs: What `keras.Model` takes.
        """
        # The inputs come to the model inside in their own dtype, as they would without a tap.
        super().__init__(name=name or f"{model.name}_tapped", autocast=False, **kwargs)
        self.model = model
        self.edits = dict(edits or {})
        self._plain = _Untracked(paths)
        self.supports_masking = True
        self._call_has_training_arg = model._call_has_training_arg  # of which Keras's trainer makes its call

    def call(self, inputs: Any, training: bool | None = None) -> Any:  # noqa: FBT001 - Keras's signature
        """Runs the model inside; where it is not said whether it trains, that is left to the model.

        Raises:
            NotCapturableError: The model did not call one of the layers in this pass.
        """
        paths, wanted = self._plain.paths, self._wanted
        tap = Tap(self.model, wanted=set(wanted), edits=self.edits, stop=True)
        outputs = tap.run(inputs, **({} if training is None else {"training": training}))
        if paths is None:
            return outputs
        if missing := [path for path in wanted if path not in tap.values]:
            if reason := tap.why_refused(missing[0]):
                raise refusal(self.model.name, missing[0], reason)
            message = f"Model {self.model.name!r} gave no value for {missing} in this forward pass."
            raise NotCapturableError(message)
        return keras.tree.map_structure(lambda path: tap.values[path], paths)

    @property
    def _wanted(self) -> list[str]:
        """The paths whose activations are the outputs."""
        return [] if self._plain.paths is None else list(keras.tree.flatten(self._plain.paths))

    def expect(self, specs: Any) -> None:
        """Tells what the outputs will be, as `keras.KerasTensor`s, so that a symbolic call need not run the model."""
        self._plain.specs = specs

    def compute_output_spec(self, inputs: Any, **kwargs: Any) -> Any:
        """The shapes and dtypes of the outputs."""
        return super().compute_output_spec(inputs, **kwargs) if self._plain.specs is None else self._plain.specs

    def compute_mask(self, _inputs: Any, _previous_mask: Any = None) -> None:
        """The outputs have the masks that they got inside the model."""

    def get_config(self) -> dict[str, Any]:
        """The model inside, the paths and the edits, as Keras saves them."""
        save = keras.saving.serialize_keras_object
        edits = {path: save(layer) for path, layer in self.edits.items()}
        paths = self._plain.paths
        words = {path: lasting(self.model, path) for path in [*edits, *self._wanted]}
        return {"name": self.name, "model": save(self.model), "paths": paths, "edits": edits, "words": words}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Tapped:
        """Makes the model from what `get_config` gave.

        Raises:
            LayerNotFoundError: The model inside has no layer at one of the paths.
        """
        load = functools.partial(keras.saving.deserialize_keras_object, custom_objects=custom_objects)
        config = dict(config)
        model = load(config.pop("model"))
        now = {path: found_again(model, words) for path, words in config.pop("words").items()}
        edits = {now[path]: load(layer) for path, layer in config.pop("edits").items()}
        paths = config.pop("paths")
        return cls(model, paths and keras.tree.map_structure(now.__getitem__, paths), edits, **config)
