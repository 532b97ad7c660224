"""Log a training run with Weights & Biases, without an account or a network.

With an account, `wandb sync FOLDER` uploads what was written.
"""

import argparse
import pathlib

import keras
import wandb
from wandb.integration.keras import WandbMetricsLogger

import keras_sagan as ks


def main():
    """Trains for a few steps, and logs metrics and a grid of pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--output", type=pathlib.Path, default="wandb_runs")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)

    keras.utils.set_random_seed(0)
    source = ks.data.load("glyphs", image_size=32, batch_size=16)
    networks = {"num_classes": source.num_classes, "base_filters": 8}
    gan = ks.SAGAN(ks.models.Generator(**networks), ks.models.Discriminator(**networks))
    gan.compile()
    with wandb.init(project="sagan", mode="offline", dir=options.output) as run:
        gan.fit(
            source.dataset,
            epochs=options.epochs,
            steps_per_epoch=4,
            callbacks=[WandbMetricsLogger()],
            verbose=2,
        )
        grid = ks.visualize.image_grid(gan.generate(labels=range(10)), columns=5)
        run.log({"samples": wandb.Image(grid)})
        rate = run.summary["epoch/learning_rate"]
        print(f"learning rate in the log: {rate:.4f}")


if __name__ == "__main__":
    main()
