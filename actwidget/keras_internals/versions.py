"""The releases of Keras and its backends that actwidget knows, how they differ, and their private parts in use.

On any other release each part is looked up at import, so that a missing one is named before something fails without it.
"""

from __future__ import annotations

import dis
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Any

from actwidget.errors import UnsupportedKerasError

Release = tuple[int, int]


@dataclass(frozen=True)
class Known:
    """The releases of a package that actwidget is tested with.

    Attributes:
        package: Its name, as it is imported and installed.
        title: Its name in words.
        oldest: The oldest release.
        newest: The newest one.
    """

    package: str
    title: str
    oldest: Release
    newest: Release

    def __contains__(self, release: Release) -> bool:
        """Whether actwidget is tested with a release."""
        return self.oldest <= release <= self.newest

    def __str__(self) -> str:
        """The range in words, such as `Keras 3.15` or `Keras 3.8 to 3.15`."""
        return f"{self.title} {_in_words(self.oldest, self.newest)}"


def _in_words(oldest: Release, newest: Release) -> str:
    return " to ".join(dict.fromkeys(".".join(map(str, each)) for each in (oldest, newest)))


KNOWN = (
    Known("keras", "Keras", (3, 8), (3, 15)),
    Known("tensorflow", "TensorFlow", (2, 18), (2, 21)),
    Known("jax", "JAX", (0, 7), (0, 10)),
    Known("torch", "PyTorch", (2, 9), (2, 14)),
)


@dataclass(frozen=True)
class Difference:
    """A way in which some of the known releases differ from the newest one.

    Code that asks for one by its name, as in `if NO_RAGGED_INPUTS.applies`, can go, and the difference with it, once
    the oldest known release is newer than `newest`.

    Attributes:
        package: The package, as it is imported.
        oldest: The oldest known release that differs.
        newest: The newest one.
        what: What is different there.
    """

    package: str
    oldest: Release
    newest: Release
    what: str

    @property
    def applies(self) -> bool:
        """Whether the installed release differs."""
        return self.oldest <= _installed(self.package) <= self.newest

    @property
    def releases(self) -> str:
        """The releases that differ, in words, such as `Keras 3.8` or `Keras 3.10 to 3.13`."""
        title = next(known.title for known in KNOWN if known.package == self.package)
        return f"{title} {_in_words(self.oldest, self.newest)}"


NO_RAGGED_INPUTS = Difference(
    "keras", (3, 8), (3, 8), "`keras.Input` has no argument `ragged`, and symbolic tensors can't be ragged"
)
NO_RMS_NORMALIZATION = Difference("keras", (3, 8), (3, 8), "there is no `keras.layers.RMSNormalization`")
NAMED_INPUTS_NEEDED = Difference("keras", (3, 8), (3, 9), "optional inputs can't be left out of a dict of inputs")
TRAINING_DROPPED = Difference(
    "keras", (3, 8), (3, 9), "`training=True` does not reach the layers of a model whose own `call` does not take it"
)
NO_SPARSE_SIGMOID = Difference("keras", (3, 8), (3, 9), "there is no `keras.ops.sparse_sigmoid`")
NO_INT4 = Difference("keras", (3, 8), (3, 10), 'there are no weights of four bits, `layer.quantize("int4")`')
PREDICT_NEEDS_ALL_INPUTS = Difference(
    "keras", (3, 8), (3, 11), "`predict` and `fit` raise an error if an optional input is left out"
)
INT4_ALONG_INPUTS = Difference(
    "keras",
    (3, 8),
    (3, 13),
    "a byte of a four-bit kernel (of a release that has them) holds two inputs, not two outputs",
)
INT4_STAYS_PACKED = Difference(
    "keras", (3, 8), (3, 11), "a four-bit kernel (of a release that has them) is shown packed"
)
NO_GPTQ = Difference("keras", (3, 8), (3, 11), "there is no GPTQ quantization, `keras.dtype_policies.GPTQDTypePolicy`")
UNUSED_INPUTS_REFUSED = Difference(
    "keras", (3, 10), (3, 13), "a functional model with an input that no layer uses can't be created or loaded"
)


@dataclass(frozen=True)
class Part:
    """A private attribute of Keras or of a backend that this package uses.

    Attributes:
        owner: The dotted path of the module, class or function that has it.
        name: The name of an attribute of the owner, or of an attribute that the owner's code sets on some object.
        use: What it is needed for.
    """

    owner: str
    name: str
    use: str

    def is_there(self) -> bool:
        """Whether the installed release has it. This is found out without creating a layer, variable or tensor."""
        try:
            owner = _resolved(self.owner)
        except (ImportError, AttributeError):
            return False
        if hasattr(owner, self.name):
            return True
        classes = owner.__mro__ if isinstance(owner, type) else (owner,)
        return any(self.name in _names_set_by(code) for each in classes for code in _code_of(each))

    def __str__(self) -> str:
        """The name after the last part of the owner's path, such as `Node.input_tensors`."""
        return f"{self.owner.rpartition('.')[2]}.{self.name}"


def _resolved(owner: str) -> Any:
    """The module, class or function at a dotted path."""
    parts = owner.split(".")
    value: Any = importlib.import_module(parts[0])
    for depth, part in enumerate(parts[1:], 2):
        if inspect.ismodule(value):
            try:
                value = importlib.import_module(".".join(parts[:depth]))
            except ModuleNotFoundError:
                value = getattr(value, part)
        else:
            value = getattr(value, part)
    return value


def _code_of(owner: Any) -> Iterator[CodeType]:
    """The code of a function, or of the methods that a class itself defines."""
    members = vars(owner).values() if isinstance(owner, type) else [owner]
    for member in members:
        function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        code = getattr(inspect.unwrap(function), "__code__", None) if callable(function) else None
        if code is not None:
            yield code


def _names_set_by(code: CodeType) -> set[str]:
    """The attributes that a function sets. All its strings count, as one may be the name in a `setattr`."""
    stored = {str(step.argval) for step in dis.get_instructions(code) if step.opname == "STORE_ATTR"}
    return stored | {constant for constant in code.co_consts if isinstance(constant, str)}


def _parts(owner: str, **uses: str) -> list[Part]:
    return [Part(owner, name, use) for name, use in uses.items()]


PARTS = [
    *_parts(
        "keras.src.ops.node.Node",
        _keras_history="which call made a tensor",
        operation="which layer a call is of",
        arguments="what a call is given",
        outputs="the tensors that a call makes",
        input_tensors="the edges of a model's graph",
        is_input="which calls are a model's inputs",
    ),
    *_parts(
        "keras.src.ops.symbolic_arguments.SymbolicArguments",
        args="what a call is given",
        kwargs="what a call is given by name",
        fill_in="to run one call of a graph on values",
    ),
    *_parts(
        "keras.src.ops.operation.Operation",
        _inbound_nodes="the calls of a layer",
        _outbound_nodes="what a layer's outputs are given to",
    ),
    *_parts(
        "keras.src.ops.function.Function",
        _nodes="how large a graph is",
        _nodes_by_depth="the calls of a graph in order",
        _inputs_struct="the structure of a model's inputs",
    ),
    *_parts("keras.src.models.functional.Functional", _standardize_inputs="what a model inside another is given"),
    *_parts("keras.src.models.sequential.Sequential", _functional="the graph of a Sequential"),
    *_parts("keras.src.models", Functional="to recognise models with a graph"),
    *_parts("keras.src.models.functional", operation_fn="to run one call of a graph in inference mode"),
    *_parts(
        "keras.src.layers.layer.Layer",
        _flatten_layers="the layers inside a layer",
        _call_signature="the arguments of a layer's call",
        _call_has_training_arg="whether a call takes `training`",
        _call_has_mask_arg="whether a call takes a mask",
        _called="whether a layer has been called",
        _losses="the losses that calls add",
        _loss_ids="which losses are a layer's own",
        _tracker="what a failed build leaves behind",
        _seed_generators="the seeds of dropout",
        _maybe_build="weights that are made while a model is observed",
        current_call_ctx="to clear no losses of another thread",
    ),
    *_parts("keras.src.layers.layer", CallContext="to clear no losses of another thread"),
    *_parts(
        "keras.src.layers.attention.multi_head_attention.MultiHeadAttention",
        _output_dense="the weights of heads",
        _attention_axes="which samples depend on others",
    ),
    *_parts("keras.src.layers.rnn.conv_lstm", ConvLSTMCell="the gates of a ConvLSTM"),
    *_parts(
        "keras.src.layers.preprocessing.text_vectorization.TextVectorization",
        _standardize="whether a layer runs a function of the user's",
        _split="whether a layer runs a function of the user's",
        _output_mode="which samples depend on others",
        _output_sequence_length="which samples depend on others",
    ),
    *_parts("keras.src.ops", __path__="the classes behind keras.ops"),
    *_parts("keras.src.utils.naming", to_snake_case="the names that Keras gives to layers"),
    *_parts("keras.src.backend", rnn="gates where the steps depend on each other"),
    *_parts("keras.src.backend.common.variables.Variable", _value="what a variable holds"),
    *_parts("keras.src.backend.common.masking", get_keras_mask="masks on tensors", set_keras_mask="masks on tensors"),
    *_parts(
        "keras.src.backend.common.global_state",
        get_global_attribute="what Keras keeps for each thread",
        set_global_attribute="what Keras keeps for each thread",
    ),
    *_parts("keras.src.backend.common.name_scope.name_scope", name_scope_stack="trials that fail in a name scope"),
    *_parts("keras.src.backend.common.stateless_scope", get_stateless_scope="writes that only one pass sees"),
    *_parts("keras.src.backend.common.symbolic_scope", in_symbolic_scope="to tell trials on symbols from passes"),
    *_parts("keras.src.random.seed_generator", global_seed_generator="random numbers that come next"),
    *_parts(
        "tensorflow.raw_ops",
        ReadVariableOp="to read a variable without a copy",
        AssignVariableOp="to put variables back",
        AssignSubVariableOp="to put variables back",
        Bitcast="whether weights were written",
        Equal="whether weights were written",
        All="whether weights were written",
        StatefulPartitionedCall="a pass that keeps NaN",
    ),
    *_parts(
        "tensorflow.compat.v1",
        get_default_graph="to tell calls in a graph from computed ones",
        ConfigProto="a pass that keeps NaN",
    ),
    *_parts("tensorflow.python.eager.context", Context="random numbers that come next"),
    *_parts(
        "tensorflow.python.eager.context.Context",
        _internal_operation_seed="random numbers that come next",
        _rng="random numbers that come next",
    ),
    *_parts(
        "tensorflow.python.framework.op_callbacks",
        add_op_callback="which tensor was computed from which",
        remove_op_callback="which tensor was computed from which",
    ),
    *_parts("tensorflow.core.protobuf.saved_model_pb2", SavedModel="advice for SavedModels"),
    *_parts("tensorflow.python.ops.resource_variable_ops", ResourceVariable="variables that layers write"),
    *_parts(
        "jax._src.core",
        EvalTrace="to tell calls in a transformation from computed ones",
        trace_ctx="to tell calls in a transformation from computed ones",
        Primitive="which tensor was computed from which",
    ),
    *_parts("jax.core.Tracer", _trace="to tell calls in a transformation from computed ones"),
    *_parts(
        "tf_keras.src.engine.functional.Functional",
        _nodes_by_depth="the calls of a graph of Keras 2 in order",
        _nested_inputs="the structure of a model's inputs",
        _nested_outputs="the structure of a model's outputs",
    ),
    *_parts(
        "tf_keras.src.engine.sequential.Sequential",
        _graph_initialized="whether a Sequential of Keras 2 has a graph",
        _has_explicit_input_shape="whether a batch size was chosen",
    ),
    *_parts("tf_keras.src.layers.rnn.base_rnn.RNN", _num_constants="inputs that are no sequence"),
    *_parts(
        "tf_keras.src.layers.preprocessing.text_vectorization.TextVectorization",
        _lookup_layer="what a layer has learned of texts",
    ),
]


def known_in_use() -> list[Known]:
    """The packages of `KNOWN` that are in use: Keras, and the backend on which it runs."""
    backend = importlib.import_module("keras").backend.backend()
    return [known for known in KNOWN if known.package in {"keras", backend}]


def check_releases() -> None:
    """Raises an error if an untested release lacks a part; on tested releases nothing is looked up.

    Raises:
        UnsupportedKerasError: Parts are missing; the message names them.
    """
    for known in known_in_use():
        if _installed(known.package) in known:
            continue
        missing = [part for part in PARTS if part.owner.partition(".")[0] == known.package and not part.is_there()]
        if missing:
            listed = ", ".join(f"`{part}` ({part.use})" for part in missing)
            version = importlib.import_module(known.package).__version__
            ours = sys.modules[__name__.partition(".")[0]].__version__
            newest = ".".join(map(str, known.newest))
            message = (
                f"{known.title} {version} has no {listed}: actwidget {ours} knows {known}. Install that, "
                f"pip install '{known.package}=={newest}.*', or a newer actwidget."
            )
            raise UnsupportedKerasError(message)


def _installed(package: str) -> Release:
    """The major and minor number of an installed package's version: (3, 16) for `3.16.0.dev2026`."""
    version = importlib.import_module(package).__version__
    major, minor = [*re.findall(r"\d+", version), "0", "0"][:2]
    return int(major), int(minor)
