"""Compiled loops over tables; optional (numba), with identical results without."""
