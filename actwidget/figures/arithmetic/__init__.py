"""The figure of one value's arithmetic: its terms, their sum, what is done after it, and the layer's other values."""
