"""No model is left out on a backend where Keras can run it."""

from __future__ import annotations

import pytest

from tests.capture import left_out, odd_models, odd_zoo, zoo  # noqa: F401 - the zoos fill the list


def test_each_model_that_is_left_out_on_this_backend_is_known():
    assert left_out.BUILDS.keys() == left_out.NAMES


@pytest.mark.parametrize("name", sorted(left_out.NAMES - left_out.MADE_OF_TENSORFLOW) or ["none"])
def test_keras_itself_cannot_build_or_call_it(name):
    if name == "none":  # on TensorFlow every model runs
        assert not left_out.NAMES
        return
    with pytest.raises(Exception):  # noqa: B017, PT011 - of Keras, the backend, or an import that fails
        _called(left_out.BUILDS[name])


def _called(build):
    model, inputs = build()
    model(inputs)
