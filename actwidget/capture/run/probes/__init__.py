"""What layers compute on the way and do not give: one probe for each kind of layer."""
