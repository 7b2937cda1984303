"""Games in which who commits first, and to what, decides."""
