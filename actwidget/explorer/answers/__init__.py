"""The model's answers: what kind each output is, its figure, and the few words in the header."""
