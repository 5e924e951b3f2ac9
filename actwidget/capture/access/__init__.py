"""Ways to the values: a sub-model, one pass, a session that keeps them, the Keras code that gives them."""
