"""The figure of one activation: all channels, one of them close up, and the distribution of the values."""
