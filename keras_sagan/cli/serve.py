"""`keras-sagan serve`: a development server of TensorFlow Serving's protocols."""

import argparse
import ipaddress
import logging
import pathlib
import signal
import sys
import threading

from keras_sagan.cli.errors import UserError, user_errors
from keras_sagan.cli.startup import start_tensorflow

EXIT_CUT_OFF = 1


def add_parser(commands):
    """Adds the command to the subparsers `commands`."""
    parser = commands.add_parser(
        "serve",
        help="try out an exported model over gRPC and REST",
        description="Serves the newest version of an exported model with the gRPC and "
        "REST interfaces of TensorFlow Serving, until SIGTERM or Ctrl-C. For "
        "development: it has no authentication, no encryption and no batching of "
        "requests. Unless --host says otherwise only this machine can reach it.",
    )
    parser.add_argument(
        "directory", metavar="DIR", help="directory of the versions: saved_models/NAME"
    )
    parser.add_argument(
        "--name", metavar="NAME", help="of the model in requests (default: that of DIR)"
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="address to listen on (default: %(default)s, this machine only)",
    )
    _add_number(parser, "--grpc-port", 8500, "PORT", "0 for a free one", least=0)
    _add_number(parser, "--rest-port", 8501, "PORT", "0 for a free one", least=0)
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
        "--max-concurrent",
        64,
        "N",
        "requests dealt with at once; others are told to try again",
    )
    _add_number(
        limits, "--timeout", 30, "SECONDS", "that a request waits for its turn at most"
    )
    _add_number(
        limits, "--grace", 10, "SECONDS", "for requests begun when it is told to stop"
    )
    parser.set_defaults(run=run)


def run(options):
    """Serves until a signal; returns 1 where requests had to be cut off."""
    stop = _stop_signal()
    with user_errors():
        start_tensorflow()
        server = _server(options)
    _describe(server, options)
    stop.wait()
    print("Stopping: finishing the requests begun.", flush=True)
    return 0 if server.stop(options.grace) else EXIT_CUT_OFF


def _server(options):
    # That `tf.compat.v1.saved_model.load` is deprecated: it always has been.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    try:
        from keras_sagan.serving.server.development_server import (
            DevelopmentServer,
            Limits,
        )
    except ImportError as error:
        raise UserError(
            f"the server needs more packages ({error}): pip install "
            "'keras-sagan[serving]'"
        ) from error
    return DevelopmentServer(
        options.directory,
        options.name or pathlib.Path(options.directory).resolve().name,
        options.host,
        options.grpc_port,
        options.rest_port,
        Limits(
            options.max_batch,
            options.max_request_bytes,
            options.max_concurrent,
            options.timeout,
        ),
        options.all_versions,
        dict(options.version_label),
    )


def _describe(server, options):
    model = server.model
    host = f"[{options.host}]" if ":" in options.host else options.host
    newest = model.versions[max(model.versions)]
    print(
        "Development server, not for production: deploy with TensorFlow Serving.\n"
        f"model {model.name}, version {', '.join(map(str, sorted(model.versions)))}: "
        f"{', '.join(sorted(newest.signatures))}\n"
        f"gRPC  grpc://{host}:{server.grpc_port}/{model.name}\n"
        f"REST  http://{host}:{server.rest_port}/v1/models/{model.name}",
        flush=True,
    )
    if _is_loopback(options.host):
        print("Only this machine can reach it. Ctrl-C stops it.", flush=True)
    else:
        print(
            f"warning: whoever can reach {options.host} can use it: it has no "
            "authentication and no encryption. Ctrl-C stops it.",
            file=sys.stderr,
            flush=True,
        )


def _is_loopback(host):
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _stop_signal():
    """An event that SIGTERM and SIGINT set; a second signal ends the process."""
    stop = threading.Event()
    signals = (signal.SIGTERM, signal.SIGINT)

    def note(number, frame):
        del number, frame
        for each in signals:
            signal.signal(each, signal.SIG_DFL)
        stop.set()

    for each in signals:
        signal.signal(each, note)
    return stop


def _add_number(parser, name, default, unit, text, least=1):
    def number(value):
        if int(value) < least:
            raise argparse.ArgumentTypeError(
                f"must be at least {least}. Received: {value}"
            )
        return int(value)

    parser.add_argument(
        name,
        type=number,
        default=default,
        metavar=unit,
        help=f"{text} (default: %(default)s)",
    )


def _version_label(text):
    label, equals, version = text.partition("=")
    if not (label and equals and version.isdecimal()):
        raise argparse.ArgumentTypeError(f"must be LABEL=N. Received: {text}")
    return label, int(version)
