"""The whole network: what each of its layers costs, and small pictures of what they give."""
