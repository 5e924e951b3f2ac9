"""One forward pass: inputs checked, calls seen, edits applied, and nothing left behind."""
