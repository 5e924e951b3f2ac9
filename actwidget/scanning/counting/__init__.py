"""What is counted of one layer: each part takes values batch by batch, and can be merged with another of its kind."""
