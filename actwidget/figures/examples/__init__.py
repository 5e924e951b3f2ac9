"""Samples that excite a channel most, and its mean by class."""
