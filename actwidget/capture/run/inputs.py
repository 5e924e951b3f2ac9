"""Checks the user's inputs against the model, with errors that say what to change."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import numpy as np

from actwidget.capture.run.conversion import as_array, columns, is_option, is_shared, is_uneven
from actwidget.capture.structure.call_arguments import Spread
from actwidget.capture.structure.shapes import fits
from actwidget.errors import InvalidInputsError, shown
from actwidget.keras_internals.backend import backend
from actwidget.keras_internals.tensors import is_declared_ragged, producer
from actwidget.keras_internals.versions import NAMED_INPUTS_NEEDED


@dataclass(frozen=True)
class Batch:
    """Inputs that fit the model.

    Attributes:
        value: Arrays in the structure of the model's inputs. The first axis of each is the batch axis, unless `lengths`
            is set.
        size: The number of samples; inputs of different lengths count as one sample.
        note: What was changed to make them fit, in words; `""` if nothing was.
        fed: What the model gets: the same as `value`, except that ragged and sparse tensors stay such.
        lengths: If the inputs differ in length, like the nodes and edges of a graph, the length of each one by name.
        columns: The names of the features, if the inputs are one table that has them; otherwise empty.
    """

    value: Any
    size: int
    note: str
    fed: Any
    lengths: Mapping[str, int] = field(default_factory=dict)
    columns: Sequence[str] = ()

    def rows(self, start: int, stop: int) -> Any:
        """The part of `fed` with the samples from `start` up to `stop`."""
        if start == 0 and stop >= self.size:
            return self.fed
        return keras.tree.map_structure(lambda leaf: _rows(leaf, start, min(stop, self.size)), self.fed)

    @property
    def samples(self) -> list[Any]:
        """The arrays in the order of `keras.tree.flatten`, one row per sample; `None` for an input left out."""
        flat = keras.tree.flatten(self.value)
        return [None if each is None else each[np.newaxis] for each in flat] if self.lengths else flat

    def noted(self, note: str) -> Batch:
        """The same batch with one more note."""
        return replace(self, note=" ".join(filter(None, [note, self.note])))

    def kept(self) -> Batch:
        """The same batch in read-only copies of the arrays, so that changes of the user's arrays do not affect it."""
        own: dict[int, Any] = {}
        for leaf in keras.tree.flatten([self.value, self.fed]):
            if isinstance(leaf, np.ndarray) and id(leaf) not in own:
                own[id(leaf)] = leaf.copy()
                own[id(leaf)].flags.writeable = False
        value, fed = (
            keras.tree.map_structure(lambda leaf: own.get(id(leaf), leaf), side) for side in (self.value, self.fed)
        )
        return replace(self, value=value, fed=fed)


def _rows(leaf: Any, start: int, stop: int) -> Any:
    return leaf if is_shared(leaf) else backend.rows(leaf, start, stop)


def prepare(inputs: Any, expected: Any, model_name: str, spread: Spread = "") -> Batch:
    """Checks inputs against a model's symbolic inputs and brings them into its structure and dtypes.

    A missing batch axis, or a missing channel axis of length 1, is added if that is unambiguous.

    Args:
        inputs: The user's inputs: an array, or a list or dict of arrays as the model takes it.
        expected: The structure of the model's `keras.KerasTensor` inputs; `None` for a model without any, which gets
            the arrays as they are.
        model_name: The model's name, for messages.
        spread: How a model without symbolic inputs takes several inputs: as one structure or as separate arguments.

    Raises:
        InvalidInputsError: They do not fit; the message says what was expected, what came and what to do.
    """
    if expected is None:
        return _as_given(inputs, model_name, spread)
    pairs = _paired(inputs, expected, model_name)
    notes: dict[str, None] = {}
    arrays, fed = [], []
    for tensor, value in pairs:
        if value is None and isinstance(expected, Mapping) and NAMED_INPUTS_NEEDED.applies:
            raise _missing(tensor, model_name, f" With {NAMED_INPUTS_NEEDED.releases}, {NAMED_INPUTS_NEEDED.what}.")
        array, note = _fitted(value, tensor, model_name)
        arrays.append(array)
        # A sparse tensor for an input that is declared dense is made dense, as Keras does.
        stays_uneven = is_uneven(value) and (is_declared_ragged(tensor) or tensor.sparse)
        fed.append(keras.ops.cast(value, tensor.dtype) if stays_uneven else array)
        notes.update(dict.fromkeys(filter(None, [note])))
    sizes = {_name(tensor): len(array) for (tensor, _), array in zip(pairs, arrays, strict=True) if array is not None}
    pack = functools.partial(keras.tree.pack_sequence_as, expected)
    batch = _batch(pack(arrays), pack(fed), sizes, " ".join(notes), model_name)
    return replace(batch, columns=columns(pairs[0][1], arrays[0])) if len(pairs) == 1 else batch


def _as_given(inputs: Any, model_name: str, spread: Spread) -> Batch:
    """Inputs for a model without symbolic inputs, for which only a forward pass can show whether they fit."""
    if spread:
        inputs = _opened(inputs, model_name)
    nested = bool(spread) or is_structure(inputs)
    leaves = keras.tree.flatten_with_path(inputs) if nested else [((), inputs)]
    values: list[Any] = []
    fed: list[Any] = []
    sizes: dict[str, int] = {}
    for place, leaf in leaves:
        name = "/".join(map(str, place)) or "inputs"
        array = None if leaf is None else _array(leaf, name, model_name)
        if array is not None:
            _check_backend_has_text(array, f"{name!r} of model {model_name!r}")
            array = array.astype(object) if array.dtype.kind in "US" else array
        is_argument = bool(spread) and array is not None and array.ndim == 0
        if array is not None and array.ndim == 0 and not is_argument:
            message = (
                f"Expected a batch of samples for {name!r} of model {model_name!r}, got the single value {array!r}."
            )
            raise InvalidInputsError(message)
        if array is not None and not is_argument:
            sizes[name] = len(array)
        values.append(array)
        fed.append(leaf if is_uneven(leaf) or is_argument else array)
    value, given = (keras.tree.pack_sequence_as(inputs, each) if nested else each[0] for each in (values, fed))
    return replace(_batch(value, given, sizes, "", model_name), columns=[] if nested else columns(inputs, value))


def _opened(inputs: Any, model_name: str) -> Any:
    """The separate arguments of a call, with nested lists of numbers converted to arrays."""

    def argument(name: Any, value: Any) -> Any:
        as_it_is = value is None or is_option(value) or is_structure(value) or hasattr(value, "shape")
        return value if as_it_is else _array(value, str(name), model_name)

    if isinstance(inputs, Mapping):
        return {name: argument(name, value) for name, value in inputs.items()}
    return tuple(argument(place, value) for place, value in enumerate(inputs))


def _batch(value: Any, fed: Any, sizes: Mapping[str, int], note: str, model_name: str) -> Batch:
    """A batch with the number of samples that all inputs share, or with one sample if they differ in length."""
    if not any(sizes.values()):
        message = f"The batch for model {model_name!r} is empty: expected at least one sample."
        raise InvalidInputsError(message)
    if len(set(sizes.values())) == 1:
        return Batch(value, next(iter(sizes.values())), note, fed)
    said = "The inputs differ in length: they are taken as one sample."
    return Batch(value, 1, " ".join(filter(None, [note, said])), fed, dict(sizes))


def is_structure(inputs: Any) -> bool:
    """Whether inputs are a structure of arrays, not one array or nested lists of numbers."""
    if isinstance(inputs, Mapping):
        return True
    if not isinstance(inputs, (list, tuple)):
        return False
    leaves = [leaf for leaf in keras.tree.flatten(inputs) if leaf is not None]
    return (bool(leaves) or not inputs) and all(hasattr(leaf, "shape") for leaf in leaves)


def different_lengths(lengths: Mapping[str, int], model_name: str) -> InvalidInputsError:
    """The error for inputs of different lengths that the model can't take."""
    listed = ", ".join(f"{name!r} has {length}" for name, length in lengths.items())
    message = f"The inputs of model {model_name!r} must hold the same number of samples: {listed}."
    return InvalidInputsError(message)


def built_shape(inputs: Any, model_name: str) -> tuple[int | None, ...]:
    """The shape, with `None` for the batch axis, with which to build a `Sequential` for a sample batch.

    Raises:
        InvalidInputsError: The sample batch is not an array with a batch axis.
    """
    array = _array(inputs, "inputs", model_name)
    if array.ndim == 0:
        message = f"Expected a batch of samples for model {model_name!r}, got the single value {array!r}."
        raise InvalidInputsError(message)
    return (None, *array.shape[1:])


def _paired(inputs: Any, expected: Any, model_name: str) -> list[tuple[keras.KerasTensor, Any]]:
    tensors = keras.tree.flatten(expected)
    names = [_name(tensor) for tensor in tensors]
    if isinstance(inputs, Mapping):
        keys = list(expected) if isinstance(expected, Mapping) else names
        if set(inputs) != set(keys):
            missing = [key for key in keys if key not in inputs]
            unknown = [key for key in inputs if key not in keys]
            parts = [f"missing {missing}" * bool(missing), f"unknown {unknown}" * bool(unknown)]
            message = (
                f"Model {model_name!r} takes the inputs {keys}, got {list(inputs)}: {', '.join(filter(None, parts))}."
            )
            raise InvalidInputsError(message)
        if isinstance(expected, Mapping):
            pairs = [pair for key in keys for pair in _paired(inputs[key], expected[key], model_name)]
            # keras.tree flattens a dict in the order of its sorted keys, an OrderedDict in its own.
            order = {id(tensor): index for index, tensor in enumerate(tensors)}
            return sorted(pairs, key=lambda pair: order[id(pair[0])])
        return list(zip(tensors, (inputs[key] for key in keys), strict=True))
    if isinstance(expected, Mapping):
        message = (
            f"Model {model_name!r} takes a dict of inputs with the keys {list(expected)}, got {_described(inputs)}. "
            f"Pass {{{', '.join(f'{key!r}: ...' for key in expected)}}}."
        )
        raise InvalidInputsError(message)
    if isinstance(expected, (list, tuple)):
        if len(tensors) == 1 and not isinstance(inputs, (list, tuple)):
            return [(tensors[0], inputs)]
        flat = keras.tree.flatten(inputs) if _same_structure(inputs, expected) else inputs
        if not isinstance(flat, (list, tuple)) or len(flat) != len(tensors):
            message = (
                f"Model {model_name!r} takes {len(tensors)} inputs, {names}, as a list; got {_described(inputs)}. "
                f"Pass [{', '.join(names)}] in this order."
            )
            raise InvalidInputsError(message)
        return list(zip(tensors, flat, strict=True))
    if isinstance(inputs, (list, tuple)) and len(inputs) == 1 and _axes(inputs[0]) == len(expected.shape):
        return [(expected, inputs[0])]
    return [(expected, inputs)]


def _axes(value: Any) -> int | None:
    """The number of axes of a value; `None` if its parts differ in shape."""
    try:
        return np.ndim(value)
    except Exception:  # noqa: BLE001 - objects of other array libraries may raise anything
        return None


def _name(tensor: keras.KerasTensor) -> str:
    """An input's name as the tree has it; the symbolic tensor of an unnamed input has another one."""
    return str(producer(tensor).name)


def _same_structure(inputs: Any, expected: Any) -> bool:
    try:
        keras.tree.assert_same_structure(expected, inputs)
    except (ValueError, TypeError):
        return False
    return True


def _fitted(value: Any, tensor: keras.KerasTensor, model_name: str) -> tuple[np.ndarray[Any, Any] | None, str]:
    # The number of samples is not checked: Keras accepts any, and a Sequential may declare that of its first call.
    shape = (None, *tensor.shape[1:])
    name = _name(tensor)
    where = f"input {name!r} of model {model_name!r}"
    if value is None:
        if getattr(producer(tensor), "optional", False):
            return None, ""
        raise _missing(tensor, model_name)
    if backend.is_ragged(value) and not is_declared_ragged(tensor):
        message = f"Expected a dense array for {where}, got a ragged tensor. Fill its rows up: x.to_tensor()."
        raise InvalidInputsError(message)
    array = _array(value, name, model_name)
    _check_text(array, str(tensor.dtype), where)
    note = ""
    if array.ndim == len(shape) - 1:
        # A missing channel axis of one is what Keras itself fills in, so it comes first.
        if shape[-1] == 1 and fits(array.shape, shape[:-1]):
            array, note = array[..., np.newaxis], f"A channel axis of length 1 was added to {name!r}."
        elif fits(array.shape, shape[1:]):
            array, note = array[np.newaxis], f"{_one(shape)}, sent as a batch of 1."
    if array.ndim == len(shape) - 2 and shape[-1] == 1 and fits(array.shape, shape[1:-1]):
        array = array[np.newaxis, ..., np.newaxis]
        note = f"{_one(shape)}, sent as a batch of 1 with one channel."
    if not fits(array.shape, shape):
        message = f"Expected shape {shape} for {where}, got {array.shape}. {_advice(array.shape, shape)}"
        raise InvalidInputsError(message)
    with np.errstate(all="ignore"):  # as Keras casts, whatever np.seterr says
        return _cast(array, str(tensor.dtype), where), note


def _one(shape: tuple[int | None, ...]) -> str:
    return "One picture" if len(shape) == 4 and shape[-1] in {1, 3, 4} else "One sample"


def _missing(tensor: keras.KerasTensor, model_name: str, reason: str = "") -> InvalidInputsError:
    where = f"input {_name(tensor)!r} of model {model_name!r}"
    return InvalidInputsError(f"Expected an array of shape {(None, *tensor.shape[1:])} for {where}, got None.{reason}")


def _array(value: Any, name: str, model_name: str) -> np.ndarray[Any, Any]:
    if keras.ops.is_tensor(value):
        value = as_array(value)
    if (batch := _one_of_many(value)) is not None:
        message = (
            f"Expected one batch for {name!r} of model {model_name!r}, got {type(value).__name__}, which yields many. "
            f"Take one, {batch}, and if that is a pair (x, y) its inputs x alone."
        )
        raise InvalidInputsError(message)
    try:
        array = np.asarray(value)
    except Exception as error:  # objects of other array libraries may raise anything
        ragged = isinstance(error, ValueError) and isinstance(value, (list, tuple))
        parts = "its parts differ in shape. Stack equal ones."
        unreadable = f"NumPy can't read {_described(value)}: {type(error).__name__}: {error}"
        message = f"Expected an array for {name!r} of model {model_name!r}; {parts if ragged else unreadable}"
        raise InvalidInputsError(message) from error
    texts = array.dtype.kind in "US" or (
        array.dtype == object and array.size and all(isinstance(item, (str, bytes)) for item in array.flat)
    )
    # bfloat16 has kind V, like structured arrays, which are not numbers.
    if (array.dtype.kind not in "biufcV" or array.dtype.name.startswith("void")) and not texts:
        got = f"{_described(value)}, of dtype {array.dtype}"
        message = f"Expected an array of numbers for {name!r} of model {model_name!r}, got {got}."
        raise InvalidInputsError(message)
    return array


def _one_of_many(value: Any) -> str | None:
    """Code that takes one batch from a dataset or generator; `None` for any other value."""
    if isinstance(value, keras.utils.PyDataset):
        return "dataset[0]"
    if hasattr(value, "element_spec") or (hasattr(value, "__next__") and hasattr(value, "__iter__")):
        return "next(iter(dataset))"
    return None


def _check_text(array: np.ndarray[Any, Any], dtype: str, where: str) -> None:
    is_text = array.dtype.kind in "USO"
    if is_text == (dtype == "string"):
        _check_backend_has_text(array, where)
        return
    message = f"Expected {dtype} values for {where}, got {'text' if is_text else array.dtype}"
    if is_text and array.ndim == 0:
        message += f", {shown(array.item())}. If it names a file, load that first: np.load, PIL.Image.open"
    raise InvalidInputsError(message)


def _check_backend_has_text(array: np.ndarray[Any, Any], where: str) -> None:
    if array.dtype.kind not in "USO" or backend.holds_text:
        return
    message = (
        f"Expected numbers for {where}, got text: Keras has tensors of text only on TensorFlow. Turn the text into "
        "numbers first, x = text_vectorization(texts), and look into the part of the model after that layer; or set "
        "KERAS_BACKEND to 'tensorflow' and restart the kernel."
    )
    raise InvalidInputsError(message)


def _cast(array: np.ndarray[Any, Any], dtype: str, where: str) -> np.ndarray[Any, Any]:
    if dtype == "string":
        return array.astype(object)
    if dtype.startswith(("int", "uint")) and array.dtype.kind == "f" and np.any(array != np.trunc(array)):
        message = f"Expected whole numbers ({dtype}) for {where}, got fractions ({array.dtype})."
        raise InvalidInputsError(message)
    if array.dtype.kind == "c" and not dtype.startswith("complex"):
        message = f"Expected real numbers ({dtype}) for {where}, got {array.dtype}. Take np.abs(x) or x.real."
        raise InvalidInputsError(message)
    if dtype.startswith(("int", "uint")):
        bounds, low, high = np.iinfo(dtype), array.min(initial=0), array.max(initial=0)
        if low < bounds.min or high > bounds.max:
            message = f"Expected numbers from {bounds.min} to {bounds.max} ({dtype}) for {where}, got {low} to {high}."
            raise InvalidInputsError(message)
    if dtype == "bfloat16":
        return array.astype(np.float32, copy=False)
    return array.astype(dtype, copy=False)


def _advice(shape: tuple[int, ...], expected: tuple[int | None, ...]) -> str:
    if len(shape) == len(expected) == 4 and (text := _picture_advice(shape, expected)):
        return text
    if len(shape) == len(expected) - 1:
        return "A batch axis may be missing: x[np.newaxis] makes a batch of one."
    if len(shape) != len(expected):
        return f"The array needs {len(expected)} axes, the first one for the samples."
    return "Each axis but the first must be as the model has it."


def _picture_advice(shape: tuple[int, ...], expected: tuple[int | None, ...]) -> str:
    if fits((shape[0], shape[2], shape[3], shape[1]), expected):
        return "The channels come first here: move them last with np.moveaxis(x, 1, -1)."
    if expected[3] == 3 and shape[3] == 1:
        return "A grey picture: repeat its channel with np.repeat(x, 3, axis=-1)."
    if expected[3] == 3 and shape[3] == 4:
        return "The pictures have an alpha channel: leave it out with x[..., :3]."
    if expected[1] is not None and shape[3] == expected[3]:
        return f"Resize the pictures first: keras.ops.image.resize(x, ({expected[1]}, {expected[2]}))."
    return ""


def _described(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"a {type(value).__name__} of {len(value)}"
    shape = getattr(value, "shape", None)
    kind = type(value).__name__
    return f"{kind} of shape {tuple(shape)}" if shape is not None else kind
