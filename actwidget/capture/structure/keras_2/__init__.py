"""A model of Keras 2 (tf_keras) made into one of Keras 3."""
