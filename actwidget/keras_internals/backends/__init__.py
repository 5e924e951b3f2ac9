"""The backends on which Keras runs: TensorFlow, JAX and PyTorch, each imported only if Keras runs on it."""
