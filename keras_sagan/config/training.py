"""Sections of the configuration about training: the step, its length, its log."""

from keras_sagan.config.section import Section, section, setting

DTYPE_POLICIES = ("float32", "mixed_bfloat16", "float64")
# Those of `keras_sagan.losses`, where a program may register others.
LOSSES = ["hinge", "non_saturating", "least_squares", "wasserstein", "relativistic"]
LARGEST_SEED = 2**32 - 1  # that NumPy's and Keras's generators take


@section
class OptimizerConfig(Section):
    """Two Adam optimizers with the same betas and a learning rate each (TTUR)."""

    g_learning_rate: float = setting(
        1e-4, "learning rate of the generator", "--g-learning-rate RATE", above=0
    )
    d_learning_rate: float = setting(
        4e-4, "learning rate of the discriminator", "--d-learning-rate RATE", above=0
    )
    decay_steps: int | None = setting(
        None,
        "steps over which both learning rates fall along half a cosine; later steps "
        "keep what is left",
        "--decay-steps STEPS",
        least=1,
        none="learning rates that stay",
        added_later=True,
    )
    decay_to: float = setting(
        0.1,
        "share of the learning rates that is left after `decay_steps`",
        least=0,
        most=1,
        added_later=True,
    )
    beta_1: float = setting(0.0, "decay of the mean gradient", least=0, below=1)
    beta_2: float = setting(0.999, "decay of the mean square", least=0, below=1)
    epsilon: float = setting(
        1e-8,
        'added outside the bias correction, as Keras does ("epsilon hat")',
        above=0,
    )


@section
class LengthConfig(Section):
    """How long a run is, and how many images each step sees."""

    batch_size: int = setting(
        64,
        "images in a batch, on all replicas together",
        "--batch-size IMAGES",
        least=1,
    )
    steps: int = setting(100_000, "generator steps", "--steps STEPS", least=1)
    minutes: float | None = setting(
        None,
        "time limit, within which the last samples and the model are written too",
        "--minutes MINUTES",
        above=0,
        none="no limit",
    )


@section
class StepConfig(Section):
    """What one training step is. `SAGAN.compile` takes the same arguments."""

    loss: str = setting("hinge", "loss of both networks", "--loss NAME", choices=LOSSES)
    r1_gamma: float = setting(
        0.0,
        "weight of the discriminator's gradient penalty on real images; 0 for none",
        "--r1-gamma WEIGHT",
        least=0,
        added_later=True,
    )
    r2_gamma: float = setting(
        0.0,
        "weight of the same penalty on generated images",
        "--r2-gamma WEIGHT",
        least=0,
        added_later=True,
    )
    discriminator_steps: int = setting(
        1,
        "discriminator steps before each generator step",
        "--discriminator-steps STEPS",
        least=1,
    )
    ema_decay: float = setting(
        0.999,
        "share that the averaged weights keep at each step; 0 for no averaging",
        "--ema-decay FRACTION",
        least=0,
        below=1,
    )
    ema_start: int = setting(
        0, "step before which the average is a copy of the weights", least=0
    )
    gradient_accumulation_steps: int = setting(
        1,
        "batches whose gradients make one update",
        "--gradient-accumulation-steps BATCHES",
        least=1,
    )
    seed: int = setting(
        0,
        "seed of weights, latents and the order of the data",
        "--seed N",
        least=0,
        most=LARGEST_SEED,
    )


@section
class TrainingConfig(StepConfig, LengthConfig):  # fields of the last base come first
    """How long and how the networks are trained."""

    dtype_policy: str = setting(
        "float32",
        "precision of the computations",
        "--dtype-policy NAME",
        choices=DTYPE_POLICIES,
    )

    init_from: str | None = setting(
        None,
        "trained model whose networks and weights the run begins with; classes of "
        "other names begin at the mean of its classes",
        "--init-from MODEL",
        none="weights drawn at random",
        added_later=True,
    )
    freeze: tuple[str, ...] = setting(
        (),
        "layers that do not train, e.g. discriminator/block1_*; several are joined by "
        "commas",
        "--freeze PATTERN",
        added_later=True,
    )

    @property
    def examples_per_step(self):
        """Real images that one generator step consumes."""
        return (
            self.batch_size
            * self.discriminator_steps
            * self.gradient_accumulation_steps
        )


@section
class LoggingConfig(Section):
    """How often a run writes what."""

    log_every: int = setting(
        100,
        "steps between two rows of metrics, which are means over these steps",
        "--log-every STEPS",
        least=1,
    )
    sample_every: int = setting(
        1000, "steps between two grids of samples", "--sample-every STEPS", least=1
    )
    checkpoint_every: int = setting(
        500,
        "steps between two checkpoints; they are written with a row of metrics",
        "--checkpoint-every STEPS",
        least=1,
    )
    keep_checkpoints: int = setting(
        3, "how many of the newest checkpoints stay", least=1
    )
