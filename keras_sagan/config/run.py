"""Configuration of a run: frozen dataclasses with JSON round trip.

Standard library only. Every value is checked when a configuration is made, so that
a wrong one is an error before anything is built or written. `to_dict` gives what
`config.json` holds; `from_dict` takes exactly that, all keys and no others.
"""

import dataclasses
import difflib

from keras_sagan.config.data import AugmentationConfig, DataConfig
from keras_sagan.config.evaluation import EvaluationConfig
from keras_sagan.config.section import Section

ATTENTION_SETTINGS = ("released", "paper", "formula", "residual")
DTYPE_POLICIES = ("float32", "mixed_bfloat16", "float64")
IMAGE_SIZES = (32, 64, 128, 256)
KERNEL_INITIALIZERS = ("glorot_uniform", "orthogonal")
LOSSES = ("hinge", "non_saturating", "least_squares", "wasserstein")


@dataclasses.dataclass(frozen=True)
class ModelConfig(Section):
    """Architecture of the generator and the discriminator.

    Args:
        image_size: int. Height and width in pixels: 32, 64, 128 or 256.
        num_classes: int, or `None` for an unconditional model.
        latent_dim: int. Length of the latent vector.
        base_filters: int. Width unit `ch` of both networks.
        channels: int. Image channels: 1, 3 or 4.
        attention_resolutions: tuple of pixel sizes with self-attention; `()`: none.
        attention: str. Setting of the attention layer: "released" (code), "paper",
            "formula" or "residual" (a control without attention).
        batch_norm_momentum: float in [0, 1).
        batch_norm_epsilon: float > 0.
        kernel_initializer: str. "glorot_uniform" or "orthogonal".
        activated_shortcut: bool. The discriminator's shortcut sees relu(x), as in
            ports with an in-place ReLU.
    """

    image_size: int = 32
    num_classes: int | None = 10
    latent_dim: int = 128
    base_filters: int = 64
    channels: int = 3
    attention_resolutions: tuple[int, ...] = (16,)
    attention: str = "released"
    batch_norm_momentum: float = 0.999
    batch_norm_epsilon: float = 1e-5
    kernel_initializer: str = "glorot_uniform"
    activated_shortcut: bool = False

    def check(self):
        self.require_choice("image_size", IMAGE_SIZES)
        self.require(
            self.num_classes is None or self.num_classes >= 1,
            "num_classes",
            "at least 1, or None for an unconditional model",
        )
        self.require(self.latent_dim >= 1, "latent_dim", "at least 1")
        self.require(self.base_filters >= 1, "base_filters", "at least 1")
        self.require_choice("channels", (1, 3, 4))
        self.require(
            len(set(self.attention_resolutions)) == len(self.attention_resolutions)
            and all(
                0 < size <= self.image_size and size & (size - 1) == 0
                for size in self.attention_resolutions
            ),
            "attention_resolutions",
            f"different powers of two, at most image_size={self.image_size}",
        )
        self.require_choice("attention", ATTENTION_SETTINGS)
        self.require(
            0 <= self.batch_norm_momentum < 1, "batch_norm_momentum", "in [0, 1)"
        )
        self.require(self.batch_norm_epsilon > 0, "batch_norm_epsilon", "above 0")
        self.require_choice("kernel_initializer", KERNEL_INITIALIZERS)

    def generator_kwargs(self):
        """Returns the arguments of `keras_sagan.models.Generator`."""
        kwargs = dict(vars(self))
        del kwargs["activated_shortcut"]
        return kwargs

    def discriminator_kwargs(self):
        """Returns the arguments of `keras_sagan.models.Discriminator`."""
        kwargs = dict(vars(self))
        for name in ("latent_dim", "batch_norm_momentum", "batch_norm_epsilon"):
            del kwargs[name]
        return kwargs


@dataclasses.dataclass(frozen=True)
class OptimizerConfig(Section):
    """Two Adam optimizers with the same betas and a learning rate each (TTUR).

    Args:
        g_learning_rate: float > 0. Of the generator.
        d_learning_rate: float > 0. Of the discriminator.
        beta_1: float in [0, 1).
        beta_2: float in [0, 1).
        epsilon: float > 0. Keras adds it outside the bias correction ("epsilon hat").
    """

    g_learning_rate: float = 1e-4
    d_learning_rate: float = 4e-4
    beta_1: float = 0.0
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def check(self):
        for name in ("g_learning_rate", "d_learning_rate", "epsilon"):
            self.require(getattr(self, name) > 0, name, "above 0")
        for name in ("beta_1", "beta_2"):
            self.require(0 <= getattr(self, name) < 1, name, "in [0, 1)")


@dataclasses.dataclass(frozen=True)
class TrainingConfig(Section):
    """How long and how the networks are trained.

    Args:
        batch_size: int. Images in one batch of either network's step.
        steps: int. Generator steps.
        minutes: float, or `None` for no limit. Training ends early enough to write
            the last samples and the model within this time.
        loss: str. "hinge", "non_saturating", "least_squares" or "wasserstein".
        discriminator_steps: int. Discriminator steps before each generator step.
        ema_decay: float in [0, 1). Of the average of the generator's weights.
        ema_start: int. Step before which the average is a copy of the weights.
        gradient_accumulation_steps: int. Batches whose gradients make one update.
        seed: int >= 0. Of weights, latents and the order of the data.
        dtype_policy: str. "float32", "mixed_bfloat16" or "float64".
    """

    batch_size: int = 64
    steps: int = 100_000
    minutes: float | None = None
    loss: str = "hinge"
    discriminator_steps: int = 1
    ema_decay: float = 0.999
    ema_start: int = 0
    gradient_accumulation_steps: int = 1
    seed: int = 0
    dtype_policy: str = "float32"

    def check(self):
        for name in (
            "batch_size",
            "steps",
            "discriminator_steps",
            "gradient_accumulation_steps",
        ):
            self.require(getattr(self, name) >= 1, name, "at least 1")
        for name in ("ema_start", "seed"):
            self.require(getattr(self, name) >= 0, name, "at least 0")
        self.require(
            self.minutes is None or self.minutes > 0, "minutes", "above 0, or None"
        )
        self.require_choice("loss", LOSSES)
        self.require(0 <= self.ema_decay < 1, "ema_decay", "in [0, 1)")
        self.require_choice("dtype_policy", DTYPE_POLICIES)

    @property
    def examples_per_step(self):
        """Real images that one generator step consumes."""
        return (
            self.batch_size
            * self.discriminator_steps
            * self.gradient_accumulation_steps
        )


@dataclasses.dataclass(frozen=True)
class LoggingConfig(Section):
    """How often a run writes something down.

    Args:
        log_every: int. Steps between two rows of metrics, which are means over them.
        sample_every: int. Grids of samples are written at multiples of so many steps.
        checkpoint_every: int. Steps between two checkpoints, which are written at the
            end of a logging interval.
        keep_checkpoints: int. How many of the newest checkpoints stay.
    """

    log_every: int = 100
    sample_every: int = 1000
    checkpoint_every: int = 500
    keep_checkpoints: int = 3

    def check(self):
        for field in dataclasses.fields(self):
            self.require(getattr(self, field.name) >= 1, field.name, "at least 1")


@dataclasses.dataclass(frozen=True)
class RunConfig(Section):
    """Everything that decides a training run.

    Args:
        preset: str. Name of the preset that the values were taken from.
        model: `ModelConfig`.
        optimizer: `OptimizerConfig`.
        training: `TrainingConfig`.
        data: `DataConfig`.
        logging: `LoggingConfig`.
        augmentation: `AugmentationConfig`.
        evaluation: `EvaluationConfig`.
    """

    preset: str
    model: ModelConfig
    optimizer: OptimizerConfig
    training: TrainingConfig
    data: DataConfig = dataclasses.field(default_factory=DataConfig)
    logging: LoggingConfig = LoggingConfig()
    augmentation: AugmentationConfig = dataclasses.field(
        default_factory=AugmentationConfig
    )
    evaluation: EvaluationConfig = dataclasses.field(default_factory=EvaluationConfig)

    @classmethod
    def from_dict(cls, values):
        """As of every section; a run that is older than `evaluation` had none."""
        if isinstance(values, dict):
            values = {"evaluation": EvaluationConfig().to_dict(), **values}
        return super().from_dict(values)

    def override(self, values):
        """Returns a copy with some fields of its sections changed.

        Args:
            values: dict from `"section.field"`, e.g. `"model.base_filters"`, to the
                new value, of the field's type.

        Raises:
            ValueError: if there is no such field, or the result is not allowed.
        """
        unknown = sorted(set(values) - set(SETTINGS))
        if unknown:
            near = difflib.get_close_matches(unknown[0], SETTINGS, n=1)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            raise ValueError(
                f"There is no setting {unknown[0]!r}. {hint}"
                f"Settings: {', '.join(SETTINGS)}."
            )
        changes = {}
        for name, value in values.items():
            section, _, field = name.partition(".")
            changes.setdefault(section, {})[field] = value
        return dataclasses.replace(
            self,
            **{
                section: dataclasses.replace(getattr(self, section), **fields)
                for section, fields in changes.items()
            },
        )


# Names that `RunConfig.override` takes: "section.field".
SETTINGS = tuple(
    f"{section.name}.{field.name}"
    for section in dataclasses.fields(RunConfig)
    if dataclasses.is_dataclass(section.type)
    for field in dataclasses.fields(section.type)
)
