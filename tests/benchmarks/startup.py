"""What it costs to import actwidget, and to keep an explorer in a saved notebook."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from browser.lab import write_notebook
from networks import LARGE, SOURCES
from table import Row

BASE = "import keras, plotly, ipywidgets"
OURS = "import actwidget; actwidget.LayerExplorer"
TIMED = "import time; start = time.perf_counter(); {}; print(time.perf_counter() - start)"


def imports(repeats: int) -> list[Row]:
    """Seconds to import, in fresh processes by turns."""
    taken: dict[str, list[float]] = {BASE: [], OURS: []}
    for _ in range(repeats):
        for statement, values in taken.items():
            command = [sys.executable, "-c", TIMED.format(statement)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            values.append(float(done.stdout))
    base, ours = (median(taken[statement]) for statement in (BASE, OURS))
    return [
        Row(BASE, base, "s"),
        Row(OURS, ours, "s", base=base, base_name="that"),
        Row("import actwidget beyond that", ours - base, "s", goal=0.5),
    ]


def saved_notebook() -> list[Row]:
    """The bytes of an executed notebook with one explorer."""
    name = "EfficientNet-Lite0"
    cell = f"import actwidget as aw\n{SOURCES[name]}\naw.LayerExplorer(model, x, layer={LARGE[name]!r})"
    with tempfile.TemporaryDirectory() as folder:
        path = write_notebook(Path(folder) / "saved.ipynb", cell)
        command = [sys.executable, "-m", "nbconvert", "--execute", "--to", "notebook", "--inplace", str(path)]
        subprocess.run(command, check=True, capture_output=True)
        text = path.read_text()
    state = json.loads(text)["metadata"]["widgets"]
    assert "LayerTree" in json.dumps(state)
    pictures = sum(len(uri) for uri in re.findall(r"data:image/png;base64,[A-Za-z0-9+/=]*", text))
    pictures += sum(len(data) for data in re.findall(r'"image/png": "([^"]*)"', text))
    models = [model for states in state.values() for model in states["state"].values()]
    pictures += sum(len(buffer["data"]) for model in models for buffer in model.get("buffers", []))
    return [
        Row("executed notebook with one explorer, without its pictures", (len(text) - pictures) / 1e3, "kB", goal=300),
        Row("its pictures", pictures / 1e3, "kB"),
    ]
