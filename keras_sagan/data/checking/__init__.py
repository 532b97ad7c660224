"""What `keras-sagan data check` looks at and says of a data set."""
