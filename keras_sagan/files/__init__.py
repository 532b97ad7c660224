"""Reading files that cannot be trusted, and writing files that are never incomplete.

A reader uses memory and time in proportion to the size of the file and never runs code
that the file names; whatever it does not accept raises a `ValueError` that names the
file. `writing` is the only module of the package that writes files.
"""
