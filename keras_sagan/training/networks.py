"""Two networks in training: whether they fit each other, and what they show."""

from keras import ops

from keras_sagan.layers.gated_residual import GatedResidual2D
from keras_sagan.layers.self_attention import SelfAttention2D
from keras_sagan.layers.spectral_normalization import spectral_norm_layers
from keras_sagan.models.discriminator import Discriminator
from keras_sagan.models.generator import Generator
from keras_sagan.training import penalties, steps


def check_fit(generator, discriminator, class_names):
    """Raise a `ValueError` unless the networks are for the same images and classes."""
    for name, network, kind in [
        ("generator", generator, Generator),
        ("discriminator", discriminator, Discriminator),
    ]:
        if not isinstance(network, kind):
            raise ValueError(
                f"`{name}` must be a keras_sagan {kind.__name__}. "
                f"Received: {name}={network!r}."
            )
    for name in ("image_size", "channels", "num_classes"):
        ours, theirs = getattr(generator, name), getattr(discriminator, name)
        if ours != theirs:
            raise ValueError(
                f"Generator and discriminator must have the same `{name}`. "
                f"Received: {ours!r} and {theirs!r}."
            )
    if class_names is not None:
        _check_class_names(class_names, generator.num_classes)


def trained_weights(gan):
    """The weights that training changes by gradients, generator's first."""
    pair = gan.generator, gan.discriminator
    return [v for network in pair for v in network.trainable_variables]


def of(gan):
    """The `steps.Networks` of a compiled `SAGAN`."""
    return steps.Networks(
        gan.generator,
        gan.discriminator,
        gan.g_optimizer,
        gan.d_optimizer,
        gan.augmentation.probability,
    )


def losses(logs):
    """What a step's `logs` say that was minimised: list of scalars."""
    return [logs[x] for x in ("d_loss", "g_loss", *penalties.NAMES) if x in logs]


def track(trackers, logs, weight=None):
    """The running means, by name, with `logs` and their total `loss` taken in.

    Args:
        trackers: list of `keras.metrics.Mean`.
        logs: dict of scalars.
        weight: scalar: what `logs` count in the means; None for 1.
    """
    logs = {**logs, "loss": logs["d_loss"] + logs["g_loss"]}
    for tracker in trackers:
        tracker.update_state(logs[tracker.name], weight)
    return {tracker.name: tracker.result() for tracker in trackers}


def gates(generator, discriminator):
    """The present `gamma` of every attention layer: dict from e.g. `g_gamma_16`."""
    return {
        f"{prefix}_gamma_{layer.name.removeprefix('attention_')}": ops.cast(
            layer.gamma, "float32"
        )
        for prefix, network in [("g", generator), ("d", discriminator)]
        for layer in network.layers
        if isinstance(layer, (SelfAttention2D, GatedResidual2D))
    }


def _check_class_names(names, num_classes):
    if len(names) != num_classes or len(set(names)) < len(names):
        raise ValueError(
            "`class_names` must have one name a class, all different. Received: "
            f"{len(names)} names, num_classes={num_classes!r}, "
            f"class_names={tuple(names)!r}."
        )
    if not all(isinstance(name, str) for name in names):
        raise ValueError(
            f"`class_names` must be strings. Received: class_names={tuple(names)!r}."
        )


def sigmas(gan):
    """The largest singular value of every spectrally normalised kernel, as estimated.

    It reads the weights and changes nothing, so that a row of metrics depends on the
    step alone.

    Args:
        gan: `SAGAN`.

    Returns: dict from e.g. `"g_sigma/block1_conv1"` or `"d_sigma/attention_16/key"`
        to float. Empty for another model.
    """
    return {
        f"{prefix}_sigma/{layer.path}": float(layer.sigma())
        for prefix, network in named_networks(gan)
        for layer in spectral_norm_layers(network)
    }


def named_networks(gan):
    """Pairs of a prefix, `"g"` or `"d"`, and the network; none of another model."""
    found = [("g", "generator"), ("d", "discriminator")]
    return [(prefix, getattr(gan, n)) for prefix, n in found if hasattr(gan, n)]
