"""Do the two objects of generated `shapes` agree?

    keras-sagan train --dataset shapes --steps 3000 --set training.ema_decay=0.99 \\
        -o runs/shapes
    python benchmarks/object_agreement.py runs/shapes/model

Prints, for images of the averaged generator, the shares in which both objects have one
colour, one shape, both, and shapes of the class
(`keras_sagan.data.sources.shapes.agreement`).
The data set has 1 everywhere. Halves that know nothing of each other but the class have
1/6, 1/2, 1/12 and 1: what lies above is carried across the image.
"""

import argparse

import numpy as np

import keras_sagan as ks
from keras_sagan.data.sources import shapes


def main():
    """Measure every model named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="+", help="preset directories: RUN/model")
    parser.add_argument("--count", type=int, default=3000, metavar="IMAGES")
    args = parser.parse_args()
    for path in args.models:
        gan = ks.SAGAN.from_preset(path)
        labels = np.arange(args.count) % len(shapes.PAIRS)
        images = gan.generate(labels=labels, seed=1_000_000)
        result = shapes.agreement(images, labels)
        found = shapes.nearest(images).found.all(axis=1)
        shares = [f"both objects found {found.mean():.3f}"]
        for name, values in zip(result._fields, result, strict=True):
            error = np.sqrt(values.mean() * (1 - values.mean()) / args.count)
            shares.append(f"{name} {values.mean():.3f} +- {error:.3f}")
        print(f"{path}: " + ", ".join(shares))


if __name__ == "__main__":
    main()
