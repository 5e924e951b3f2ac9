"""A weight as pictures of its kernels, as a matrix or as a vector, and the numbers of each kernel."""
