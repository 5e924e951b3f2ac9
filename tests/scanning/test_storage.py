"""A scan can be stored, read, and gone on with after it was killed."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import actwidget as aw
from actwidget.errors import ScanError
from actwidget.scanning.counter import Counter
from actwidget.scanning.counting.tally import Tally
from tests.scanning.witness import agrees, network, pictures

MODEL = network()
X = pictures(80)
LABELS = np.arange(80) % 3
ROOT = Path(__file__).parents[2]


def are_equal(one: aw.Scan, other: aw.Scan, *, exactly: bool = True) -> None:
    """Asserts that two scans are the same, but for quantiles: a sketch draws random numbers of its own."""
    tolerance = 0.0 if exactly else 1e-12
    assert (one.count, one.complete, one.skipped, one.paths) == (
        other.count,
        other.complete,
        other.skipped,
        other.paths,
    )
    for path in one.paths:
        pairs = [(each.statistics[path].per_channel.__dict__) for each in (one, other)]
        for name, value in pairs[0].items():
            if value is not None:
                np.testing.assert_allclose(value, pairs[1][name], rtol=tolerance, atol=tolerance)
        for channel in range(one.statistics[path].channels):
            assert one.top(path, channel) == other.top(path, channel)
        for these, those in (
            (one.by_label(path), other.by_label(path)),
            (one.features(path), other.features(path)),
        ):
            for this, that in zip(these, those, strict=True):
                np.testing.assert_allclose(this, that, rtol=tolerance, atol=tolerance)


def test_what_is_stored_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "scan"
    found = aw.scan(MODEL, X, labels=LABELS, progress=False)
    found.save(file)
    read = aw.load_scan(file)
    are_equal(found, read)
    for path in found.paths:
        assert read.quantiles(path, 0.5) == found.quantiles(path, 0.5)
        np.testing.assert_array_equal(read.histogram(path, 0).counts, found.histogram(path, 0).counts)
    assert list(tmp_path.iterdir()) == [file]


def test_a_complete_scan_is_returned_without_another_pass(tmp_path: Path) -> None:
    file = tmp_path / "scan"
    first = aw.scan(MODEL, X, file=file, labels=LABELS, progress=False)
    written = file.stat().st_mtime_ns
    are_equal(first, aw.scan(MODEL, X, file=file, labels=LABELS, progress=False))
    assert file.stat().st_mtime_ns == written


# Each scan runs in a process of its own that kills itself; all of them share one import of Keras.
PROGRAM = """
import os, signal, sys
from pathlib import Path
import numpy as np
import actwidget as aw
from actwidget.scanning import counter
from witness import network, pictures
counter.CHECKED_EVERY = 0.0
x = pictures(80)
def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)
class Dying(np.ndarray):
    def __getitem__(self, rows):
        if isinstance(rows, slice) and rows.start == 40:
            kill()
        return np.asarray(super().__getitem__(rows))
def stream():
    for first in range(0, 80, 8):
        if first == 40:
            kill()
        yield x[first:first + 8]
def while_written(writes=[]):
    def replaced(self, target, original=Path.replace):
        writes.append(target)
        return kill() if len(writes) == 4 else original(self, target)
    Path.replace = replaced
    return x
DATA = {
    "array": lambda: x.view(Dying),
    "stream": stream,
    "shards": lambda: [lambda: x[:24], lambda: x[24:33], kill],
    "while the file is written": while_written,
}
for kind, data in DATA.items():
    child = os.fork()
    if not child:
        aw.scan(network(), data(), file=Path(sys.argv[1]) / kind, batch_size=8, progress=False)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL, kind
assert not {"dask", "distributed"} & sys.modules.keys()
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("killed")
    # A package that is installed may have the name `tests`.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, Path(__file__).parent)))}
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, folder], cwd=ROOT, env=environment, check=False, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    return folder


@pytest.mark.parametrize("kind", ["array", "stream", "shards", "while the file is written"])
def test_a_scan_that_was_killed_goes_on_and_ends_with_the_same_numbers(kind: str, killed: Path) -> None:
    file = killed / kind
    before = aw.load_scan(file)
    assert 0 < before.count < 80
    assert not before.complete
    taken: list[int] = []

    def counted(part: Any) -> Any:
        taken.append(len(part))
        return part

    data = {
        "stream": (X[first : first + 8] for first in range(0, 80, 8)),
        "shards": [lambda: counted(X[:24]), lambda: counted(X[24:33]), lambda: counted(X[33:])],
    }.get(kind, X)
    found = aw.scan(MODEL, data, file=file, batch_size=8, progress=False)
    agrees(found, MODEL, X)
    assert taken.count(9) == 0  # a shard that was counted is not read again
    fresh = {"shards": [X[:24], X[24:33], X[33:]]}.get(kind, X)
    are_equal(found, aw.scan(MODEL, fresh, batch_size=8, progress=False), exactly=False)


@pytest.mark.parametrize("stop", [0, 1, 2, 5])
def test_a_scan_goes_on_from_whatever_batch_it_was_stopped_at(stop: int, tmp_path: Path) -> None:
    def batches(*, stops: bool) -> Any:
        for place, first in enumerate(range(0, 80, 16)):
            if place == stop and stops:
                os.kill(os.getpid(), signal.SIGINT)
            yield X[first : first + 16], LABELS[first : first + 16]
        if stops:
            os.kill(os.getpid(), signal.SIGINT)

    file = tmp_path / "scan"
    found = aw.scan(MODEL, batches(stops=True), file=file, progress=False)
    assert (found.complete, found.count) == (False, 16 * stop)
    found = aw.scan(MODEL, batches(stops=False), file=file, progress=False)
    agrees(found, MODEL, X, LABELS)
    whole = aw.scan(MODEL, batches(stops=False), progress=False)
    are_equal(found, whole, exactly=False)


def changed_weights() -> Any:
    model = network()
    model.get_layer("gates").bias.assign_add([1.0] * 6)
    return model


@pytest.mark.parametrize(
    ("what", "model", "x", "options"),
    [
        ("other weights", changed_weights, X, {}),
        ("samples is 80 there and 70 here", network, X[:70], {}),
        ("another first batch", network, X[::-1], {}),
        ("another last batch", network, np.concatenate([X[:79], X[:1]]), {}),
        ("other labels", network, X, {"labels": LABELS[::-1]}),
        ("top is 9 there and 5 here", network, X, {"top": 5}),
        ("layers is all there and maps here", network, X, {"layers": "maps"}),
    ],
)
def test_a_file_of_something_else_is_refused(what: str, model: Any, x: Any, options: Any, tmp_path: Path) -> None:
    file = tmp_path / "scan"
    aw.scan(MODEL, X, file=file, labels=LABELS, progress=False)
    with pytest.raises(ScanError, match=what):
        aw.scan(model(), x, file=file, progress=False, **{"labels": LABELS[: len(x)], **options})


def test_a_file_of_another_stream_is_refused(tmp_path: Path) -> None:
    def stream(x: Any) -> Any:
        return (x[first : first + 8] for first in range(0, len(x), 8))

    file = tmp_path / "scan"
    aw.scan(MODEL, stream(X), "gates", file=file, progress=False)
    with pytest.raises(ScanError, match="another first batch"):
        aw.scan(MODEL, stream(X[::-1]), "gates", file=file, progress=False)
    assert aw.scan(MODEL, stream(X), "gates", file=file, progress=False).count == 80


@pytest.mark.parametrize("content", [b"", b"no scan", None])
def test_what_is_no_scan_can_not_be_read(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "scan"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ScanError, match="can't be read as a scan"):
        aw.load_scan(file)
    if content is not None:
        with pytest.raises(ScanError, match="can't be read as a scan"):
            aw.scan(MODEL, X, file=file, progress=False)


def test_a_file_cut_short_can_not_be_read(tmp_path: Path) -> None:
    file = tmp_path / "scan"
    aw.scan(MODEL, X, "gates", progress=False).save(file)
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ScanError, match="can't be read as a scan"):
        aw.load_scan(file)


def test_a_full_disk_keeps_what_was_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ScanError, match="No space left") as raised:
        aw.scan(MODEL, X, "gates", file=tmp_path / "scan", progress=False)
    assert raised.value.scan.count == 80
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_gives_what_was_counted(tmp_path: Path) -> None:
    def interrupted() -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        return X[40:]

    before = signal.getsignal(signal.SIGINT)
    shards = [lambda: X[:40], interrupted]
    found = aw.scan(MODEL, shards, "gates", file=tmp_path / "scan", progress=False)
    assert signal.getsignal(signal.SIGINT) is before
    assert (found.complete, found.count) == (False, 40)
    assert "not complete" in repr(found)
    agrees(found, MODEL, X[:40])
    agrees(aw.load_scan(tmp_path / "scan"), MODEL, X[:40])


def test_ctrl_c_while_a_batch_is_counted_waits_for_its_end_and_a_second_one_does_not() -> None:
    class Stops(keras.layers.Layer):
        times = 0

        def call(self, inputs: Any) -> Any:
            while self.times:
                self.times -= 1
                os.kill(os.getpid(), signal.SIGINT)
            return inputs * 2.0

    stops = Stops(name="stops")
    model = keras.Sequential([keras.Input((4,)), stops])
    stops.times = 1
    x = np.arange(320.0, dtype=np.float32).reshape(80, 4)
    found = aw.scan(model, x, "stops", batch_size=16, progress=False)
    assert (found.complete, found.count) == (False, 16)
    assert found.statistics["stops"].maximum == 126
    stops.times = 2
    with pytest.raises(KeyboardInterrupt):
        aw.scan(model, x, "stops", batch_size=16, progress=False)


def test_weights_that_change_in_mid_scan_are_an_error_that_keeps_what_was_counted() -> None:
    model = network()

    def batches() -> Any:
        yield X[:40]
        model.get_layer("gates").bias.assign_add([1.0] * 6)
        yield X[40:]

    with pytest.raises(ScanError, match="changed while it was scanned") as raised:
        aw.scan(model, batches(), "gates", progress=False)
    assert raised.value.scan.count == 80


def test_a_batch_that_is_counted_in_part_ends_the_scan_and_is_in_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, failed_at = tmp_path / "scan", []
    add = Tally.add

    def out_of_memory(self: Tally, samples: Any, *arguments: Any) -> None:
        if samples[0] >= 40 and self.shape[-1] == 6:  # a layer in the middle
            failed_at.append(int(samples[0]))
            raise MemoryError
        add(self, samples, *arguments)

    monkeypatch.setattr(Tally, "add", out_of_memory)
    monkeypatch.setattr("actwidget.scanning.counter.CHECKED_EVERY", 0)
    with pytest.raises(MemoryError):
        aw.scan(MODEL, X, labels=LABELS, batch_size=8, file=file, progress=False)
    assert failed_at == [40]
    assert aw.load_scan(file).count == 40
    monkeypatch.undo()
    are_equal(
        aw.scan(MODEL, X, labels=LABELS, batch_size=8, file=file, progress=False),
        aw.scan(MODEL, X, labels=LABELS, batch_size=8, progress=False),
        exactly=False,  # sums are rounded wherever the file was written
    )


def test_counting_may_be_slower_than_the_model_and_holds_few_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    most = []
    settle = Counter.settle

    def watched(self: Counter, left: int = 0) -> None:
        settle(self, left)
        most.append(sum(size for size, _ in self._pending))

    monkeypatch.setattr("actwidget.scanning.counter._AHEAD_BYTES", 10_000)
    monkeypatch.setattr(Counter, "settle", watched)
    found = aw.scan(MODEL, X, labels=LABELS, batch_size=8, progress=False)
    assert max(most) <= 10_000
    agrees(found, MODEL, X, LABELS)
