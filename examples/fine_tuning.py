"""Start from a trained model instead of random weights, for classes that are new to it.

The first model learns the digits 0 to 7, for a few steps only. The second one starts
from its weights and learns 8 and 9. See `docs/tutorials/fine-tuning.md`.
"""

import argparse
import tempfile

import keras
import numpy as np

import keras_sagan as ks

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def main():
    """Trains both models and prints what the second one has kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=8)
    options = parser.parse_args()

    keras.utils.set_random_seed(0)
    images, labels = ks.data.load("glyphs", image_size=32, batch_size=16).arrays()
    images, labels = images[:4000], labels[:4000]
    old, new = labels < 8, labels >= 8

    networks = {"num_classes": 8, "base_filters": 8}
    gan = ks.SAGAN(
        ks.models.Generator(**networks),
        ks.models.Discriminator(**networks),
        class_names=NAMES[:8],
    )
    gan.compile()
    gan.fit(images[old], labels[old], 16, steps_per_epoch=options.steps, verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        gan.save_to_preset(f"{folder}/digits")  # may be "hf://USER/NAME" as well
        tuned = ks.SAGAN.from_preset(f"{folder}/digits", class_names=NAMES[8:])

    kernels = [x.generator.get_layer("dense").layer.kernel for x in (gan, tuned)]
    print("weights kept:", np.array_equal(*kernels))
    frozen = tuned.freeze("discriminator/block1_*")  # its first block is not trained
    print("frozen:", *frozen)
    tuned.fit(
        images[new], labels[new] - 8, 16, steps_per_epoch=options.steps, verbose=2
    )
    print("pictures of", *tuned.class_names, tuned.generate(["eight", "nine"]).shape)


if __name__ == "__main__":
    main()
