"""Reads pictures from folders, NumPy files, TFDS and the built-in data sets."""
