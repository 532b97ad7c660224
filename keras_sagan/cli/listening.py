"""Options of the commands that listen: where, by which names, for whom."""

import argparse
import os
import sys

from keras_sagan.cli.parsing import local_path
from keras_sagan.listening.access import check_token, is_loopback
from keras_sagan.listening.ports import check_port

TOKEN_VARIABLE = "KERAS_SAGAN_TOKEN"
_LONGEST_TOKEN = 4096


def add_host_options(parser):
    """Adds --host and --allowed-host."""
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="address to listen on (default: %(default)s, this machine only)",
    )
    parser.add_argument(
        "--allowed-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name by which it is reached, e.g. that of a proxy; may be given again "
        "(always allowed: localhost, addresses, and with --host this machine's name)",
    )


def add_token_file(parser, text):
    """Adds --token-file, which `read_token` reads; `text` says what it is for."""
    parser.add_argument(
        "--token-file",
        type=local_path,
        metavar="FILE",
        help=f"{text} (default: the environment variable {TOKEN_VARIABLE}, if set)",
    )


def read_token(options):
    """Returns the token of --token-file or of the environment, or `None`.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if what is there is not a token; it is not shown.
    """
    if options.token_file is not None:
        source = f"--token-file {options.token_file}"
        with open(options.token_file, "rb") as file:
            token = file.read(_LONGEST_TOKEN).decode("ascii", "replace").strip()
    elif TOKEN_VARIABLE in os.environ:
        source = f"the environment variable {TOKEN_VARIABLE}"
        token = os.environ[TOKEN_VARIABLE]
    else:
        return None
    try:
        return check_token(token)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from error


def port(text):
    """Type of an option that is a port."""
    try:
        number = int(text)
    except ValueError:
        number = text
    try:
        return check_port(number)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be an integer in [0, 65535]. Received: {text}"
        ) from None


def in_url(host):
    """An address as it stands in URLs."""
    return f"[{host}]" if ":" in host else host


def warn_if_reachable(host, has_token, advice=""):
    """Says on stderr what others can do where they can reach `host`.

    Args:
        host: str.
        has_token: bool. Whether requests must bring a token.
        advice: str. How to have one.

    Returns:
        bool. Whether others can.
    """
    if is_loopback(host):
        return False
    if has_token:
        text = (
            f"others can reach {host}, and nothing is encrypted: whoever sees a "
            "request knows the token."
        )
    else:
        text = (
            f"whoever can reach {host} can use it: it has no authentication{advice} "
            "and no encryption."
        )
    print(f"warning: {text}", file=sys.stderr, flush=True)
    return True
