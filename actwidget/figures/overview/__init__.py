"""The whole network in one figure: a row for each layer."""
