"""The whole network: which tensors go where in it, what its layers cost, and small pictures of what they give."""
