"""The figure of one weight: all its kernels, one of them close up, and how its values are distributed."""
