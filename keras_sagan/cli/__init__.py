"""The command line `keras-sagan`: every command parses, then makes a library call."""
