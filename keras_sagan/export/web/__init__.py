"""A page that runs a generator in the visitor's browser."""
