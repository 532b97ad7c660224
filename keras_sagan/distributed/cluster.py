"""Describes the workers of a run, as given by `--workers` or by `TF_CONFIG`.

Apart from the check of port numbers, this module uses the standard library only.
"""

import collections
import dataclasses
import json
import os

from keras_sagan.listening.ports import is_port

VARIABLE = "TF_CONFIG"

_EXAMPLE = (
    '{"cluster": {"worker": ["host0:2222", "host1:2222"]}, '
    '"task": {"type": "worker", "index": 0}}'
)


@dataclasses.dataclass(frozen=True)
class Cluster:
    """The workers of a run, and which of them this process is.

    Args:
        workers: sequence of `"host:port"`, the same on every worker. The first one is
            the chief, which writes all files.
        index: int. Position of this process in `workers`.

    Raises:
        ValueError: if an address is malformed or repeated, or `index` is out of range.
    """

    workers: tuple[str, ...]
    index: int

    def __post_init__(self):
        object.__setattr__(self, "workers", tuple(self.workers))
        for address in self.workers:
            _check_address(address)
        repeated = [x for x, n in collections.Counter(self.workers).items() if n > 1]
        if repeated or not self.workers:
            raise ValueError(
                "`workers` must be different addresses, at least one. "
                f"Received: {', '.join(self.workers) or 'none'}."
            )
        integer = isinstance(self.index, int) and not isinstance(self.index, bool)
        if not integer or not 0 <= self.index < len(self.workers):
            raise ValueError(
                f"`index` must be an integer in [0, {len(self.workers)}): there are "
                f"{len(self.workers)} workers. Received: index={self.index!r}."
            )

    @property
    def is_chief(self):
        """bool. Whether this process is the one that writes files."""
        return self.index == 0

    @property
    def name(self):
        """str. How messages refer to this worker."""
        return self.name_of(self.index)

    def name_of(self, index):
        """Returns how messages refer to a worker, e.g. `"worker 1 (host1:2222)"`."""
        return f"worker {index} ({self.workers[index]})"


def find(workers=None, index=None, environment=None):
    """Returns the cluster that the command line or the environment describes.

    Args:
        workers: str, `"host:port,host:port"`, or None to look at `TF_CONFIG`.
        index: int, or None. Position of this process; required with `workers`.
        environment: dict. Defaults to the environment of the process.

    Returns: `Cluster`, or None if neither describes one.

    Raises:
        ValueError: if the description is incomplete or invalid.
    """
    if workers is None and index is None:
        environment = os.environ if environment is None else environment
        text = environment.get(VARIABLE, "")
        return parse_tf_config(text) if text.strip() else None
    if workers is None or index is None:
        given, missing = (
            ("index", "workers") if workers is None else ("workers", "index")
        )
        raise ValueError(f"`--{given}` needs `--{missing}` as well.")
    return Cluster([x.strip() for x in workers.split(",")], index)


def parse_tf_config(text):
    """Returns the cluster of a `TF_CONFIG` with workers and at most one chief.

    Args:
        text: str. The JSON text of the variable.

    Raises:
        ValueError: if it is invalid; the message says in what way.
    """
    try:
        content = json.loads(text)
        jobs, task = content["cluster"], content["task"]
        kind, index = str(task["type"]), task["index"]
        jobs = {name: list(addresses) for name, addresses in jobs.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _tf_config_error(
            f"it cannot be read ({type(error).__name__}: {error})", text
        ) from None
    unknown = sorted(set(jobs) - {"chief", "worker"})
    if unknown or kind not in jobs:
        raise _tf_config_error(
            'tasks must be "worker", and one of them may be "chief"; '
            f"the cluster has {sorted(jobs)} and this is a {kind!r}",
            text,
        )
    chiefs, workers = jobs.get("chief", []), jobs.get("worker", [])
    if len(chiefs) > 1:
        raise _tf_config_error(f"there are {len(chiefs)} chiefs", text)
    integer = isinstance(index, int) and not isinstance(index, bool)
    if not integer or not 0 <= index < len(jobs[kind]):
        raise _tf_config_error(
            f"there is no task {kind!r} with index {index!r}, only {len(jobs[kind])} "
            "of that type",
            text,
        )
    try:
        # A chief has an index of its own in TF_CONFIG; here it comes first.
        place = index + len(chiefs) if kind == "worker" else index
        return Cluster([*chiefs, *workers], place)
    except ValueError as error:
        raise _tf_config_error(str(error), text) from None


def _tf_config_error(problem, text):
    problem = problem.removesuffix(".")
    return ValueError(
        f"The environment variable {VARIABLE} describes no cluster: {problem}. "
        f"It must be like {_EXAMPLE}. Received: {text!r}."
    )


def _check_address(address):
    host, _, port = address.rpartition(":") if isinstance(address, str) else ("",) * 3
    if not (host and port.isdecimal() and is_port(int(port), least=1)):
        raise ValueError(
            f"`workers` must be of the form host:port. Received: {address!r}."
        )
