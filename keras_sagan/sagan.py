"""`SAGAN`: the model that trains, with what saves, loads and exports it."""

import os
import types
import typing
from collections.abc import Mapping

import keras

if keras.backend.backend() != "tensorflow":
    raise ImportError(
        "`SAGAN` trains and exports with the TensorFlow backend of Keras; layers and "
        "models run on the others too. Set KERAS_BACKEND=tensorflow. "
        f"Received: backend {keras.backend.backend()!r}."
    )

from keras_sagan.config.presets import PRESETS
from keras_sagan.export.saved_model import export_generator
from keras_sagan.training import saving
from keras_sagan.training.sagan import TrainableSAGAN


def _described(preset):
    """A recipe as `SAGAN.presets` shows it."""
    known = preset.to_dict()
    del known["name"]
    metadata = {x: known.pop(x) for x in ("description", "source")}
    return {"metadata": metadata, **known}


@keras.saving.register_keras_serializable(package="keras_sagan")
class SAGAN(TrainableSAGAN):
    """A generator and a discriminator trained against each other.

    `ema_generator` holds the moving average of the generator's weights, in float32
    (or float64). `generate`, `attention_maps`, `evaluate`, `predict` and `export`
    use it; its spectral norms and batch-norm statistics are re-estimated first
    whenever its weights have changed. `generator.load_weights` and `.set_weights` set
    the averages too.

    Args:
        generator: `Generator`.
        discriminator: `Discriminator` for the same images and classes.
        class_names: sequence of str, one a class, or None.

    Attributes:
        presets: mapping of str to dict. The recipes that `from_preset` knows, each
            with `metadata` (`description` and `source`) and its settings (`model`,
            `optimizer`, `training`). They have no weights.

    Call arguments: as the generator's. Returns: images of `ema_generator`.

    Raises:
        ValueError: if the networks do not fit each other.

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
        """As `keras.Model.save`, to a `.keras` file.

        Raises:
            ValueError: for a file of Keras's older format, `.h5` or `.hdf5`.
        """
        saving.check_format(filepath)
        super().save(os.path.expanduser(filepath), *args, **kwargs)

    def export(self, filepath: str | os.PathLike) -> None:
        """Write `ema_generator` as a SavedModel for TF Serving.

        Args:
            filepath: directory to create, e.g. `"saved_models/name/1"`.

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
        """Write the model into a directory, which `from_preset` reads.

        It gets `config.json`, `model.weights.h5`, `metadata.json` and a model card,
        `README.md`; `keras_sagan.upload_preset` uploads it to a hub.

        Args:
            directory: str or path. A new or empty directory.
            include_optimizer: bool. Whether the state of both optimizers is saved, so
                that training goes on as if it had not been interrupted. Without it,
                Adam's two moments are left out, the files have about half the size,
                and the optimizers of the loaded model begin anew.

        Raises:
            FileExistsError: if something is there already.
        """
        saving.save(self, directory, include_optimizer)

    @classmethod
    def from_preset(
        cls,
        preset: str | os.PathLike,
        load_weights: bool = True,
        **overrides: typing.Any,
    ) -> "SAGAN":
        """A compiled model from a named recipe, a preset directory or a hub.

        Args:
            preset: str or path. A name out of `SAGAN.presets`, a directory that
                `save_to_preset` wrote, or what `upload_preset` uploaded:
                `"hf://USER/NAME"` (Hugging Face; `@REVISION` may follow) or
                `"kaggle://USER/MODEL/FRAMEWORK/VARIATION"` (`/VERSION` may follow).
            load_weights: bool. Whether to load the weights of a directory or hub.
            **overrides: arguments of `Generator` and `Discriminator` that replace
                those of a named recipe, and `class_names`. Of a directory or hub only
                `synchronized`, and for training on other classes `num_classes` (int,
                or None for an unconditional model) and `class_names` (sequence of
                str): every weight is kept but those of classes whose name is new, or
                that have no names. They begin at the mean of the classes that there
                were. The optimizers begin anew, at step 0.

        Raises:
            ValueError: if there is no such recipe or directory, or what is there
                cannot be used.
            FileNotFoundError: if there is no such model on the hub, or the directory
                has no weights.
            ImportError: if the package that the hub needs is not installed.
            OSError: if the hub cannot be reached, or does not let one in.
        """
        return saving.load(cls, preset, load_weights, overrides)
