"""The whole network: what goes from which layer to which, what each costs, and small pictures of what they give."""
