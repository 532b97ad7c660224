"""A worker of `test_processes.py`: plain `fit` with stock callbacks, as users write it.

Arguments: the workers' addresses, this worker's index, an output directory.
"""

import json
import pathlib
import sys

import keras
import numpy as np
import tensorflow as tf

from keras_sagan.distributed import strategies
from keras_sagan.distributed.cluster import Cluster
from tests.training import equivalence


def main(addresses, index, output):
    cluster = Cluster(addresses.split(","), int(index))
    strategy = strategies.create_strategy("multi_worker", cluster)
    output = pathlib.Path(output) / index
    output.mkdir(parents=True)
    (output / "errors.json").write_text(json.dumps(refusals(strategy, cluster.index)))
    gan, logs = train(strategy, output)
    adam, _ = equivalence.build(strategy, g_optimizer=None, d_optimizer=None)
    logs["adam"] = equivalence.losses(adam)
    logs["gathered"] = strategies.gather(
        np.array([cluster.index + 5], np.int32), strategy
    ).tolist()
    mine = {"x": np.full((3, 1), np.float64(cluster.index) - 0.1), "y": np.int8(index)}
    logs["from_chief"] = {
        name: value.tolist()
        for name, value in strategies.from_chief(mine, strategy).items()
    }
    called = gan([np.zeros((2, 8), np.float32), np.array([0, 1], np.int32)])
    logs["called"] = np.asarray(called)[:, 0, 0].tolist()
    logs["image"] = gan.generate(labels=[0, 1, 2], seed=1).tolist()
    (output / "logs.json").write_text(json.dumps(logs))


def train(strategy, output):
    """Five steps of SGD, then held-out data."""
    gan, _ = equivalence.build(strategy)
    seen = []

    def remember(batch, logs):
        seen.append({name: type(value).__name__ for name, value in logs.items()})

    history = gan.fit(
        equivalence.dataset(),
        validation_data=equivalence.dataset().take(2),
        verbose=2,
        callbacks=[
            keras.callbacks.LambdaCallback(on_train_batch_end=remember),
            keras.callbacks.CSVLogger(output / "log.csv"),
            keras.callbacks.TerminateOnNaN(),
            keras.callbacks.EarlyStopping("val_loss", mode="min"),
            keras.callbacks.ModelCheckpoint(
                output / "best.weights.h5", "loss", mode="min", save_weights_only=True
            ),
        ],
    ).history
    np.savez(output / "weights.npz", *equivalence.weights(gan))
    return gan, {"history": history, "types": seen}


def refusals(strategy, index):
    """What a mistake says on this worker, by name."""
    gan, _ = equivalence.build(strategy)
    images = equivalence.IMAGES[:8]
    data = tf.data.Dataset.from_tensor_slices((images, equivalence.LABELS[:8]))
    mistakes = {
        "batch": (gan, data.batch(3, drop_remainder=True)),
        "arrays": (gan, images),
        "order": (gan, data.shuffle(8, seed=index).batch(8, drop_remainder=True)),
        "empty": (gan, data.batch(16, drop_remainder=True)),
    }
    other, _ = equivalence.build(strategy, ema_decay=0.5 + 0.1 * index)
    mistakes["configuration"] = (other, data.batch(8, drop_remainder=True))
    found = {}
    for name, (model, wrong) in mistakes.items():
        labels = equivalence.LABELS[:8] if wrong is images else None
        try:
            model.fit(wrong, labels, verbose=0)
        except ValueError as error:
            found[name] = str(error)
    try:
        gan.predict([images[:8, 0, 0, :8], equivalence.LABELS[:8]])
    except NotImplementedError as error:
        found["predict"] = str(error)
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
