"""Functions of the two networks of a `SAGAN`: checks, and values to be logged."""

from keras import ops

from keras_sagan.layers.gated_residual import GatedResidual2D
from keras_sagan.layers.self_attention import SelfAttention2D
from keras_sagan.layers.spectral_normalization import spectral_norm_layers
from keras_sagan.models.discriminator import Discriminator
from keras_sagan.models.generator import Generator
from keras_sagan.training import penalties, steps


def check_fit(generator, discriminator, class_names):
    """Raises a `ValueError` unless both networks have the same images and classes."""
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
    """Returns the trainable weights of both networks, those of the generator first."""
    pair = gan.generator, gan.discriminator
    return [v for network in pair for v in network.trainable_variables]


def of(gan):
    """Returns the `steps.Networks` of a compiled `SAGAN`."""
    return steps.Networks(
        gan.generator,
        gan.discriminator,
        gan.g_optimizer,
        gan.d_optimizer,
        gan.augmentation.probability,
    )


def losses(logs):
    """Returns the losses and penalties in the logs of a step, as a list of scalars."""
    return [logs[x] for x in ("d_loss", "g_loss", *penalties.NAMES) if x in logs]


def track(trackers, logs, weight=None):
    """Updates running means with the logs of a step and their total, `loss`.

    Args:
        trackers: list of `keras.metrics.Mean`.
        logs: dict of scalars.
        weight: scalar. Weight of `logs` in the means; None for 1.

    Returns: dict from names to the current means.
    """
    logs = {**logs, "loss": logs["d_loss"] + logs["g_loss"]}
    for tracker in trackers:
        tracker.update_state(logs[tracker.name], weight)
    return {tracker.name: tracker.result() for tracker in trackers}


def gates(generator, discriminator):
    """Returns the gate of every attention layer: dict from e.g. `"g_gamma_16"`."""
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
            "`class_names` must have one name per class, all different. Received: "
            f"{len(names)} names, num_classes={num_classes!r}, "
            f"class_names={tuple(names)!r}."
        )
    if not all(isinstance(name, str) for name in names):
        raise ValueError(
            f"`class_names` must be strings. Received: class_names={tuple(names)!r}."
        )


def sigmas(gan):
    """Returns the estimated spectral norm of every spectrally normalised kernel.

    Only reads the weights, so that logging does not change training.

    Args:
        gan: `SAGAN`.

    Returns: dict from e.g. `"g_sigma/block1_conv1"` or `"d_sigma/attention_16/key"`
        to float. It is empty for any other model.
    """
    return {
        f"{prefix}_sigma/{layer.path}": float(layer.sigma())
        for prefix, network in named_networks(gan)
        for layer in spectral_norm_layers(network)
    }


def named_networks(gan):
    """Returns pairs of a prefix, `"g"` or `"d"`, and a network; `[]` if not a SAGAN."""
    names = [("g", "generator"), ("d", "discriminator")]
    return [(prefix, getattr(gan, n)) for prefix, n in names if hasattr(gan, n)]
