"""Runs the command line for `python -m keras_sagan`."""

import sys

from keras_sagan.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
