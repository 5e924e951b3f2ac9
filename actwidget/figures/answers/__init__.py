"""The figures of the model's outputs: each as the answer that it is."""
