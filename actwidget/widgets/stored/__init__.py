"""What is left of an explorer without a kernel: the snapshot beside it, the offline page, an image file."""
