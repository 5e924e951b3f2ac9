"""Models that are not Keras 3's: of Keras 2, and SavedModels."""
