"""Examines data sets for `keras-sagan data check`."""
