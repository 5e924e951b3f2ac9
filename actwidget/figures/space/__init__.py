"""Figures of samples in a layer's space, and of how much alike layers are."""
