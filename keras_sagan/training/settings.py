"""Checks, completes and serialises the arguments of `SAGAN.compile`."""

import dataclasses

import keras

from keras_sagan.config.training import StepConfig
from keras_sagan.distributed import strategies
from keras_sagan.layers.self_attention import SelfAttention2D
from keras_sagan.training import penalties
from keras_sagan.training.steps import StepSettings

G_LEARNING_RATE = 1e-4  # both: paper, section 4.2
D_LEARNING_RATE = 4e-4


@dataclasses.dataclass
class CompileArguments:
    """The arguments of a call of `SAGAN.compile`.

    Args:
        g_optimizer: Keras optimizer, or None.
        d_optimizer: Keras optimizer, or None.
        step: `StepSettings`.
        jit_compile: bool.
        keras_arguments: dict. Further arguments of `keras.Model.compile`.

    Raises:
        ValueError: if an argument is out of range.
    """

    g_optimizer: object
    d_optimizer: object
    step: StepSettings
    jit_compile: bool
    keras_arguments: dict

    def __post_init__(self):
        allowed = ("run_eagerly", "steps_per_execution")
        for name in self.keras_arguments:
            if name not in allowed:
                raise ValueError(
                    f"`compile` has no argument {name!r}: a SAGAN has losses, metrics "
                    "and optimizers of its own. Of the arguments of `keras.Model`, it "
                    f"accepts {', '.join(allowed)}."
                )

    def check_networks(self, discriminator):
        """Raises a `ValueError` if arguments do not fit the networks."""
        weights = self.step.fake_label_weights
        num_classes = discriminator.num_classes
        if weights is not None and len(weights) != num_classes:
            raise ValueError(
                "`fake_label_weights` must have one number per class. Received: "
                f"fake_label_weights={list(weights)}, num_classes={num_classes}."
            )

        penalised = penalties.names(self.step)
        if self.jit_compile and penalised and _pools_float64(discriminator):
            raise ValueError(
                "`jit_compile` must be False for a float64 discriminator with "
                "attention and gradient penalties, because XLA lacks the second "
                "derivative of max pooling in float64. Received: "
                f"r1_gamma={self.step.r1_gamma}, r2_gamma={self.step.r2_gamma}."
            )

    def optimizers(self, generator, discriminator):
        """Returns the optimizers of the generator and of the discriminator."""
        if self.g_optimizer is not None and self.g_optimizer is self.d_optimizer:
            raise ValueError(
                "Generator and discriminator need an optimizer each. Received: the "
                "same object as `g_optimizer` and `d_optimizer`."
            )
        return (
            _optimizer("g_optimizer", self.g_optimizer, G_LEARNING_RATE, generator),
            _optimizer("d_optimizer", self.d_optimizer, D_LEARNING_RATE, discriminator),
        )

    def to_config(self, g_optimizer, d_optimizer):
        """Serialises the arguments to a dict.

        Args:
            g_optimizer, d_optimizer: the optimizers in use.
        """
        serialize = keras.saving.serialize_keras_object
        return {
            **dataclasses.asdict(self.step),
            **self.keras_arguments,
            "jit_compile": self.jit_compile,
            "g_optimizer": serialize(g_optimizer),
            "d_optimizer": serialize(d_optimizer),
        }

    @staticmethod
    def deserialize(config):
        """Returns the keyword arguments of `compile` from a dict of `to_config`."""
        optimizers = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in ("g_optimizer", "d_optimizer")
        }
        return {**config, **optimizers}


def _pools_float64(discriminator):
    """Returns whether a discriminator has max pooling (in attention) in float64."""
    return discriminator.dtype_policy.compute_dtype == "float64" and any(
        isinstance(layer, SelfAttention2D) and layer.pool_size > 1
        for layer in discriminator.layers
    )


def _optimizer(name, optimizer, learning_rate, network):
    """Returns the optimizer of a network, with a loss scale if that is in float16."""
    if optimizer is None:
        # The official code: Adam with beta1 0 and TensorFlow's defaults for the rest.
        optimizer = keras.optimizers.Adam(
            learning_rate, beta_1=0.0, beta_2=0.999, epsilon=1e-8
        )
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise ValueError(
            f"`{name}` must be a Keras optimizer. Received: {name}={optimizer!r}."
        )
    if optimizer.gradient_accumulation_steps:
        raise ValueError(
            f"`{name}` must not accumulate gradients by itself, because the updates of "
            "generator and discriminator would no longer alternate. Pass "
            "`gradient_accumulation_steps` to `compile`. Received: "
            f"{name}={optimizer} with "
            f"gradient_accumulation_steps={optimizer.gradient_accumulation_steps!r}."
        )
    scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    if network.dtype_policy.compute_dtype == "float16" and not scaled:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    strategies.check_optimizer(name, optimizer)
    return optimizer


def compile_from_settings(gan, optimizer, training, **others):
    """Compiles a `SAGAN` with the settings of a run.

    Args:
        gan: `SAGAN`.
        optimizer: `OptimizerConfig`.
        training: `TrainingConfig`.
        **others: further arguments of `compile`.
    """

    step = {x.name: getattr(training, x.name) for x in dataclasses.fields(StepConfig)}

    def adam(learning_rate, updates):
        return keras.optimizers.Adam(
            _decaying(learning_rate, optimizer, updates),
            beta_1=optimizer.beta_1,
            beta_2=optimizer.beta_2,
            epsilon=optimizer.epsilon,
        )

    gan.compile(
        g_optimizer=adam(optimizer.g_learning_rate, 1),
        d_optimizer=adam(optimizer.d_learning_rate, training.discriminator_steps),
        **step,
        **others,
    )


def _decaying(learning_rate, optimizer, updates):
    """Returns the learning rate of an optimizer, or its schedule.

    Keras computes the rate from the optimizer's own count of updates. That is stored in
    checkpoints, so that a resumed run continues with the same rates.

    Args:
        learning_rate: float.
        optimizer: `OptimizerConfig`.
        updates: int. Number of updates that the optimizer makes per generator step.
    """
    if optimizer.decay_steps is None:
        return learning_rate
    return keras.optimizers.schedules.CosineDecay(
        learning_rate, optimizer.decay_steps * updates, alpha=optimizer.decay_to
    )
