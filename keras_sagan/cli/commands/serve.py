"""`keras-sagan serve`: a development server of TensorFlow Serving's protocols."""

import argparse
import logging

from keras_sagan.cli import listening, model_argument, stopping
from keras_sagan.cli.errors import user_errors
from keras_sagan.cli.model_argument import add_model
from keras_sagan.cli.parsing import MOST_SECONDS, integer
from keras_sagan.cli.startup import start_tensorflow
from keras_sagan.extras import MissingExtraError

EXIT_CUT_OFF = 1

_MOST = 2**31 - 1  # bytes of a message of gRPC; nothing else here is larger


def add_parser(commands):
    """Adds the command to the subparsers `commands`."""
    parser = commands.add_parser(
        "serve",
        help="try out an exported model over gRPC and REST",
        description="Serves an exported model, its newest version, with the gRPC and "
        "REST interfaces of TensorFlow Serving, until SIGTERM or Ctrl-C. For "
        "development: it has no encryption, no batching of requests, and no "
        "authentication but a token for all (--token-file). Unless --host says "
        "otherwise only this machine can reach it. Pages of other sites in a browser "
        "are not answered.",
        examples=(
            "saved_models/cats",
            "saved_models/cats --all-versions --version-label stable=1",
        ),
    )
    add_model(parser, model_argument.EXPORTED)
    parser.add_argument(
        "--name",
        metavar="NAME",
        help="of the model in requests (default: that of saved_models/NAME)",
    )
    listening.add_host_options(parser)
    listening.add_token_file(
        parser,
        "file with a token that every request must bring, by gRPC and REST, as "
        "`Authorization: Bearer TOKEN`; health checks need none",
    )
    for protocol, default in (("grpc", 8500), ("rest", 8501)):
        parser.add_argument(
            f"--{protocol}-port",
            type=listening.port,
            default=default,
            metavar="PORT",
            help="0 for a free one (default: %(default)s)",
        )
    parser.add_argument(
        "--all-versions", action="store_true", help="serve every version, not the last"
    )
    parser.add_argument(
        "--version-label",
        action="append",
        default=[],
        type=_version_label,
        metavar="LABEL=N",
        help="another name of version N, e.g. stable=1; may be given again",
    )
    limits = parser.add_argument_group("limits")
    _add_number(limits, "--max-batch", 64, "ROWS", "of one request")
    _add_number(limits, "--max-request-bytes", 4 * 2**20, "BYTES", "of one request")
    _add_number(
        limits,
        "--max-answer-bytes",
        128 * 2**20,
        "BYTES",
        "of one answer; requests for more are refused before anything is computed",
    )
    _add_number(
        limits,
        "--max-concurrent",
        64,
        "N",
        "requests dealt with at once; others are told to try again",
    )
    _add_number(
        limits,
        "--timeout",
        30,
        "SECONDS",
        "that a request waits for its turn at most",
        MOST_SECONDS,
    )
    _add_number(
        limits,
        "--grace",
        10,
        "SECONDS",
        "for requests begun when it is told to stop",
        MOST_SECONDS,
    )
    parser.set_defaults(run=run)


def run(options):
    """Serves until a signal; returns 1 where requests had to be cut off."""
    stopping.end_at_signals()
    with user_errors():
        token = listening.read_token(options)
        start_tensorflow()
        server = _server(options, token)
    stop = stopping.stop_event()
    _describe_server(server, options, token)
    stop.wait()
    print("Stopping: finishing the requests begun.", flush=True)
    return 0 if server.stop(options.grace) else EXIT_CUT_OFF


def _server(options, token):
    # That `tf.compat.v1.saved_model.load` is deprecated: it always has been.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    try:
        from keras_sagan.serving.server.development_server import (
            DevelopmentServer,
            Limits,
        )
    except ImportError as error:
        raise MissingExtraError(f"The server ({error})", "serving") from error
    from keras_sagan.runs.loading import find_export

    path = find_export(options.model).resolve()
    of_version = path.name.isdecimal() and (path / "saved_model.pb").is_file()
    return DevelopmentServer(
        path,
        options.name or (path.parent if of_version else path).name,
        options.host,
        options.grpc_port,
        options.rest_port,
        Limits(
            options.max_batch,
            options.max_request_bytes,
            options.max_concurrent,
            options.timeout,
            options.max_answer_bytes,
        ),
        options.all_versions,
        dict(options.version_label),
        options.allowed_host,
        token,
    )


def _describe_server(server, options, token):
    model = server.model
    host = listening.in_url(options.host)
    newest = model.versions[max(model.versions)]
    print(
        "Development server, not for production: deploy with TensorFlow Serving.\n"
        f"model {model.name}, version {', '.join(map(str, sorted(model.versions)))}: "
        f"{', '.join(sorted(newest.signatures))}\n"
        f"gRPC  grpc://{host}:{server.grpc_port}/{model.name}\n"
        f"REST  http://{host}:{server.rest_port}/v1/models/{model.name}",
        flush=True,
    )
    others = listening.warn_if_reachable(
        options.host, token is not None, " (see --token-file)"
    )
    reach = "" if others else "Only this machine can reach it. "
    print(f"{reach}Ctrl-C stops it.", flush=True)


def _add_number(parser, name, default, unit, text, most=_MOST):
    parser.add_argument(
        name,
        type=integer(1, most),
        default=default,
        metavar=unit,
        help=f"{text} (default: %(default)s)",
    )


def _version_label(text):
    label, equals, version = text.partition("=")
    if not (label and equals and version.isdecimal()):
        raise argparse.ArgumentTypeError(f"must be LABEL=N. Received: {text}")
    return label, integer()(version)
