"""Ideal inputs: the pictures that excite a channel, a unit or a class most."""
