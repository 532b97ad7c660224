"""Contender: images from seeds, by `SAGAN.generate` or by its export."""

import pathlib
import tempfile

import numpy as np
import tensorflow as tf
from arguments import parse
from turns import peak_memory_mib, serve
from weights import make_not_neutral

from keras_sagan import SAGAN
from keras_sagan.export.verifying import capi
from keras_sagan.models import Discriminator, Generator

FORMS = ("generate", "capi", "loaded")


def main():
    """Draw images of random networks."""
    options = parse(__doc__, form={"required": True, "choices": FORMS})
    gan = model(options)
    labels = np.arange(options.batch, dtype=np.int32) % options.classes
    if options.form == "generate":
        gan.refresh_ema()
        serve(
            lambda: gan.generate(labels=labels, seed=0, batch_size=options.batch),
            before_mib=peak_memory_mib(),
        )
        return
    rows = {
        "seed": np.arange(options.batch),
        "truncation": np.zeros(options.batch, np.float32),
        "label": labels,
    }
    with tempfile.TemporaryDirectory() as folder:
        directory = pathlib.Path(folder) / "model" / "1"
        gan.export(directory)
        run = {"capi": c_api, "loaded": loaded}[options.form](directory)
        serve(lambda: run(rows), before_mib=peak_memory_mib())


def model(options):
    """An untrained `SAGAN` whose scales and gates are not neutral."""
    size = {32: 16, 64: 32, 128: 32}[options.image_size]
    shared = {
        "image_size": options.image_size,
        "num_classes": options.classes,
        "base_filters": options.base_filters,
        "attention_resolutions": (size,),
    }
    gan = SAGAN(Generator(**shared), Discriminator(**shared))
    make_not_neutral(gan.ema_generator)
    return gan


def c_api(directory):
    """Function of rows: as TF Serving runs the export."""
    session = capi.Session(directory, capi.load_library())
    return lambda rows: session.run("generate", rows)["images"]


def loaded(directory):
    """Function of rows: the export in Python's TensorFlow."""
    signature = tf.saved_model.load(directory).signatures["generate"]

    def run(rows):
        rows = {name: tf.constant(value) for name, value in rows.items()}
        return signature(**rows)["images"].numpy()

    return run


if __name__ == "__main__":
    main()
