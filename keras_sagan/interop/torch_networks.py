"""Converts the weights of PyTorch SAGANs to Keras's layout, whatever their names.

`generator_arrays` and `discriminator_arrays` walk through a Keras network and take the
tensors of each layer from the checkpoint, using the project's `Names`.
"""

from keras_sagan.interop import transforms
from keras_sagan.interop.torch_names import discriminator_size, find_places, weight_key
from keras_sagan.models import architectures
from keras_sagan.models.discriminator import Discriminator


def generator_arrays(generator, checkpoint, names, places, conditional_norm):
    """Converts all weights of a generator to Keras's layout.

    Args:
        generator: `Generator`, for its shapes.
        checkpoint: `Checkpoint`.
        names: `Names`.
        places: `Places`.
        conditional_norm: function of `(checkpoint, prefix, (classes, channels))` that
            returns the prefix of the statistics and the tables `gamma` and `beta`.

    Returns: dict for `assembly.assign`.

    Raises:
        ValueError: if a key is missing, superfluous or of another shape. The message
            names it.
    """
    reader = _Reader(generator, checkpoint, names)
    reader.dense("dense", names.generator_dense, size=architectures.SMALLEST)
    for number, prefix in enumerate(places.blocks, start=1):
        name = f"block{number}"
        reader.norm(f"{name}_bn1", f"{prefix}.{names.bn1}", conditional_norm)
        reader.conv(f"{name}_conv1", f"{prefix}.{names.conv1}")
        reader.norm(f"{name}_bn2", f"{prefix}.{names.bn2}", conditional_norm)
        reader.conv(f"{name}_conv2", f"{prefix}.{names.conv2}")
        reader.conv(f"{name}_shortcut", f"{prefix}.{names.shortcut}")
    reader.attention(places)
    reader.batch_norm("bn", names.generator_bn, affine=True)
    reader.conv("to_images", names.to_images)
    checkpoint.finish()
    return reader.arrays


def discriminator_arrays(discriminator, checkpoint, names, places):
    """Converts all weights of a discriminator; see `generator_arrays`."""
    reader = _Reader(discriminator, checkpoint, names)
    for number, prefix in enumerate(places.blocks, start=1):
        name = f"block{number}"
        reader.conv(f"{name}_conv1", f"{prefix}.{names.conv1}")
        reader.conv(f"{name}_conv2", f"{prefix}.{names.conv2}")
        if reader.has(f"{name}_shortcut"):
            reader.conv(f"{name}_shortcut", f"{prefix}.{names.shortcut}")
    reader.attention(places)
    reader.dense("dense", names.discriminator_dense)
    if discriminator.num_classes is not None:
        reader.embedding("embedding", names.embedding)
    checkpoint.finish()
    return reader.arrays


def read_discriminator(checkpoint, names, num_classes, activated_shortcut, dtype):
    """Builds a `Discriminator` with the sizes that a `Checkpoint` has.

    Returns: tuple of the `Discriminator` and the arrays that are to be its weights.
    """
    places = find_places(checkpoint, names, discriminator=True)
    base_filters, channels = discriminator_size(checkpoint, names, places)
    discriminator = Discriminator(
        image_size=places.image_size,
        num_classes=num_classes,
        base_filters=base_filters,
        channels=channels,
        attention_resolutions=tuple(places.attention),
        activated_shortcut=activated_shortcut,
        dtype=dtype,
    )
    arrays = discriminator_arrays(discriminator, checkpoint, names, places)
    return discriminator, arrays


def take_spectral(checkpoint, prefix, shape):
    """Takes a spectrally normalised weight and its vectors, in PyTorch's layout.

    The layer may be one of `torch.nn.utils.spectral_norm`, which stores `u` and `v`, or
    of BigGAN-PyTorch, which stores only `u` and runs one iteration from it whenever it
    is used.

    Args:
        checkpoint: `Checkpoint`.
        prefix: str. Prefix of the layer.
        shape: tuple. Shape of the weight.

    Returns: tuple `(weight, u, v)`.
    """
    weight = checkpoint.take(weight_key(checkpoint, prefix), shape)
    if f"{prefix}.u0" in checkpoint:
        u = checkpoint.take(f"{prefix}.u0", (1, shape[0]))[0]
        checkpoint.skip(f"{prefix}.sv0")  # the last sigma, which is only displayed
        return weight, *transforms.power_iteration(transforms.matrix(weight), u)
    columns = transforms.matrix(weight).shape[1]
    u = checkpoint.take(f"{prefix}.weight_u", (shape[0],))
    return weight, u, checkpoint.take(f"{prefix}.weight_v", (columns,))


class _Reader:
    """Collects the arrays of a network, layer by layer."""

    def __init__(self, network, checkpoint, names):
        self._checkpoint = checkpoint
        self._names = names
        self._layers = {layer.name: layer for layer in network.layers}
        self.arrays = {}

    def has(self, name):
        return name in self._layers

    def conv(self, name, prefix):
        layer = self._layers[name].layer
        self._spectral_conv(name, prefix, layer.kernel.shape)
        self._bias(name, prefix, layer.bias.shape)

    def dense(self, name, prefix, size=None):
        """Reads a dense layer.

        If `size` is given, its outputs are a flattened `(channels, size, size)`.
        """
        layer = self._layers[name].layer
        inputs, units = layer.kernel.shape
        weight, u, v = take_spectral(self._checkpoint, prefix, (units, inputs))
        self._bias(name, prefix, (units,))
        if size is not None:
            weight, u, self.arrays[f"{name}/bias"] = (
                transforms.channels_last(x, size)
                for x in (weight, u, self.arrays[f"{name}/bias"])
            )
        self._store(name, kernel=weight.T, u=u, v=v)

    def embedding(self, name, prefix):
        layer = self._layers[name].layer
        weight, u, v = take_spectral(
            self._checkpoint, prefix, tuple(layer.embeddings.shape)
        )
        self._store(name, embeddings=weight, u=u, v=v)

    def norm(self, name, prefix, conditional_norm):
        shape = tuple(self._layers[name].gamma.shape)
        if len(shape) == 1:
            prefix += self._names.plain_norm
            return self.batch_norm(name, prefix, affine=True)
        statistics, gamma, beta = conditional_norm(self._checkpoint, prefix, shape)
        self._store(name, gamma=gamma, beta=beta)
        return self.batch_norm(name, statistics, affine=False)

    def batch_norm(self, name, prefix, affine):
        shape = tuple(self._layers[name].moving_mean.shape)
        stored = {"moving_mean": "running_mean", "moving_variance": "running_var"}
        if affine:
            stored |= {"gamma": "weight", "beta": "bias"}
        for ours, theirs in stored.items():
            array = self._checkpoint.take(f"{prefix}.{theirs}", shape)
            self._store(name, **{ours: array})
        self._checkpoint.skip(f"{prefix}.num_batches_tracked")

    def attention(self, places):
        for size, prefix in places.attention.items():
            name = f"attention_{size}"
            layer = self._layers[name]
            for part, ours in [
                ("query", layer.query),
                ("key", layer.key),
                ("value", layer.value),
                ("output", layer.output_projection),
            ]:
                theirs = f"{prefix}.{getattr(self._names, part)}"
                self._spectral_conv(f"{name}/{part}", theirs, ours.layer.kernel.shape)
            key = f"{prefix}.{self._names.gate}"
            gate = self._checkpoint.take(key, self._names.gate_shape)
            self._store(name, gamma=gate.reshape(()))

    def _spectral_conv(self, name, prefix, shape):
        height, width, inputs, outputs = shape
        weight, u, v = take_spectral(
            self._checkpoint, prefix, (outputs, inputs, height, width)
        )
        kernel, v = transforms.conv_kernel(weight), transforms.conv_v(v, shape)
        self._store(name, kernel=kernel, u=u, v=v)

    def _bias(self, name, prefix, shape):
        self._store(name, bias=self._checkpoint.take(f"{prefix}.bias", shape))

    def _store(self, name, **arrays):
        self.arrays.update({f"{name}/{part}": x for part, x in arrays.items()})
