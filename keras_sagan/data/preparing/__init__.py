"""What `keras-sagan data prepare` does: pictures into TFDS files."""
