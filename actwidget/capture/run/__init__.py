"""One forward pass: checks inputs, observes calls, applies edits, and leaves the model unchanged."""
