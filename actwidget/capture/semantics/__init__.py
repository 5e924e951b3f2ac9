"""What the axes and values of an activation mean, and those of a layer's weights."""
