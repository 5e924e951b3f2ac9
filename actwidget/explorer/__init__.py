"""The explorer without a screen: what is selected, what is known of it, and what each view makes of that."""
