"""The explorer without a screen: the selection, the data of the selected layer, and the views that draw it."""
