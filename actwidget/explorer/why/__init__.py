"""Why the model answers as it does: what can be asked, the steps of the answer, and how it is said."""
