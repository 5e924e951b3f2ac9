"""What the explorer shows of a scan: which layers it has, its numbers, and the samples of its data."""
