"""What is there in a model: its nodes, their paths, and whatever a person may call a layer by."""
