"""The command line `keras-sagan`: every command parses options and calls the library.

`main` has the parser of all commands, `commands` one module per command. The other
modules here are shared by several commands.
"""
