"""The commands of `keras-sagan`, one module each, and their helpers beside them.

A command has two functions: `add_parser` adds its options, `run` carries it out.
"""
