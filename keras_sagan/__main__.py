"""`python -m keras_sagan` is the command line."""

import sys

from keras_sagan.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
