"""Options of the commands that run a server: its address, its names and its token."""

import argparse
import os
import sys

from keras_sagan.cli.parsing import local_path
from keras_sagan.listening.access import check_token, is_loopback
from keras_sagan.listening.ports import check_port

TOKEN_VARIABLE = "KERAS_SAGAN_TOKEN"
_LONGEST_TOKEN = 4096


def add_host_options(parser):
    """Adds `--host` and `--allowed-host` to a parser."""
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
        help="a further name by which it is reached, e.g. that of a proxy; may be "
        "repeated (always allowed: localhost, IP addresses, and with --host the name "
        "of this machine)",
    )


def add_token_file(parser, text):
    """Adds `--token-file`, for `read_token`; `text` is the beginning of its help."""
    parser.add_argument(
        "--token-file",
        type=local_path,
        metavar="FILE",
        help=f"{text} (default: the environment variable {TOKEN_VARIABLE}, if set)",
    )


def read_token(options):
    """Returns the token from `--token-file` or the environment, or `None`.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it does not hold a valid token. The message does not show it.
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
    """Converts the text of an option to a port number, for argparse's `type=`."""
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
    """Returns a host as it is written in URLs: IPv6 addresses are in brackets."""
    return f"[{host}]" if ":" in host else host


def warn_if_reachable(host, has_token, advice=""):
    """Prints a warning to stderr if other machines can reach the server.

    Args:
        host: str. Address on which the server listens.
        has_token: bool. Whether requests must carry a token.
        advice: str. How to require one, for the message.

    Returns:
        bool. Whether others can reach it.
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
