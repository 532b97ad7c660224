"""`keras-sagan explore`: serves a page to play with a model and see its attention."""

import functools

from keras_sagan.cli import listening, model_argument, stopping
from keras_sagan.cli.errors import user_errors
from keras_sagan.cli.model_argument import add_model
from keras_sagan.cli.startup import start_tensorflow
from keras_sagan.extras import MissingExtraError
from keras_sagan.listening.access import Access
from keras_sagan.listening.ports import listen


def add_parser(commands):
    """Adds the command to the subparsers `commands`."""
    parser = commands.add_parser(
        "explore",
        help="open a page to play with a model",
        description="Serves a page on this machine with controls for seed, class, "
        "truncation and interpolation between two latent vectors. Click on a point of "
        "the image to see where each attention layer attends from there. Exported "
        "models show the attention of the generator, runs also that of the "
        "discriminator. Ctrl-C ends it.",
        examples=(
            "runs/cats",
            "saved_models/cats/1 --port 0",
        ),
    )
    add_model(parser, model_argument.ANY)
    listening.add_host_options(parser)
    parser.add_argument(
        "--port",
        type=listening.port,
        default=8502,
        metavar="PORT",
        help="port to listen on, 0 for a free one (default: %(default)s)",
    )
    parser.set_defaults(run=run)


def run(options):
    """Serves the page until a signal arrives."""
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
        raise MissingExtraError(f"The explorer ({error})", "explorer") from error
    access = Access(options.host, options.allowed_host)
    socket = listen(options.host, options.port)  # first, as loading a model takes long
    start_tensorflow()
    try:
        return ExplorerServer(open_explored(options.model), socket, access)
    except BaseException:
        socket.close()
        raise


def open_explored(name):
    """Opens a trained or an exported model; returns the `Explored` of the explorer."""
    from keras_sagan import sampling
    from keras_sagan.runs import loading
    from keras_sagan.sagan import SAGAN
    from keras_sagan.training import generation
    from keras_sagan.visualize.explorer.server import Explored

    model = loading.open_model(name)
    classes = model.num_classes
    if isinstance(model, SAGAN):
        sizes, title = model.generator, loading.locate(name).title
        view = functools.partial(generation.view, model)
        layers = list(model.attention_maps(*([0], None) if classes else (None, 1)))
    else:
        sizes, title, view, layers = model, model.name, model.view, model.layers
    if classes is not None:
        classes = [str(x) for x in (model.class_names or range(classes))]
    latents = functools.partial(sampling.latents, sizes.latent_dim)
    return Explored(title, sizes.image_size, classes, layers, latents, view)
