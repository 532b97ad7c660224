"""The class `SAGAN`: a model that can be trained, saved, loaded and exported."""

import os
import types
import typing
from collections.abc import Mapping

import keras

if keras.backend.backend() != "tensorflow":
    raise ImportError(
        "`SAGAN` needs the TensorFlow backend of Keras; layers and models also run on "
        "the others. Set KERAS_BACKEND=tensorflow. "
        f"Received: backend {keras.backend.backend()!r}."
    )

from keras_sagan.config.presets import PRESETS
from keras_sagan.export.saved_model import export_generator
from keras_sagan.training import saving
from keras_sagan.training.sagan import TrainableSAGAN


def _described(preset):
    """Returns a recipe in the form of `SAGAN.presets`."""
    content = preset.to_dict()
    del content["name"]
    metadata = {x: content.pop(x) for x in ("description", "source")}
    return {"metadata": metadata, **content}


@keras.saving.register_keras_serializable(package="keras_sagan")
class SAGAN(TrainableSAGAN):
    """A generator and a discriminator trained against each other.

    `ema_generator` holds the moving average of the generator's weights, in float32
    (or float64). It is used by `generate`, `attention_maps`, `evaluate`, `predict` and
    `export`. Its spectral norms and batch-norm statistics are estimated anew before
    that if its weights have changed. `generator.load_weights` and
    `generator.set_weights` also set the averages.

    Args:
        generator: `Generator`.
        discriminator: `Discriminator` for the same images and classes.
        class_names: sequence of str with the name of each class, or None.

    Attributes:
        presets: mapping of str to dict. The named recipes for `from_preset`, each with
            `metadata` (`description` and `source`) and its settings (`model`,
            `optimizer`, `training`). Recipes have no weights.

    Call arguments: those of the generator. Returns: images of `ema_generator`.

    Raises:
        ValueError: if the networks are for different images or classes.

    Example:
        gan = SAGAN(Generator(num_classes=10), Discriminator(num_classes=10))
        gan.compile()
        gan.fit(dataset, epochs=10, steps_per_epoch=1000)
        images = gan.generate(labels=[3, 3, 7], seed=0)

    Reference: [Zhang et al., 2019](https://arxiv.org/abs/1805.08318).
    """

    presets: typing.ClassVar[Mapping[str, dict]] = types.MappingProxyType(
        {name: _described(preset) for name, preset in PRESETS.items()}
    )

    def save(
        self, filepath: str | os.PathLike, *args: typing.Any, **kwargs: typing.Any
    ) -> None:
        """Saves the model as a `.keras` file; see `keras.Model.save`.

        Raises:
            ValueError: for a file of Keras's older format, `.h5` or `.hdf5`.
        """
        saving.check_format(filepath)
        super().save(os.path.expanduser(filepath), *args, **kwargs)

    def export(self, filepath: str | os.PathLike) -> None:
        """Exports `ema_generator` as a SavedModel for TensorFlow Serving.

        Args:
            filepath: str or path of the directory to create, e.g.
                `"saved_models/name/1"`.

        Raises:
            FileExistsError: if `filepath` exists and is not empty.
        """
        self.refresh_ema()
        export_generator(
            self.ema_generator,
            filepath,
            class_names=self.class_names,
            class_weights=self.fake_label_weights,
        )

    def save_to_preset(
        self, directory: str | os.PathLike, include_optimizer: bool = True
    ) -> None:
        """Saves the model to a directory, from which `from_preset` loads it.

        The files are `config.json`, `model.weights.h5`, `metadata.json` and a model
        card, `README.md`. `keras_sagan.upload_preset` uploads them to a hub.

        Args:
            directory: str or path of a new or empty directory.
            include_optimizer: bool. Whether to save the state of both optimizers, so
                that training can continue as if it had not been interrupted. Without
                Adam's two moments, the files have about half the size, and the
                optimizers of the loaded model start anew.

        Raises:
            FileExistsError: if the directory is not empty.
        """
        saving.save(self, directory, include_optimizer)

    @classmethod
    def from_preset(
        cls,
        preset: str | os.PathLike,
        load_weights: bool = True,
        **overrides: typing.Any,
    ) -> "SAGAN":
        """Creates a compiled model from a named recipe, a directory or a hub.

        With `num_classes`, a model from a directory or a hub gets other classes, so
        that it can be trained on them. Classes are matched by `class_names`. The
        weights of new classes, and of all classes if there are no names, start as the
        mean over the old classes; all other weights are kept. The optimizers start
        anew, at step 0.

        Args:
            preset: str or path. A name out of `SAGAN.presets`, a directory written by
                `save_to_preset`, or the address of a model on a hub, uploaded by
                `upload_preset`: `"hf://USER/NAME"` (Hugging Face; `@REVISION` may
                follow) or `"kaggle://USER/MODEL/FRAMEWORK/VARIATION"` (`/VERSION` may
                follow).
            load_weights: bool. Whether to load the weights of a directory or hub.
            **overrides: for a named recipe, arguments of `Generator` and
                `Discriminator`, and `class_names`. For a directory or a hub,
                `synchronized`, `num_classes` (int, or None for an unconditional model)
                and `class_names` (sequence of str).

        Returns: `SAGAN`.

        Raises:
            ValueError: if there is no such recipe or directory, or if the model cannot
                be used.
            FileNotFoundError: if there is no such model on the hub, or if the directory
                has no weights.
            ImportError: if the client library of the hub is not installed.
            OSError: if the hub cannot be reached, or refuses access.
        """
        return saving.load(cls, preset, load_weights, overrides)
