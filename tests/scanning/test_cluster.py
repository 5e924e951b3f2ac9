"""A scan on worker processes of Dask gives what one process gives, whatever becomes of the workers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import actwidget as aw
from actwidget.errors import OptionError, ScanError
from tests.rounding import assert_close
from tests.scanning.witness import agrees, network, pictures

MODEL = network()
X = pictures(90)
LABELS = np.arange(90) % 4
ROOT = Path(__file__).parents[2]
CUTS = [(0, 20), (20, 50), (50, 51), (51, 90)]


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    from distributed import Client, LocalCluster

    with (
        pytest.MonkeyPatch.context() as patch,
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, processes=True) as cluster,
    ):
        patch.setenv("PYTHONPATH", str(ROOT))
        with Client(cluster) as client:
            yield client


def same(one: aw.Scan, other: aw.Scan) -> None:
    for path in one.paths:
        for channel in range(one.statistics[path].channels):
            assert one.top(path, channel) == other.top(path, channel)
        own, others = one.statistics[path].per_channel, other.statistics[path].per_channel
        for name in ("minimum", "maximum", "zeros", "dead", "nan", "infinite"):
            np.testing.assert_array_equal(getattr(own, name), getattr(others, name))
        np.testing.assert_allclose(own.mean, others.mean, rtol=1e-12)
        np.testing.assert_allclose(own.standard_deviation, others.standard_deviation, rtol=1e-9, atol=1e-12)


def test_a_worker_that_is_killed_loses_nothing(client: Any, tmp_path: Path) -> None:
    marker, x = tmp_path / "killed", X

    def shard(start: int, stop: int) -> Any:
        def read() -> Any:
            import os
            import signal

            if start == 50 and not marker.exists():
                marker.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return x[start:stop]

        return read

    shards = [shard(*cut) for cut in CUTS]
    labels = [LABELS[start:stop] for start, stop in CUTS]
    found = aw.scan(MODEL, shards, labels=labels, client=client, file=tmp_path / "scan", progress=False)
    assert marker.exists()
    assert found.complete
    agrees(found, MODEL, X, LABELS)
    same(found, aw.scan(MODEL, [X[start:stop] for start, stop in CUTS], labels=LABELS, progress=False))
    same(found, aw.load_scan(tmp_path / "scan"))


def test_an_array_is_cut_into_shards(client: Any) -> None:
    layers = [MODEL.get_layer("gates"), "maps"]
    agrees(aw.scan(MODEL, X, layers, labels=LABELS, client=client, progress=False), MODEL, X, LABELS)


def test_a_shard_that_raises_is_named(client: Any) -> None:
    def broken() -> Any:
        message = "no such file"
        raise OSError(message)

    with pytest.raises(ScanError, match="Shard 1 could not be counted on the cluster: OSError: no such file"):
        aw.scan(MODEL, [lambda: X, broken], "gates", client=client, progress=False)


@pytest.mark.parametrize("data", [iter([X]), [[1.0]]])
def test_data_that_is_not_in_shards_is_refused(client: Any, data: Any) -> None:
    with pytest.raises(OptionError, match="list of shards"):
        aw.scan(MODEL, data, client=client, progress=False)


def test_a_layer_that_a_notebook_defines_goes_to_the_workers(client: Any) -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(  # noqa: S102 - as a cell of a notebook does
        """
import keras
@keras.saving.register_keras_serializable("lesson")
def squared(x):
    return keras.ops.square(x)
@keras.saving.register_keras_serializable("lesson")
class Twice(keras.layers.Layer):
    def call(self, inputs):
        return 2.0 * squared(inputs)
""",
        names,
    )
    inputs = keras.Input((3,))
    outputs = keras.layers.Dense(2, activation=names["squared"], name="squares")(names["Twice"](name="twice")(inputs))
    model, x = keras.Model(inputs, outputs), np.random.default_rng(0).random((30, 3), np.float32)
    found = aw.scan(model, x, client=client, progress=False)
    assert_close(found.statistics["twice"].per_channel.mean, (2 * x**2).mean(0))
    assert_close(found.statistics["squares"].per_channel.mean, model.predict(x).mean(0))
