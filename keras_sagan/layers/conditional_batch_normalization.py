"""Class-conditional batch normalisation."""

import typing
from collections.abc import Sequence

import keras
from keras import ops

from keras_sagan.layers.batch_normalization import (
    normalize_batch,
    synchronized_moments,
    update_moving,
)
from keras_sagan.layers.checks import (
    Shape,
    Tensor,
    check_fraction,
    check_positive,
    check_positive_integer,
)


@keras.saving.register_keras_serializable(package="keras_sagan")
class ConditionalBatchNormalization(keras.layers.Layer):
    """Batch normalisation whose scale and offset depend on the class of the sample.

    `y = gamma[label] * (x - mean) / sqrt(var + epsilon) + beta[label]`, where the
    tables `gamma` (initially 1) and `beta` (initially 0) have one row per class. Mean
    and biased variance are computed over batch, height and width, in float32 under
    every dtype policy. The tables are not spectrally normalised.

    Args:
        num_classes: int > 0.
        momentum: float in [0, 1). Share of the moving statistics that is kept at each
            training call. Defaults to `0.999` (source: official SAGAN code, `ops.py`).
            PyTorch's momentum is 1 minus this one: its 0.1 is 0.9 here.
        epsilon: float > 0, added to the variance. Defaults to `1e-5` (source:
            official SAGAN code, `ops.py`).
        synchronized: bool. Whether the moments are computed over the global batch of
            all replicas of a `tf.distribute` strategy (TensorFlow backend only).

    Call arguments:
        inputs: list `[x, labels]`: float tensor `(batch, height, width, channels)`
            and integer tensor `(batch,)` in `[0, num_classes)`.
        training: bool. If true, normalises with the moments of the batch and updates
            the moving ones; otherwise normalises with the moving ones.

    Returns: tensor of the shape of `x`, compute dtype.

    Raises:
        ValueError: if an argument is out of range, or if the labels are not integers
            of rank 1.

    Reference: [Dumoulin et al., 2017](https://arxiv.org/abs/1610.07629), section 2.2.
    """

    def __init__(
        self,
        num_classes: int,
        momentum: float = 0.999,
        epsilon: float = 1e-5,
        synchronized: bool = False,
        **kwargs: typing.Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_classes = check_positive_integer("num_classes", num_classes)
        self.momentum = check_fraction("momentum", momentum)
        self.epsilon = check_positive("epsilon", epsilon)
        self.synchronized = synchronized

    def build(self, input_shape: Sequence) -> None:
        channels = input_shape[0][-1]
        table = (self.num_classes, channels)
        self.gamma = self.add_weight(
            name="gamma", shape=table, initializer="ones", autocast=False
        )
        self.beta = self.add_weight(
            name="beta", shape=table, initializer="zeros", autocast=False
        )
        self.moving_mean = self._add_statistic("moving_mean", channels, "zeros")
        self.moving_variance = self._add_statistic("moving_variance", channels, "ones")

    def call(self, inputs: Sequence[Tensor], training: bool = False) -> Tensor:
        x, labels = inputs
        _check_labels(labels)
        labels = ops.cast(labels, "int32")  # TensorFlow cannot gather by int8
        if training and self.trainable:
            rows = (
                ops.take(table, labels, axis=0) for table in (self.gamma, self.beta)
            )
            results = normalize_batch(self, x, *(ops.cast(y, "float32") for y in rows))
            if results is not None:
                outputs, mean, variance = results
                update_moving(self, mean, variance)
                return outputs
        x = ops.cast(x, keras.backend.result_type(x.dtype, "float32"))
        mean, variance = self._statistics(x, training)
        scale = ops.rsqrt(variance + self.epsilon)
        # Combined, so that the images take only one multiplication and one addition.
        factor = ops.cast(ops.take(self.gamma, labels, axis=0), x.dtype) * scale
        offset = ops.cast(ops.take(self.beta, labels, axis=0), x.dtype) - mean * factor
        outputs = x * factor[:, None, None, :] + offset[:, None, None, :]
        return ops.cast(outputs, self.compute_dtype)

    def compute_output_shape(self, input_shape: Sequence) -> Shape:
        return input_shape[0]

    def compute_output_spec(
        self, inputs: Sequence[Tensor], training: bool = False
    ) -> Tensor:
        _check_labels(inputs[1])
        return keras.KerasTensor(inputs[0].shape, dtype=self.compute_dtype)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "synchronized": self.synchronized,
        }

    def _statistics(self, x, training):
        """Returns the mean and variance `(channels,)` to use.

        In training they are those of the batch, and the moving ones are updated.
        """
        if not (training and self.trainable):
            return (
                ops.cast(self.moving_mean, x.dtype),
                ops.cast(self.moving_variance, x.dtype),
            )
        if self.synchronized:
            mean, variance = synchronized_moments(x)
        else:
            mean, variance = ops.moments(x, axes=[0, 1, 2])
        update_moving(self, mean, variance)
        return mean, variance

    def _add_statistic(self, name, channels, initializer):
        return self.add_weight(
            name=name,
            shape=(channels,),
            initializer=initializer,
            trainable=False,
            autocast=False,
        )


def _check_labels(labels):
    dtype = keras.backend.standardize_dtype(labels.dtype)
    if "int" not in dtype:
        raise ValueError(
            f"`labels` must be integers. Received: labels of dtype {dtype}."
        )
    if len(labels.shape) != 1:
        raise ValueError(
            "`labels` must have shape (batch,). "
            f"Received: labels of shape {tuple(labels.shape)}."
        )
