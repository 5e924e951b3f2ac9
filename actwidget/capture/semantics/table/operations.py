"""The rows of `keras.ops`. A class that has none is unknown: a test lists these classes and says why."""

from __future__ import annotations

from dataclasses import replace

from actwidget.capture.semantics.table.activation_functions import BOUNDS
from actwidget.capture.semantics.table.rules import (
    along_other_axes,
    leaves_the_first_axis,
    of_every_sample,
    of_one_rank,
    sample_by_sample,
    takes_all,
    with_another_axis,
    within_samples,
)
from actwidget.capture.semantics.table.semantics import Semantics

# Rows that several classes share, and from which others differ in a cell or two.

_VALUE_BY_VALUE = Semantics(reach="same position", keeps_channel_axis=True, keeps_samples_apart=of_one_rank)
_COMPARISON = Semantics(keeps_samples_apart=of_one_rank)
_REDUCTION = Semantics(reach="everything of a vector", keeps_samples_apart=along_other_axes)
_REORDERING = Semantics(reorders_steps=True)
_REARRANGING = Semantics(keeps_flags=True)
_ALONG_AN_AXIS = replace(_VALUE_BY_VALUE, mixes="named axis", keeps_samples_apart=along_other_axes)
_STEP_TO_SCORES = replace(_VALUE_BY_VALUE, scores="step")
_MAXIMUM = replace(_VALUE_BY_VALUE, keeps_flags=True)

OPERATIONS: dict[str, Semantics] = {
    # Activation functions.
    "Relu": _VALUE_BY_VALUE,
    "Relu6": replace(_VALUE_BY_VALUE, bounds=BOUNDS["relu6"]),
    # `keras.activations.relu` with a slope, a threshold or a greatest value.
    "ReLU": _VALUE_BY_VALUE,
    "LeakyRelu": _VALUE_BY_VALUE,
    "Elu": _VALUE_BY_VALUE,
    "Selu": _VALUE_BY_VALUE,
    "Celu": _VALUE_BY_VALUE,
    "Gelu": _VALUE_BY_VALUE,
    "Silu": _VALUE_BY_VALUE,
    "HardSilu": _VALUE_BY_VALUE,
    "Softplus": _VALUE_BY_VALUE,
    "Softsign": _VALUE_BY_VALUE,
    "SoftShrink": _VALUE_BY_VALUE,
    "HardShrink": _VALUE_BY_VALUE,
    "TanhShrink": _VALUE_BY_VALUE,
    "SparsePlus": _VALUE_BY_VALUE,
    "Squareplus": _VALUE_BY_VALUE,
    "LogSigmoid": _VALUE_BY_VALUE,
    "SparseSigmoid": _VALUE_BY_VALUE,
    "Sigmoid": replace(_VALUE_BY_VALUE, bounds=BOUNDS["sigmoid"]),
    "HardSigmoid": replace(_VALUE_BY_VALUE, bounds=BOUNDS["hard_sigmoid"]),
    "Tanh": replace(_STEP_TO_SCORES, bounds=BOUNDS["tanh"]),
    "HardTanh": replace(_VALUE_BY_VALUE, bounds=BOUNDS["hard_tanh"]),
    "Softmax": replace(
        _STEP_TO_SCORES, mixes="named axis", bounds=BOUNDS["softmax"], keeps_samples_apart=along_other_axes
    ),
    "LogSoftmax": _ALONG_AN_AXIS,
    "Sparsemax": _ALONG_AN_AXIS,
    # Arithmetic.
    "Add": _STEP_TO_SCORES,
    "Subtract": _STEP_TO_SCORES,
    "Multiply": replace(_STEP_TO_SCORES, keeps_flags=True),
    "Divide": _STEP_TO_SCORES,
    "TrueDivide": _STEP_TO_SCORES,
    "Negative": _STEP_TO_SCORES,
    "Absolute": _VALUE_BY_VALUE,
    "Square": _VALUE_BY_VALUE,
    "Sqrt": _VALUE_BY_VALUE,
    "Rsqrt": _VALUE_BY_VALUE,
    "Exp": _VALUE_BY_VALUE,
    "Log": _VALUE_BY_VALUE,
    "Power": _VALUE_BY_VALUE,
    "Maximum": _MAXIMUM,
    "Minimum": _MAXIMUM,
    "Clip": _STEP_TO_SCORES,
    "Cast": replace(_STEP_TO_SCORES, keeps_values=True, keeps_flags=True),
    # Comparisons.
    "Where": Semantics(keeps_samples_apart=of_one_rank, scores="step"),
    "Equal": _COMPARISON,
    "NotEqual": _COMPARISON,
    "Less": _COMPARISON,
    "LessEqual": _COMPARISON,
    "Greater": _COMPARISON,
    "GreaterEqual": _COMPARISON,
    "LogicalAnd": _COMPARISON,
    "LogicalOr": _COMPARISON,
    "LogicalNot": _COMPARISON,
    # Reductions.
    "Mean": _REDUCTION,
    "Sum": _REDUCTION,
    "Max": _REDUCTION,
    "Min": _REDUCTION,
    "Any": _REDUCTION,
    "All": _REDUCTION,
    "Prod": _REDUCTION,
    "Std": _REDUCTION,
    "Var": _REDUCTION,
    "Average": replace(_REDUCTION, keeps_samples_apart=False),  # its weights can be laid along any axis
    # Products.
    "Matmul": Semantics(keeps_samples_apart=sample_by_sample, scores="product"),
    "Einsum": Semantics(scores="product"),
    "Dot": Semantics(scores="product"),
    # Flags.
    "OneHot": Semantics(gives_flags=True),
    "MultiHot": Semantics(gives_flags=True),
    # Shapes.
    "Reshape": Semantics(
        reach="everything of a vector", keeps_values=True, keeps_flags=True, keeps_samples_apart=within_samples
    ),
    "ExpandDims": Semantics(keeps_values=True, keeps_flags=True, keeps_samples_apart=with_another_axis),
    "Squeeze": Semantics(keeps_values=True, keeps_flags=True),
    "Transpose": Semantics(keeps_flags=True, keeps_samples_apart=leaves_the_first_axis),
    "Swapaxes": _REARRANGING,
    "Moveaxis": _REARRANGING,
    "Concatenate": replace(_VALUE_BY_VALUE, mixes="named axis", keeps_flags=True, keeps_samples_apart=along_other_axes),
    "Stack": _REARRANGING,
    "Repeat": _REARRANGING,
    "Tile": _REARRANGING,
    "BroadcastTo": _REARRANGING,
    # A slice of all steps can only turn them around.
    "GetItem": Semantics(reorders_steps=takes_all, keeps_flags=True, keeps_samples_apart=of_every_sample),
    # The order of steps.
    "Flip": _REORDERING,
    "Fliplr": _REORDERING,
    "Roll": _REORDERING,
    "Rot90": _REORDERING,
    "Sort": _REORDERING,
    "Argsort": _REORDERING,
}
"""By the name of the class behind the function, such as `Relu6` for `keras.ops.relu6`."""
