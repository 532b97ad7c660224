"""What the workers of a run take over from each other."""

import signal

import numpy as np

from keras_sagan.training import checkpointing, distribution


def share_state(gan):
    """Gives every worker the chief's state, bit by bit."""
    strategy = gan.distribute_strategy
    if distribution.is_multi_worker(strategy):
        arrays = distribution.from_chief(checkpointing.snapshot(gan), strategy)
        checkpointing.restore(gan, arrays)


def share_signal(gan, received):
    """Lets every worker end as if it had received the signal of any of them."""
    numbers = distribution.gather(
        np.array(received.received or 0, np.int32), gan.distribute_strategy
    )
    found = set(numbers.tolist()) - {0}
    if found:
        received.received = signal.SIGTERM if signal.SIGTERM in found else found.pop()
