"""Four ways to get activations: a sub-model, a forward pass, a session with a cache, and plain Keras code."""
