"""Two activations of one layer beside each other, and their difference."""
