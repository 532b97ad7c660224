"""Combines the two networks into a `keras.Model` that is trained with `fit`."""

import typing
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from keras_sagan import sampling
from keras_sagan.config.data import AugmentationConfig
from keras_sagan.distributed import strategies
from keras_sagan.models import architectures
from keras_sagan.models.discriminator import Discriminator
from keras_sagan.models.generator import Generator
from keras_sagan.training import (
    ema,
    faults,
    generation,
    inputs,
    networks,
    penalties,
    state,
    steps,
)
from keras_sagan.training.checked_model import CheckedModel
from keras_sagan.training.optimizers import OptimizerPair
from keras_sagan.training.settings import CompileArguments

_METRICS = ("loss", "d_loss", "g_loss", "d_real", "d_fake")


class TrainableSAGAN(CheckedModel):
    """A `SAGAN` without functions for files; `keras_sagan.SAGAN` adds those.

    Args, call arguments and errors: as for `keras_sagan.SAGAN`.
    """

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        class_names: Sequence[str] | None = None,
        **kwargs: typing.Any,
    ) -> None:
        networks.check_fit(generator, discriminator, class_names)
        super().__init__(dtype="float32", autocast=False, **kwargs)
        self.generator = generator
        self.discriminator = discriminator
        self.class_names = None if class_names is None else tuple(class_names)
        copy, self._averaged = ema.averaged_copy(generator)
        copy.trainable = False
        self.ema_generator = copy
        generator.on_weights_set = self._averaged.restart
        self._statistics = ema.StandingStatistics(copy, generator)
        self.augmentation = state.AugmentationState()
        self._trackers = [keras.metrics.Mean(name=name) for name in _METRICS]
        self._penalty_trackers = [keras.metrics.Mean(name=x) for x in penalties.NAMES]
        # Identifies the averaged weights for which `ema_generator` has statistics.
        self._fingerprint = self.add_weight(
            name="ema_fingerprint",
            shape=(2,),  # `mix_number` of the classes, or 0 if unset; the fingerprint
            dtype="int64",
            initializer="zeros",
            trainable=False,
        )
        # Keras reads files in the order of attribute names, so this one is read after
        # `g_optimizer`.
        self.step_counter = state.StepCounter()
        self.step_counter.find_updates = self._generator_updates
        self.built = True

    @property
    def trainable(self):
        """bool, as for every Keras layer; `ema_generator` is never trainable."""
        return super().trainable

    @trainable.setter
    def trainable(self, value):
        keras.Model.trainable.fset(self, value)
        self.ema_generator.trainable = False

    # === Compilation ===
    def compile(
        self,
        g_optimizer: keras.Optimizer | None = None,
        d_optimizer: keras.Optimizer | None = None,
        loss: str = "hinge",
        discriminator_steps: int = 1,
        ema_decay: float = 0.999,
        ema_start: int = 0,
        ema_warmup: bool = False,
        gradient_accumulation_steps: int = 1,
        seed: int = 0,
        augmentation: str | AugmentationConfig | None = None,
        fake_label_weights: Sequence[float] | None = None,
        r1_gamma: float = 0.0,
        r2_gamma: float = 0.0,
        jit_compile: bool = False,
        **kwargs: typing.Any,
    ) -> None:
        """Configures the model for training.

        `optimizer.learning_rate` is then the rate of the generator. Setting it, as
        `keras.callbacks.LearningRateScheduler` does, scales both rates by one factor.

        A call of `train_step` is one generator step. Its batch holds the images of
        `discriminator_steps * gradient_accumulation_steps` passes.

        Args:
            g_optimizer: `keras.optimizers.Optimizer`. Defaults to
                `Adam(1e-4, beta_1=0, beta_2=0.999, epsilon=1e-8)` (source: official
                code, `model.py`; the paper, section 4, says beta_2 = 0.9).
            d_optimizer: the same for D, by default with learning rate `4e-4`.
            loss: `"hinge"`, `"non_saturating"`, `"least_squares"`, `"wasserstein"` or
                `"relativistic"` (R3GAN: each generated image is compared with a real
                one that has the same label).
            discriminator_steps: int > 0. Number of updates of D before each one of G.
            ema_decay: float in [0, 1). Share of the averages that is kept at each step;
                0 for no averaging (official code). Defaults to `0.999` (MMGeneration).
            ema_start: int >= 0. Number of generator steps before averaging starts.
            ema_warmup: bool. Whether at most `(1 + t) / (10 + t)` of the averages is
                kept at the `t`-th step of averaging, so that they soon leave the
                initial weights (as `tf.train.ExponentialMovingAverage` does with
                `num_updates`).
            gradient_accumulation_steps: int > 0. Number of passes per update, over
                which gradients are averaged.
            seed: int. Seed of all random draws in training.
            augmentation: None, `"diffaugment"`, `"ada"`, or a
                `config.AugmentationConfig`.
            fake_label_weights: sequence of the frequencies of the classes of generated
                images, or None if they are equal. With the loss "relativistic",
                generated images have the labels of real ones; the frequencies of those
                should then be given, for the batch statistics of `ema_generator`.
            r1_gamma: float >= 0. `r1_gamma / 2` times the mean squared gradient of D at
                real images is added to D's loss (`training.penalties`).
            r2_gamma: float >= 0. The same for generated images.
            jit_compile: bool. Whether to compile with XLA, which is slower on a CPU.
            **kwargs: `run_eagerly`, `steps_per_execution` of `keras.Model.compile`.

        Raises:
            ValueError: if an argument is out of range.
        """
        settings = steps.StepSettings(
            loss=loss,
            r1_gamma=r1_gamma,
            r2_gamma=r2_gamma,
            discriminator_steps=discriminator_steps,
            ema_decay=ema_decay,
            ema_start=ema_start,
            ema_warmup=ema_warmup,
            gradient_accumulation_steps=gradient_accumulation_steps,
            seed=seed,
            augmentation=augmentation,  # type: ignore[arg-type]  # it takes names
            fake_label_weights=fake_label_weights,  # type: ignore[arg-type]  # and lists
        )
        arguments = CompileArguments(
            g_optimizer, d_optimizer, settings, jit_compile, kwargs
        )
        arguments.check_networks(self.discriminator)
        strategies.check_scope(self._fingerprint)
        super().compile(optimizer=None, jit_compile=jit_compile, **kwargs)
        self._settings = settings
        self._compile_arguments = arguments
        self.g_optimizer, self.d_optimizer = arguments.optimizers(
            self.generator, self.discriminator
        )
        self.g_optimizer.build(self.generator.trainable_variables)
        self.d_optimizer.build(self.discriminator.trainable_variables)
        self.optimizer = OptimizerPair(
            self.g_optimizer, self.d_optimizer, self.step_counter.count
        )
        self._fault = faults.FaultFlag(self.num_classes)

    def get_compile_config(self):
        if not self.compiled:
            return None
        return self._compile_arguments.to_config(self.g_optimizer, self.d_optimizer)

    def compile_from_config(self, config):
        self.compile(**CompileArguments.deserialize(config))

    def freeze(self, *patterns: str) -> list[str]:
        """Freezes layers, so that training does not change them.

        If the model is compiled, it is compiled again with the same arguments, as Keras
        requires when layers are frozen; its optimizers start anew. Frozen batch norms
        use their moving statistics.

        Args:
            *patterns: str. Names of layers, preceded by that of their network. `*` and
                `?` are wildcards, e.g. `"discriminator/block1_*"` or
                `"generator/attention_16/query"`.

        Returns: list of str. The names of the layers that were frozen.

        Raises:
            ValueError: if a pattern does not match any layer.
        """
        both = {"generator": self.generator, "discriminator": self.discriminator}
        frozen = architectures.freeze_layers(both, patterns)
        if self.compiled:
            self.compile_from_config(self.get_compile_config())
        return frozen

    # === Training and evaluation ===
    @property
    def metrics(self):
        settings = getattr(self, "_settings", None)
        names = () if settings is None else penalties.names(settings)
        return self._trackers + [x for x in self._penalty_trackers if x.name in names]

    @property
    def step(self) -> int:
        """int. Number of generator steps made so far, in all calls of `fit`."""
        return int(self.step_counter.count.numpy())

    def _generator_updates(self):
        return self.g_optimizer.iterations if self.compiled else None

    def train_step(self, data):
        images, labels = inputs.unpack(data, self.discriminator, self._settings.parts)
        step = tf.identity(self.step_counter.count.value)
        labels = self._fault.record(images, labels, step)
        # Before the losses, which are not finite if a weight is not.
        self._fault.record_weights(networks.trained_weights(self), step)
        logs = steps.train_step(networks.of(self), self._settings, images, labels, step)
        self._fault.record_losses(networks.losses(logs), step)
        ema.update_average(self._averaged, step, self._settings)
        more = self.augmentation.update(self._settings, logs, tf.shape(images)[0], step)
        more.update(networks.gates(self.generator, self.discriminator))
        self.step_counter.count.assign_add(1)
        return {**networks.track(self.metrics, logs), **more}

    def first_non_finite(self) -> tuple[int, str] | None:
        """Returns `(step, cause)` of the first non-finite loss or weight, or None."""
        return self._fault.first_non_finite(networks.trained_weights(self))

    def test_step(self, data):
        images, labels = inputs.unpack(data, self.discriminator, parts=1)
        averaged = networks.of(self)._replace(generator=self.ema_generator)
        start = self._trackers[0].count * self.distribute_strategy.num_replicas_in_sync
        logs = steps.test_step(averaged, self._settings, images, labels, start)
        return networks.track(self._trackers, logs, tf.shape(images)[0])

    def call(self, inputs, training=False):
        return self.ema_generator(inputs, training=False)

    # === Generation ===
    @property
    def num_classes(self) -> int | None:
        """int. Number of classes, or None if unconditional."""
        return self.generator.num_classes

    def refresh_ema(self) -> None:
        """Updates the statistics of `ema_generator` if its weights have changed."""
        mix, previous = self._fingerprint.numpy()
        # Before `compile` the mix of classes is unknown, so that of the file is kept.
        same = mix == ema.mix_number(self.fake_label_weights) or not self.compiled
        if mix and same and previous == self._averaged.fingerprint():
            return
        self._statistics.refresh(
            self._settings.seed if self.compiled else 0, self.fake_label_weights
        )
        self.accept_ema_statistics()

    def accept_ema_statistics(self) -> None:
        """Declares the current statistics of `ema_generator` right for its weights."""
        mix = ema.mix_number(self.fake_label_weights)
        self._fingerprint.assign([mix, self._averaged.fingerprint()])

    @property
    def fake_label_weights(self) -> tuple[float, ...] | None:
        """Frequencies of the classes in training: tuple of float; None if equal."""
        return self._settings.fake_label_weights if self.compiled else None

    def generate(
        self,
        labels: Sequence[int | str] | np.ndarray | None = None,
        num_images: int | None = None,
        seed: int | Sequence[int] = 0,
        truncation: float | None = None,
        batch_size: int = 64,
    ) -> np.ndarray:
        """Generates images with `ema_generator`.

        Args:
            labels: class indices or names, one per image; None if unconditional.
            num_images: int > 0 if unconditional, otherwise None.
            seed: int, in which case row `i` uses `seed + i`, or one int per row. A row
                depends only on its own seed, label and truncation (up to rounding in
                the last bit of a convolution, which may depend on the batch size).
            truncation: float > 0. Every entry of the latents is redrawn until its
                absolute value is at most this. None for no truncation.
            batch_size: int > 0. Number of images computed at once.

        Returns: uint8 array `(n, image_size, image_size, channels)`.

        Raises:
            ValueError: if an argument is missing or out of range.
        """
        labels, seeds = generation.resolve_rows(self, labels, num_images, seed)
        truncation = sampling.resolve_truncation(truncation, len(seeds))
        self.refresh_ema()
        if getattr(self, "_sampler", None) is None:
            self._sampler = generation.sampler(self)
        return generation.run_sampler(
            self._sampler, seeds, labels, truncation, batch_size
        )

    def attention_maps(
        self,
        labels: Sequence[int | str] | np.ndarray | None = None,
        num_images: int | None = None,
        seed: int | Sequence[int] = 0,
    ) -> dict[str, np.ndarray]:
        """Computes the map of every attention layer for generated images.

        Args:
            labels, num_images, seed: as for `generate`.

        Returns: dict from e.g. `"generator/attention_16"` to a float32 array
            `(n, queries H*W, keys M)`. Every row sums to 1 and holds the weights with
            which a position attends to the keys.
        """
        labels, seeds = generation.resolve_rows(self, labels, num_images, seed)
        self.refresh_ema()
        return generation.attention_maps(
            self.ema_generator, self.discriminator, seeds, labels
        )

    # === Configuration ===
    def get_config(self) -> dict:
        return {
            "generator": keras.saving.serialize_keras_object(self.generator),
            "discriminator": keras.saving.serialize_keras_object(self.discriminator),
            "class_names": self.class_names and list(self.class_names),
            "name": self.name,
            "trainable": self.trainable,
        }

    @classmethod
    def from_config(
        cls, config: dict, custom_objects: dict | None = None
    ) -> "TrainableSAGAN":
        parts = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects)
            for name in ("generator", "discriminator")
        }
        return cls(**{**config, **parts})
