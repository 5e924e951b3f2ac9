"""The samples of a batch: thumbnails of them, and pictures and drawings that become new ones."""
