"""Numbers of values that come in parts, more than are in memory at a time: `update(batch)`, `result()`."""
