"""Converts data sets to TFDS files for `keras-sagan data prepare`."""
