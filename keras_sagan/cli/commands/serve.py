"""`keras-sagan serve`: runs a development server of an exported model."""

import argparse
import logging

from keras_sagan.cli import listening, model_argument, stopping
from keras_sagan.cli.errors import user_errors
from keras_sagan.cli.model_argument import add_model
from keras_sagan.cli.parsing import MOST_SECONDS, integer
from keras_sagan.cli.startup import start_tensorflow
from keras_sagan.extras import MissingExtraError

EXIT_CUT_OFF = 1

_MOST = 2**31 - 1  # bytes of a gRPC message; no other limit here needs to be larger


def add_parser(commands):
    """Adds the command to the subparsers `commands`."""
    parser = commands.add_parser(
        "serve",
        help="try out an exported model over gRPC and REST",
        description="Serves the newest version of an exported model with the gRPC and "
        "REST interfaces of TensorFlow Serving, until SIGTERM or Ctrl-C. It is meant "
        "for development: it has no encryption, no batching of requests, and no "
        "authentication but a token shared by all (--token-file). Unless --host says "
        "otherwise, only this machine can reach it. Browsers' requests from pages of "
        "other sites are refused.",
        examples=(
            "saved_models/cats",
            "saved_models/cats --all-versions --version-label stable=1",
        ),
    )
    add_model(parser, model_argument.EXPORTED)
    parser.add_argument(
        "--name",
        metavar="NAME",
        help="name of the model in requests (default: that of saved_models/NAME)",
    )
    listening.add_host_options(parser)
    listening.add_token_file(
        parser,
        "file with a token that every request must carry, over gRPC and REST, as "
        "`Authorization: Bearer TOKEN`; health checks need none",
    )
    for protocol, default in (("grpc", 8500), ("rest", 8501)):
        parser.add_argument(
            f"--{protocol}-port",
            type=listening.port,
            default=default,
            metavar="PORT",
            help="port to listen on, 0 for a free one (default: %(default)s)",
        )
    parser.add_argument(
        "--all-versions",
        action="store_true",
        help="serve every version, not only the newest",
    )
    parser.add_argument(
        "--version-label",
        action="append",
        default=[],
        type=_version_label,
        metavar="LABEL=N",
        help="another name for version N, e.g. stable=1; may be repeated",
    )
    limits = parser.add_argument_group("limits")
    _add_number(limits, "--max-batch", 64, "ROWS", "size of a request")
    _add_number(limits, "--max-request-bytes", 4 * 2**20, "BYTES", "size of a request")
    _add_number(
        limits,
        "--max-answer-bytes",
        128 * 2**20,
        "BYTES",
        "size of an answer; requests for more are refused before anything is computed",
    )
    _add_number(
        limits,
        "--max-concurrent",
        64,
        "N",
        "number of requests handled at once; others are told to try again",
    )
    _add_number(
        limits,
        "--timeout",
        30,
        "SECONDS",
        "longest time that a request waits for its turn",
        MOST_SECONDS,
    )
    _add_number(
        limits,
        "--grace",
        10,
        "SECONDS",
        "time to finish requests that have begun when it is told to stop",
        MOST_SECONDS,
    )
    parser.set_defaults(run=run)


def run(options):
    """Serves until a signal arrives; returns 1 if requests had to be cut off."""
    stopping.end_at_signals()
    with user_errors():
        token = listening.read_token(options)
        start_tensorflow()
        server = _server(options, token)
    stop = stopping.stop_event()
    _describe_server(server, options, token)
    stop.wait()
    print("Stopping: finishing requests that have begun.", flush=True)
    return 0 if server.stop(options.grace) else EXIT_CUT_OFF


def _server(options, token):
    # Hides the warning that `tf.compat.v1.saved_model.load` is deprecated. It has been
    # for years, and TensorFlow Serving loads models the same way.
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
    reachable = listening.warn_if_reachable(
        options.host, token is not None, " (see --token-file)"
    )
    reach = "" if reachable else "Only this machine can reach it. "
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
