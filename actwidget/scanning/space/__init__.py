"""The kept samples of a scan in the space of a layer's outputs: projections, neighbours, similarity of layers."""
