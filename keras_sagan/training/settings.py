"""The arguments of `SAGAN.compile`: checks, defaults and serialisation."""

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
    """What `SAGAN.compile` was called with.

    Args:
        g_optimizer: keras optimizer, or None.
        d_optimizer: keras optimizer, or None.
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
        known = ("run_eagerly", "steps_per_execution")
        for name in self.keras_arguments:
            if name not in known:
                raise ValueError(
                    f"`compile` has no argument {name!r}: losses, metrics and "
                    "optimizers of a SAGAN are its own. Allowed beside the named ones: "
                    f"{', '.join(known)}."
                )

    def check_networks(self, discriminator):
        """Raises a `ValueError` where arguments do not fit the networks."""
        weights = self.step.fake_label_weights
        num_classes = discriminator.num_classes
        if weights is not None and len(weights) != num_classes:
            raise ValueError(
                "`fake_label_weights` must be one number a class. Received: "
                f"fake_label_weights={list(weights)}, num_classes={num_classes}."
            )

        penalised = penalties.names(self.step)
        if self.jit_compile and penalised and _pools_float64(discriminator):
            raise ValueError(
                "XLA lacks the second derivative of max pooling in float64, which the "
                "gradient penalties need for attention: `jit_compile` must be False "
                "for a float64 discriminator with attention. Received: "
                f"r1_gamma={self.step.r1_gamma}, r2_gamma={self.step.r2_gamma}."
            )

    def optimizers(self, generator, discriminator):
        """The pair (generator's, discriminator's) for these networks."""
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
        """Serialised form; the optimizers given are those in use."""
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
        """Keyword arguments of `compile` from the form of `to_config`."""
        optimizers = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in ("g_optimizer", "d_optimizer")
        }
        return {**config, **optimizers}


def _pools_float64(discriminator):
    """Whether it has max pooling (of attention) in float64."""
    return discriminator.dtype_policy.compute_dtype == "float64" and any(
        isinstance(layer, SelfAttention2D) and layer.pool_size > 1
        for layer in discriminator.layers
    )


def _optimizer(name, optimizer, learning_rate, network):
    """The optimizer of a network; one in float16 gets a loss scale, as Keras's do."""
    if optimizer is None:
        # The official code: Adam with beta1 0 and TensorFlow's defaults for the rest.
        optimizer = keras.optimizers.Adam(
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
    scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    if network.dtype_policy.compute_dtype == "float16" and not scaled:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    strategies.check_optimizer(name, optimizer)
    return optimizer


def compile_from_settings(gan, optimizer, training, **others):
    """Compile `gan` after an `OptimizerConfig` and a `TrainingConfig`.

    Further arguments are passed on to `compile`.
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
    """The learning rate of an optimizer that makes so many updates a step.

    Keras asks a schedule for the rate by the optimizer's own count of updates, which
    checkpoints hold: a run that goes on goes on with the same rates.
    """
    if optimizer.decay_steps is None:
        return learning_rate
    return keras.optimizers.schedules.CosineDecay(
        learning_rate, optimizer.decay_steps * updates, alpha=optimizer.decay_to
    )
