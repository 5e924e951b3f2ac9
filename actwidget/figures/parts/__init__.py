"""What figures are put together from: text, layout, colours, tiles, histograms, bars and images."""
