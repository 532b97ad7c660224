"""In place of `keras-sagan` in the tests of launchers.

It reads its arguments as the command does and prints the worker that they describe.
With LOCAL_WORKERS, a list of addresses on this machine, it then is that worker: of a
small run on the pictures in PICTURES, into OUTPUT.
"""

import json
import os
import sys

from keras_sagan.cli import main, settings
from keras_sagan.distributed.cluster import Cluster

SMALL = "--preset sagan_32_small --steps 2 --batch-size 4 --dtype-policy float32 "
SMALL += "--set model.base_filters=4 --set model.attention_resolutions=[]"


def run(arguments):
    """Prints the worker that the arguments describe; returns the exit status."""
    options = main.build_parser().parse_args(arguments)
    config, _ = settings.resolve(options)
    cluster = Cluster(options.workers.split(","), options.index)
    described = {
        "index": cluster.index,
        "workers": cluster.workers,
        "strategy": options.strategy,
        "dataset": config.data.dataset,
        "output": options.output,
    }
    print(json.dumps(described), flush=True)
    if "LOCAL_WORKERS" not in os.environ:
        return int(os.environ.get("STATUS", "0"))
    local = ["--workers", os.environ["LOCAL_WORKERS"], "--output", os.environ["OUTPUT"]]
    local += ["--dataset", f"folder:{os.environ['PICTURES']}", *SMALL.split()]
    return main.main([*arguments, *local])


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
