"""The figure of a network's graph: where its boxes and lines go, and how they look."""
