"""A training in one figure: all layers and one layer over time, beside the loss and the metrics."""
