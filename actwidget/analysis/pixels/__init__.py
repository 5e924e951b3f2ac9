"""Values to pixels: the range of the colours, levels of a palette, and all channels as tiles of one picture."""
