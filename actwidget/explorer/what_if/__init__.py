"""What becomes of the answer if activations are changed: edits, and how far each later layer moves."""
