"""`keras-sagan explore`: a page to play with a model and see where it looks."""

from keras_sagan.cli import listening, stopping
from keras_sagan.cli.errors import UserError, user_errors
from keras_sagan.cli.startup import start_tensorflow
from keras_sagan.listening.access import Access
from keras_sagan.listening.ports import listen


def add_parser(commands):
    """Adds the command to the subparsers `commands`."""
    parser = commands.add_parser(
        "explore",
        help="open a page to play with a model",
        description="Serves a page on this machine: seed, class, truncation, the way "
        "between two latent vectors, and, for every point of the image that is clicked "
        "on, where each attention layer looks from there. Ctrl-C ends it. An exported "
        "model shows the generator's attention, a run the discriminator's too.",
        examples=(
            "runs/cats",
            "saved_models/cats/1 --port 0",
        ),
    )
    parser.add_argument(
        "source", metavar="RUN|MODEL_DIR|SAVEDMODEL", help="trained or exported model"
    )
    listening.add_host_options(parser)
    parser.add_argument(
        "--port",
        type=listening.port,
        default=8502,
        metavar="PORT",
        help="0 for a free one (default: %(default)s)",
    )
    parser.set_defaults(run=run)


def run(options):
    """Serves until a signal."""
    stopping.end_at_signals()
    with user_errors():
        server = _server(options)
    stop = stopping.stop_event()
    host = listening.in_url(options.host)
    print(f"Explorer: http://{host}:{server.port}/ (Ctrl-C ends it)", flush=True)
    listening.warn_if_reachable(options.host, has_token=False)
    stop.wait()
    server.stop()


def _server(options):
    try:
        from keras_sagan.visualize.explorer.server import ExplorerServer
    except ImportError as error:
        raise UserError(
            f"the explorer needs another package ({error}): pip install "
            "'keras-sagan[explorer]'"
        ) from error
    access = Access(options.host, options.allowed_host)
    taken = listen(options.host, options.port)  # before a model is loaded for nothing
    start_tensorflow()
    from keras_sagan.cli.explored import open_explored

    try:
        return ExplorerServer(open_explored(options.source), taken, access)
    except BaseException:
        taken.close()
        raise
