"""Files: those of others are read with bounds, our own are written whole.

Every reader takes memory and time in proportion to the file, runs nothing that the
file names, and refuses anything else with a `ValueError` that names it. `writing` is
the one place that writes.
"""
