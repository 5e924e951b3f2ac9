"""The whole network: what goes from which layer to which."""
