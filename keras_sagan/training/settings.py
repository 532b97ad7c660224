"""The arguments of `SAGAN.compile`: checks, defaults and serialisation."""

import dataclasses
import math

import keras

from keras_sagan import losses
from keras_sagan.distributed import strategies
from keras_sagan.training import augmentation
from keras_sagan.training.steps import StepSettings

G_LEARNING_RATE = 1e-4  # both: paper, section 4.2
D_LEARNING_RATE = 4e-4


@dataclasses.dataclass
class CompileArguments:
    """What `SAGAN.compile` was called with.

    Raises:
        ValueError: if an argument is out of range.
    """

    g_optimizer: object
    d_optimizer: object
    loss: str
    discriminator_steps: int
    ema_decay: float
    ema_start: int
    gradient_accumulation_steps: int
    seed: int
    augmentation: object
    fake_label_weights: object
    jit_compile: bool
    keras_arguments: dict

    def __post_init__(self):
        losses.get(self.loss)
        self.augmentation = augmentation.resolve(self.augmentation)
        self._check_weights()
        self._check_adaptive()
        for name in ("discriminator_steps", "gradient_accumulation_steps"):
            self._check_integer(name, 1)
        self._check_integer("ema_start", 0)
        self._check_integer("seed", 0)
        number = isinstance(self.ema_decay, (int, float))
        if not (number and 0 <= self.ema_decay < 1):
            raise ValueError(
                "`ema_decay` must be in [0, 1). "
                f"Received: ema_decay={self.ema_decay!r}."
            )
        known = ("run_eagerly", "steps_per_execution")
        for name in self.keras_arguments:
            if name not in known:
                raise ValueError(
                    f"`compile` has no argument {name!r}: losses, metrics and "
                    "optimizers of a SAGAN are its own. Allowed beside the named ones: "
                    f"{', '.join(known)}."
                )

    def check_classes(self, num_classes):
        """Raises a `ValueError` where `fake_label_weights` are not one a class."""
        weights = self.fake_label_weights
        if weights is not None and len(weights) != num_classes:
            raise ValueError(
                "`fake_label_weights` must be one number a class. Received: "
                f"fake_label_weights={list(weights)}, num_classes={num_classes}."
            )

    def step_settings(self):
        return StepSettings(
            loss=self.loss,
            discriminator_steps=self.discriminator_steps,
            gradient_accumulation_steps=self.gradient_accumulation_steps,
            ema_decay=self.ema_decay,
            ema_start=self.ema_start,
            seed=self.seed,
            augmentation=self.augmentation,
            fake_label_weights=self.fake_label_weights,
        )

    def optimizers(self):
        """The pair (generator's, discriminator's)."""
        if self.g_optimizer is not None and self.g_optimizer is self.d_optimizer:
            raise ValueError(
                "Generator and discriminator need an optimizer each. Received: the "
                "same object as `g_optimizer` and `d_optimizer`."
            )
        return (
            _optimizer("g_optimizer", self.g_optimizer, G_LEARNING_RATE),
            _optimizer("d_optimizer", self.d_optimizer, D_LEARNING_RATE),
        )

    def to_config(self, g_optimizer, d_optimizer):
        """Serialised form; the optimizers given are those in use."""
        serialize = keras.saving.serialize_keras_object
        return {
            **dataclasses.asdict(self.step_settings()),
            **self.keras_arguments,
            "jit_compile": self.jit_compile,
            "g_optimizer": serialize(g_optimizer),
            "d_optimizer": serialize(d_optimizer),
        }

    @staticmethod
    def deserialize(config):
        """Keyword arguments of `compile` from the form of `to_config`."""
        optimizers = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in ("g_optimizer", "d_optimizer")
        }
        return {**config, **optimizers}

    def _check_weights(self):
        weights = self.fake_label_weights
        if weights is None:
            return
        weights = tuple(float(weight) for weight in weights)
        if not (min(weights, default=-1) >= 0 and 0 < sum(weights) < math.inf):
            raise ValueError(
                "`fake_label_weights` must be numbers >= 0, one a class, not all 0. "
                f"Received: fake_label_weights={self.fake_label_weights!r}."
            )
        self.fake_label_weights = weights

    def _check_adaptive(self):
        """ADA reads overfitting off the signs of D's logits."""
        adaptive = self.augmentation is not None and self.augmentation.policy == "ada"
        if adaptive and self.loss not in ("hinge", "non_saturating"):
            raise ValueError(
                "The augmentation 'ada' needs a loss whose decision is at 0: 'hinge' "
                f"or 'non_saturating'. Received: loss={self.loss!r}."
            )

    def _check_integer(self, name, minimum):
        value = getattr(self, name)
        if isinstance(value, bool) or not (isinstance(value, int) and value >= minimum):
            raise ValueError(
                f"`{name}` must be an integer >= {minimum}. Received: {name}={value!r}."
            )


def _optimizer(name, optimizer, learning_rate):
    if optimizer is None:
        # The official code: Adam with beta1 0 and TensorFlow's defaults for the rest.
        return keras.optimizers.Adam(
            learning_rate, beta_1=0.0, beta_2=0.999, epsilon=1e-8
        )
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise ValueError(
            f"`{name}` must be a keras optimizer. Received: {name}={optimizer!r}."
        )
    if optimizer.gradient_accumulation_steps:
        raise ValueError(
            f"`{name}` must not accumulate gradients by itself: steps of generator and "
            "discriminator would not stay in turn. Pass `gradient_accumulation_steps` "
            f"to `compile`. Received: {name}={optimizer} with "
            f"gradient_accumulation_steps={optimizer.gradient_accumulation_steps!r}."
        )
    strategies.check_optimizer(name, optimizer)
    return optimizer


def compile_from_settings(gan, optimizer, training, **others):
    """Compile `gan` after an `OptimizerConfig` and a `TrainingConfig`.

    Further arguments are passed on to `compile`.
    """

    def adam(learning_rate):
        return keras.optimizers.Adam(
            learning_rate,
            beta_1=optimizer.beta_1,
            beta_2=optimizer.beta_2,
            epsilon=optimizer.epsilon,
        )

    gan.compile(
        g_optimizer=adam(optimizer.g_learning_rate),
        d_optimizer=adam(optimizer.d_learning_rate),
        loss=training.loss,
        discriminator_steps=training.discriminator_steps,
        ema_decay=training.ema_decay,
        ema_start=training.ema_start,
        gradient_accumulation_steps=training.gradient_accumulation_steps,
        seed=training.seed,
        **others,
    )
