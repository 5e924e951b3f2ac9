"""Which parts of an input, or of an inner activation, an answer depends on."""
