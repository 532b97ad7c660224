"""Brings the workers of a run together before TensorFlow starts.

TensorFlow waits forever for a worker that does not come, and says little about one that
was started with other settings. So the workers first meet on the chief's port, which
TensorFlow takes over once all of them are there. Standard library only.

The chief also calls every worker at its own address, because TensorFlow would wait
forever for a worker that runs on another machine than the list says.
"""

import concurrent.futures
import contextlib
import secrets
import select
import socket
import threading
import time

from keras_sagan.distributed.workers import Workers, WorkersError, disagreement, line
from keras_sagan.files import json_files

_PROTOCOL = "keras_sagan workers 2"
_RETRY_SECONDS = 0.2
_PATIENCE_SECONDS = 5.0  # for a single connection
_CALL_SECONDS = 30.0  # to reach a worker at its address; name lookups can be slow
_LONGEST_MESSAGE = 1 << 20  # bytes


def connect(cluster, versions, timeout=300.0):
    """Waits until every worker is there, and checks that they belong together.

    Args:
        cluster: `Cluster`.
        versions: dict from package to version; it must be the same on every worker.
        timeout: float. Seconds to wait for the others.

    Returns: `Workers`.

    Raises:
        WorkersError: on every worker, if their lists of workers, indices or versions
            do not match, or if a worker does not come in time or cannot be reached at
            its address.
    """
    hello = {
        "protocol": _PROTOCOL,
        "index": cluster.index,
        "workers": list(cluster.workers),
        "versions": versions,
        "token": secrets.token_hex(8),  # proves who answers at this worker's address
    }
    deadline = time.monotonic() + timeout
    if cluster.is_chief:
        return Workers(cluster, _gather(cluster, hello, timeout, deadline))
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(_answering(cluster, hello["token"]))
        except WorkersError as error:
            hello["problem"] = str(error)  # the chief passes it on to all workers
            deadline = min(deadline, time.monotonic() + _CALL_SECONDS)
        connection = _join_workers(cluster, hello, timeout, deadline)
    return Workers(cluster, {0: connection})


def _gather(cluster, hello, timeout, deadline):
    """Does the chief's part of `connect`; returns a dict from index to socket."""
    others = len(cluster.workers) - 1
    callers = []  # hello and socket of each worker that came
    with contextlib.ExitStack() as stack:
        with _listen(cluster) as listener:
            while len(callers) < others and time.monotonic() < deadline:
                theirs, connection = _accept(listener, deadline, stack)
                # A worker that was restarted is there twice, once with a dead socket.
                _drop_closed(callers)
                if theirs is not None:
                    callers.append((theirs, connection))
        hellos = [theirs for theirs, _ in callers]
        error = _misfit(cluster, hello, hellos, timeout)
        error = error or _misplaced(cluster, hellos, deadline)
        for _, connection in callers:
            with contextlib.suppress(OSError):
                connection.sendall(line({"verdict": error}))
        if error:
            raise WorkersError(error)
        stack.pop_all()  # the connections stay open
    return {theirs["index"]: connection for theirs, connection in callers}


def _accept(listener, deadline, stack):
    """Returns the next worker's hello and socket, or `(None, None)` if none came."""
    listener.settimeout(max(deadline - time.monotonic(), 0.01))
    with contextlib.suppress(OSError, ValueError), contextlib.ExitStack() as mine:
        connection = mine.enter_context(listener.accept()[0])
        connection.settimeout(_PATIENCE_SECONDS)
        hello = _receive(connection)
        if hello.get("protocol") == _PROTOCOL:
            stack.push(mine.pop_all())  # keeps the connection open after this function
            return hello, connection
    return None, None


def _drop_closed(callers):
    """Removes workers whose connection has been closed while they were waiting."""
    for worker in list(callers):
        _, connection = worker
        readable, _, _ = select.select([connection], [], [], 0)
        if not readable:  # the worker is waiting silently, as it should
            continue
        content = b""
        with contextlib.suppress(OSError):
            content = connection.recv(1, socket.MSG_PEEK)
        if not content:
            connection.close()
            callers.remove(worker)


def _misfit(cluster, ours, hellos, timeout):
    """Returns a sentence on why the workers cannot work together, or None."""
    for theirs in hellos:
        if theirs["workers"] != ours["workers"]:
            return (
                f"`workers` must be the same list on every worker. Received: "
                f"{','.join(ours['workers'])} on worker 0, "
                f"{','.join(theirs['workers'])} on worker {theirs['index']}."
            )
    indices = [theirs["index"] for theirs in hellos]
    for index in indices:
        if indices.count(index) > 1:
            return (
                f"Every worker needs an `index` of its own. Received: index={index} "
                f"from {indices.count(index)} processes."
            )
    missing = set(range(1, len(cluster.workers))) - set(indices)
    if missing:
        names = ", ".join(cluster.name_of(index) for index in sorted(missing))
        return f"Did not come within {timeout:g} seconds: {names}."
    for theirs in hellos:
        error = theirs.get("problem") or disagreement(
            "package versions", ours["versions"], theirs["index"], theirs["versions"]
        )
        if error:
            return error
    return None


def _misplaced(cluster, hellos, deadline):
    """Returns a sentence on a worker that cannot be reached at its address, or None."""
    left = min(_CALL_SECONDS, deadline - time.monotonic())
    limit = time.monotonic() + max(left, _PATIENCE_SECONDS)
    with concurrent.futures.ThreadPoolExecutor(len(hellos) + 1) as pool:
        problems = pool.map(lambda theirs: _call(cluster, theirs, limit), hellos)
        return next(filter(None, problems), None)


def _call(cluster, theirs, limit):
    """Returns a sentence on what is wrong with a worker's address, or None."""
    while True:
        try:
            with _dial(cluster.workers[theirs["index"]]) as connection:
                if _receive(connection).get("token") == theirs["token"]:
                    return None
            problem = "another program answers"
        except (OSError, ValueError) as error:
            problem = str(error)
        if time.monotonic() > limit:
            name = cluster.name_of(theirs["index"]).capitalize()
            return (
                f"{name} runs, but cannot be reached at that address: {problem}. Is it "
                "on another machine, or its port closed?"
            )
        time.sleep(_RETRY_SECONDS)


@contextlib.contextmanager
def _answering(cluster, token):
    """Answers the chief's call on this worker's port until the scope ends.

    After that the port is free for TensorFlow.
    """
    done = threading.Event()

    def answer():
        while not done.is_set():
            with contextlib.suppress(OSError), listener.accept()[0] as connection:
                connection.settimeout(_PATIENCE_SECONDS)
                connection.sendall(line({"token": token}))
                connection.recv(1)  # the port of whoever closes first stays blocked

    with _listen(cluster) as listener:
        listener.settimeout(_RETRY_SECONDS)
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def _join_workers(cluster, hello, timeout, deadline):
    """Does the part of every other worker; returns the socket to the chief."""
    problem = "nothing answers"
    while time.monotonic() < deadline:
        with contextlib.ExitStack() as stack:
            try:
                connection = stack.enter_context(_dial(cluster.workers[0]))
                connection.sendall(line(hello))
                # The chief answers after its own deadline and its calls.
                left = max(deadline - time.monotonic(), 0)
                left += _CALL_SECONDS + 2 * _PATIENCE_SECONDS
                connection.settimeout(left)
                answer = _receive(connection)
            except (OSError, ValueError) as error:
                problem = str(error)
                time.sleep(_RETRY_SECONDS)
                continue
            if answer.get("verdict"):
                raise WorkersError(answer["verdict"])
            stack.pop_all()  # the connection stays open
            return connection
    raise WorkersError(
        hello.get("problem")
        or f"The chief, {cluster.name_of(0)}, could not be reached within {timeout:g} "
        f"seconds: {problem}."
    )


def _listen(cluster):
    """Returns a socket that listens on this worker's port, on all interfaces."""
    port = int(cluster.workers[cluster.index].rpartition(":")[2])
    both = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    try:
        return socket.create_server(
            ("", port), family=family, backlog=512, dualstack_ipv6=both
        )
    except OSError as error:
        raise WorkersError(
            f"{cluster.name.capitalize()} cannot use its port on this machine: {error}."
        ) from error


def _dial(address):
    host, _, port = address.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), _PATIENCE_SECONDS)


def _receive(connection):
    """Reads one message byte by byte, so that nothing after it is consumed.

    Raises:
        ValueError: if the connection ends first, or the message is too long or not
            JSON.
    """
    received = b""
    while not received.endswith(b"\n"):
        part = connection.recv(1)
        if not part or len(received) > _LONGEST_MESSAGE:
            raise ValueError("it closed the connection")
        received += part
    return json_files.parse(received, "its message")
