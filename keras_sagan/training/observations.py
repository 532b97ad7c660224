"""What the weights of a `SAGAN` say about its training, read at log time."""

from keras_sagan.layers.spectral_normalization import spectral_norm_layers


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
        for prefix, network in networks(gan)
        for layer in spectral_norm_layers(network)
    }


def networks(gan):
    """Pairs of a prefix, `"g"` or `"d"`, and the network; none of another model."""
    found = [("g", "generator"), ("d", "discriminator")]
    return [(prefix, getattr(gan, n)) for prefix, n in found if hasattr(gan, n)]
