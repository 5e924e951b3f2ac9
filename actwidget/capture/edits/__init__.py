"""Layers put behind a model's layers, to change what goes on."""
