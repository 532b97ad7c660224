"""Contenders that train for slices of time, and generate images when told to."""

import json
import sys
import time

import numpy as np


def serve(train, generate):
    """Contender: trains and generates when told to.

    Args:
        train: function from seconds to the number of steps made in about that time.
        generate: function from int labels `(n,)` to uint8 images `(n, H, W, C)`.
    """
    print("{}", flush=True)
    for line in sys.stdin:
        request, answer = json.loads(line), {}
        if "seconds" in request:
            begin = time.perf_counter()
            answer["steps"] = train(request["seconds"])
            answer["seconds"] = time.perf_counter() - begin
        else:
            np.save(request["path"], generate(np.array(request["labels"])))
        print(json.dumps(answer), flush=True)
