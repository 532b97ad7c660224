"""Log a training run with MLflow to a local folder."""

import argparse
import os
import pathlib

import keras
import mlflow
from mlflow.tensorflow.callback import MlflowCallback

import keras_sagan as ks


def main():
    """Trains for a few steps and prints what was logged."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--output", type=pathlib.Path, default="mlflow_runs")
    options = parser.parse_args()

    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"  # a folder instead of a database
    mlflow.set_tracking_uri(options.output.absolute().as_uri())
    keras.utils.set_random_seed(0)
    source = ks.data.load("glyphs", image_size=32, batch_size=16)
    networks = {"num_classes": source.num_classes, "base_filters": 8}
    gan = ks.SAGAN(ks.models.Generator(**networks), ks.models.Discriminator(**networks))
    gan.compile()
    with mlflow.start_run(run_name="digits") as run:
        gan.fit(
            source.dataset,
            epochs=options.epochs,
            steps_per_epoch=4,
            callbacks=[MlflowCallback()],
            verbose=2,
        )
        gan.save_to_preset(options.output / "model")
        mlflow.log_artifact(options.output / "model" / "config.json")

    logged = mlflow.get_run(run.info.run_id).data
    print("logged:", ", ".join(sorted(logged.metrics)))
    print("of the optimizers:", logged.params["opt_g_learning_rate"])


if __name__ == "__main__":
    main()
