"""Files that somebody else may have written: read without running or filling anything.

Every reader takes memory and time in proportion to the file, runs nothing that the
file names, and refuses anything else with a `ValueError` that names it.
"""
