"""How one value of a layer is computed: which value, and what is said of its terms."""
