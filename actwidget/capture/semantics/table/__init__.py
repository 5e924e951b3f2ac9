"""The one table of what Keras's layers and operations do to axes, values, weights and samples: one row a class."""
