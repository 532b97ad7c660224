"""Search for learning rates with Keras Tuner, by a distance of your choice.

The losses of a GAN do not tell how good its pictures are. Here the Frechet distance of
generated and real pictures is minimised, in the features of a network with random
weights. This is enough for an example; see `docs/how-to/evaluate.md` for real scores.
"""

import argparse

import keras
import keras_tuner
import numpy as np

import keras_sagan as ks

COUNT = 128  # number of pictures in each set


class Search(keras_tuner.RandomSearch):
    """Tries learning rates, and scores a trial by the distance of its pictures."""

    def run_trial(self, trial, source, real, features, steps):
        """Trains one model and returns its distance."""
        keras.utils.set_random_seed(0)
        gan = self.hypermodel.build(trial.hyperparameters)
        gan.fit(source.dataset, steps_per_epoch=steps, verbose=0)
        labels = np.arange(COUNT) % source.num_classes
        fake = features.predict(gan.generate(labels) / 255.0, verbose=0)
        return {"distance": ks.metrics.frechet_distance(real, fake)}


def build(hp):
    """Builds and compiles a model with the learning rates of a trial."""
    networks = {"num_classes": 10, "base_filters": 8}
    gan = ks.SAGAN(ks.models.Generator(**networks), ks.models.Discriminator(**networks))
    rate = hp.Float("rate", 1e-4, 3e-3, sampling="log")
    ratio = hp.Choice("ratio of the discriminator's", [1.0, 2.0, 4.0])
    gan.compile(
        keras.optimizers.Adam(rate, beta_1=0.0),
        keras.optimizers.Adam(rate * ratio, beta_1=0.0),
        ema_decay=0.9,
    )
    return gan


def main():
    """Runs the search and prints the best rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=2)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--output", default="keras_tuner_search")
    options = parser.parse_args()

    keras.utils.set_random_seed(0)
    source = ks.data.load("glyphs", image_size=32, batch_size=16)
    features = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            keras.layers.Conv2D(16, 5, strides=2, activation="relu"),
            keras.layers.Conv2D(32, 5, strides=2, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )
    images, _ = source.arrays()
    real = features.predict(images[:COUNT] / 255.0, verbose=0)
    tuner = Search(
        build,
        objective=keras_tuner.Objective("distance", "min"),
        max_trials=options.trials,
        seed=0,
        directory=options.output,
        overwrite=True,
    )
    tuner.search(source, real, features, options.steps)
    [best] = tuner.get_best_hyperparameters()
    print("best:", best.values)


if __name__ == "__main__":
    main()
