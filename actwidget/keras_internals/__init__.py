"""The one room that uses what Keras and TensorFlow have not made public: when one of them changes, it changes here."""
