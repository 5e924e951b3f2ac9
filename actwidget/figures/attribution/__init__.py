"""What an answer depends on: over pictures, as coloured words, as bars."""
