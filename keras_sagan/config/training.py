"""Sections of the configuration about the optimizers, the training step and the log."""

from keras_sagan.config.section import Section, section, setting

DTYPE_POLICIES = ("float32", "mixed_bfloat16", "float64")
# The losses of `keras_sagan.losses`, where a program may register others.
LOSSES = ["hinge", "non_saturating", "least_squares", "wasserstein", "relativistic"]
LARGEST_SEED = 2**32 - 1  # the largest that the generators of NumPy and Keras accept


@section
class OptimizerConfig(Section):
    """The two Adam optimizers, which differ in their learning rates only (TTUR)."""

    g_learning_rate: float = setting(
        1e-4, "learning rate of the generator", "--g-learning-rate RATE", above=0
    )
    d_learning_rate: float = setting(
        4e-4, "learning rate of the discriminator", "--d-learning-rate RATE", above=0
    )
    decay_steps: int | None = setting(
        None,
        "number of steps in which both learning rates decay along half a cosine; they "
        "are constant afterwards",
        "--decay-steps STEPS",
        least=1,
        none="constant learning rates",
        added_later=True,
    )
    decay_to: float = setting(
        0.1,
        "share of the learning rates that remains after `decay_steps`",
        least=0,
        most=1,
        added_later=True,
    )
    beta_1: float = setting(
        0.0, "decay rate of the mean of the gradients", least=0, below=1
    )
    beta_2: float = setting(
        0.999, "decay rate of the mean of their squares", least=0, below=1
    )
    epsilon: float = setting(
        1e-8,
        'number added outside the bias correction, as in Keras ("epsilon hat")',
        above=0,
    )


@section
class LengthConfig(Section):
    """How long a run is, and how many images each step sees."""

    batch_size: int = setting(
        64,
        "number of images in a batch, over all replicas",
        "--batch-size IMAGES",
        least=1,
    )
    steps: int = setting(100_000, "number of generator steps", "--steps STEPS", least=1)
    minutes: float | None = setting(
        None,
        "time limit, which includes writing the last samples and the model",
        "--minutes MINUTES",
        above=0,
        none="no limit",
    )


@section
class StepConfig(Section):
    """What happens in a training step. `SAGAN.compile` takes the same arguments."""

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
        "weight of the same penalty on generated images; 0 for none",
        "--r2-gamma WEIGHT",
        least=0,
        added_later=True,
    )
    discriminator_steps: int = setting(
        1,
        "number of discriminator steps before each generator step",
        "--discriminator-steps STEPS",
        least=1,
    )
    ema_decay: float = setting(
        0.999,
        "share of the averaged weights kept at each step; 0 for no averaging",
        "--ema-decay FRACTION",
        least=0,
        below=1,
    )
    ema_start: int = setting(
        0, "step at which averaging starts; before, the weights are copied", least=0
    )
    ema_warmup: bool = setting(
        False,
        "whether less is kept at first: at most (1 + t) / (10 + t) of the averaged "
        "weights at the t-th step of averaging",
        added_later=True,
    )
    gradient_accumulation_steps: int = setting(
        1,
        "number of batches whose gradients are averaged for one update",
        "--gradient-accumulation-steps BATCHES",
        least=1,
    )
    seed: int = setting(
        0,
        "seed of the weights, the latents and the order of the data",
        "--seed N",
        least=0,
        most=LARGEST_SEED,
    )


@section
class TrainingConfig(StepConfig, LengthConfig):  # fields of the last base come first
    """How the networks are trained, and for how long."""

    dtype_policy: str = setting(
        "float32",
        "precision of the computations",
        "--dtype-policy NAME",
        choices=DTYPE_POLICIES,
    )

    init_from: str | None = setting(
        None,
        "trained model whose networks and weights the run starts from; classes that it "
        "does not have start from the mean of its classes",
        "--init-from MODEL",
        none="random weights",
        added_later=True,
    )
    freeze: tuple[str, ...] = setting(
        (),
        "layers that are not trained, e.g. discriminator/block1_*; several patterns "
        "are joined by commas",
        "--freeze PATTERN",
        added_later=True,
    )

    @property
    def examples_per_step(self):
        """int. Number of real images that one generator step consumes."""
        return (
            self.batch_size
            * self.discriminator_steps
            * self.gradient_accumulation_steps
        )


@section
class LoggingConfig(Section):
    """How often a run writes metrics, samples and checkpoints."""

    log_every: int = setting(
        100,
        "number of steps between two rows of metrics, which are means over these steps",
        "--log-every STEPS",
        least=1,
    )
    sample_every: int = setting(
        1000,
        "number of steps between two grids of samples, and two checks for collapse",
        "--sample-every STEPS",
        least=1,
    )
    checkpoint_every: int = setting(
        500,
        "number of steps between two checkpoints; each is written together with a row "
        "of metrics",
        "--checkpoint-every STEPS",
        least=1,
    )
    keep_checkpoints: int = setting(
        3, "number of checkpoints to keep, the newest ones", least=1
    )
