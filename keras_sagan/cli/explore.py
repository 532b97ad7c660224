"""`keras-sagan explore`: a page to play with a model and see where it looks."""

import argparse
import signal
import sys
import threading

from keras_sagan.cli.errors import UserError, user_errors
from keras_sagan.cli.startup import start_tensorflow

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def add_parser(commands):
    """Adds the command to the subparsers `commands`."""
    parser = commands.add_parser(
        "explore",
        help="open a page to play with a model",
        description="Serves a page on this machine: seed, class, truncation, the way "
        "between two latent vectors, and, for every point of the image that is clicked "
        "on, where each attention layer looks from there. Ctrl-C ends it. An exported "
        "model shows the generator's attention, a run the discriminator's too.",
    )
    parser.add_argument(
        "source", metavar="RUN|MODEL_DIR|SAVEDMODEL", help="trained or exported model"
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="address to listen on (default: %(default)s, this machine only)",
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=8502,
        metavar="PORT",
        help="0 for a free one (default: %(default)s)",
    )
    parser.set_defaults(run=run)


def run(options):
    """Serves until a signal."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with user_errors():
        server = _server(options)
    host = f"[{options.host}]" if ":" in options.host else options.host
    print(f"Explorer: http://{host}:{server.port}/ (Ctrl-C ends it)", flush=True)
    if options.host not in _LOOPBACK:
        print(
            f"warning: whoever can reach {options.host} can use it: it has no "
            "authentication and no encryption.",
            file=sys.stderr,
            flush=True,
        )
    stop.wait()
    server.stop()


def _server(options):
    try:
        from keras_sagan.visualize.explorer.server import ExplorerServer, listen
    except ImportError as error:
        raise UserError(
            f"the explorer needs another package ({error}): pip install "
            "'keras-sagan[explorer]'"
        ) from error
    taken = listen(options.host, options.port)  # before a model is loaded for nothing
    start_tensorflow()
    from keras_sagan.cli.explored import open_explored

    try:
        return ExplorerServer(open_explored(options.source), taken)
    except BaseException:
        taken.close()
        raise


def _port(text):
    value = int(text)
    if not 0 <= value < 2**16:
        raise argparse.ArgumentTypeError(f"must be in [0, 65535]. Received: {text}")
    return value
