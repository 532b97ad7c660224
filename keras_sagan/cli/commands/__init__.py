"""The commands of `keras-sagan`: a module each, and what it alone needs beside it."""
