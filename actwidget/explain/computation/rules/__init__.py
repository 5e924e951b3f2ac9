"""The arithmetic of Keras's layers and operations: one rule a class, in files by family, and the table of them."""
