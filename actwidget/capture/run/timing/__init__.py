"""How long each call inside a model takes."""
