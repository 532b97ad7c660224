"""Workers that are connected, all in this process."""

import contextlib
import socket

from keras_sagan.distributed.cluster import Cluster
from keras_sagan.distributed.workers import Workers

ADDRESSES = ("host0:1", "host1:1", "host2:1")


@contextlib.contextmanager
def connected(count=3):
    """Workers that are connected as `rendezvous.connect` does it."""
    pairs = {index: socket.socketpair() for index in range(1, count)}
    cluster = [Cluster(ADDRESSES[:count], index) for index in range(count)]
    chief = Workers(cluster[0], {i: ours for i, (ours, _) in pairs.items()})
    others = [Workers(cluster[i], {0: theirs}) for i, (_, theirs) in pairs.items()]
    everyone = [chief, *others]
    try:
        yield everyone
    finally:
        for workers in everyone:
            workers.close()
