"""Spectral normalisation (Miyato et al., 2018) as a layer wrapper."""

import collections.abc
import contextlib
import threading
import typing

import keras
import numpy as np
from keras import ops

from keras_sagan.layers.checks import (
    Shape,
    Tensor,
    check_positive,
    check_positive_integer,
)
from keras_sagan.layers.convolutions import DownsampleConv2D, UpsampleConv2D

WARM_UP_ITERATIONS = 15

_CONVOLUTIONS = (
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    UpsampleConv2D,
    DownsampleConv2D,
)
_TRANSPOSED = (
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)
_SUPPORTED = (
    *_CONVOLUTIONS,
    *_TRANSPOSED,
    keras.layers.Dense,
    keras.layers.Embedding,
)

_frozen = threading.local()  # MirroredStrategy runs each replica in its own thread


@contextlib.contextmanager
def frozen_spectral_norm() -> collections.abc.Iterator[None]:
    """Keeps the vectors `u` and `v` fixed inside the scope, also with `training=True`.

    Every forward pass of a `SpectralNormalization` layer then uses the stored pair, so
    that several passes of one training step, or the recomputation of a pass, see the
    same normalised kernel.
    """
    previous = getattr(_frozen, "value", False)
    _frozen.value = True
    try:
        yield
    finally:
        _frozen.value = previous


def advance_spectral_norm(model: keras.Layer, iterations: int = 1) -> None:
    """Runs power iterations on every `SpectralNormalization` layer in `model`.

    Layers whose kernel is not trainable are skipped.

    Args:
        model: `keras.Layer` or `keras.Model`, searched recursively.
        iterations: int >= 1. Number of power iterations per layer.
    """
    for layer in spectral_norm_layers(model):
        if layer.layer.trainable:
            layer.advance(iterations)


def spectral_norm_layers(model: keras.Layer) -> "list[SpectralNormalization]":
    """Returns all `SpectralNormalization` layers in `model`, including nested ones."""
    return [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, SpectralNormalization)
    ]


def kernel_matrix(kernel, out_axis):
    """Reshapes `kernel` to a matrix `(prod(other axes), out)`.

    `out_axis`, a negative int, is the axis that becomes the columns.
    """
    if out_axis != -1:
        kernel = ops.moveaxis(kernel, out_axis, -1)
    return ops.reshape(kernel, (-1, kernel.shape[-1]))


def power_iteration(matrix, u, v, iterations, epsilon, ops=ops):
    """Advances an estimate of the largest pair of singular vectors of `matrix`.

    Repeats `v <- M u / |M u|`, `u <- M^T v / |M^T v|`. If a product vanishes, as with a
    kernel of zeros, the previous vector is kept, so that the iteration recovers once
    the kernel is no longer zero.

    Args:
        matrix: float tensor `(rest, out)`.
        u: float tensor `(out,)`.
        v: float tensor `(rest,)`.
        iterations: int.
        epsilon: float. Norms up to this size count as zero.
        ops: `keras.ops`, or `numpy` for arrays of NumPy.

    Returns: tuple `(u, v)`.
    """
    for _ in range(iterations):
        v = _direction(_product(matrix, u, ops), v, epsilon, ops)
        row = ops.matmul(ops.expand_dims(v, 0), matrix)
        u = _direction(ops.squeeze(row, 0), u, epsilon, ops)
    return u, v


def _product(matrix, vector, ops=ops):
    """Returns `matrix @ vector`, which Keras would compute by way of a tensordot."""
    return ops.squeeze(ops.matmul(matrix, ops.expand_dims(vector, 1)), 1)


def _direction(vector, fallback, epsilon, ops=ops):
    """Returns `vector` scaled to length 1, or `fallback` if it is practically zero."""
    norm = ops.sqrt(ops.sum(ops.square(vector)))
    return ops.where(norm > epsilon, vector / ops.maximum(norm, epsilon), fallback)


@keras.saving.register_keras_serializable(package="keras_sagan")
class SpectralNormalization(keras.layers.Wrapper):
    """Divides the kernel of a layer by an estimate of its largest singular value.

    If `M` is the kernel `W` reshaped to a matrix `(prod(other axes), out)`, then
    `sigma = v^T M u`, and the wrapped layer runs with `W / sigma`. Automatic
    differentiation treats `u` and `v` as constants, and the gradient flows through the
    `M` in `sigma`, as in `torch.nn.utils.spectral_norm`. `out` is the last axis of the
    kernel of a convolution or a dense layer, axis -2 of a transposed convolution, and
    the *class* axis of an embedding.

    Unlike with the wrappers of Keras and TensorFlow Addons, a forward pass never
    overwrites the stored kernel. `u`, `v` and `sigma` are float32 under every dtype
    policy, or float64 if the kernel is float64. The wrapped layer keeps its own dtype
    policy; the wrapper has none of its own.

    Args:
        layer: `keras.layers.Layer` to wrap: `Conv1D/2D/3D`, `Conv1D/2D/3DTranspose`,
            `Dense`, `Embedding`, `UpsampleConv2D` or `DownsampleConv2D`.
        power_iterations: int >= 1. Number of iterations per training call. Defaults to
            `1` (source: official SAGAN code, `ops.py`).
        epsilon: float > 0. Smallest `sigma`, and smallest norm in the power iteration,
            to divide by. Defaults to `1e-12` (source: official SAGAN code, `ops.py`).

    Call arguments:
        inputs: the inputs of the wrapped layer.
        training: bool. If true, `u` and `v` advance by `power_iterations` before the
            layer runs, except inside `frozen_spectral_norm()` and if the wrapped layer
            is not trainable.

    Returns: the output of the wrapped layer.

    Raises:
        ValueError: if the layer is not supported, or an argument is out of range.

    Reference: [Miyato et al., 2018](https://arxiv.org/abs/1802.05957), algorithm 1.
    """

    def __init__(
        self,
        layer: keras.Layer,
        power_iterations: int = 1,
        epsilon: float = 1e-12,
        **kwargs: typing.Any,
    ) -> None:
        if not isinstance(layer, _SUPPORTED):
            names = ", ".join(cls.__name__ for cls in _SUPPORTED)
            raise ValueError(
                f"`layer` must be one of: {names}. "
                f"Received: layer={layer!r} of type {type(layer).__name__}."
            )
        power_iterations = check_positive_integer("power_iterations", power_iterations)
        epsilon = check_positive("epsilon", epsilon)
        # With a mixed-precision policy of its own the wrapper would read the kernel,
        # u and v rounded to bfloat16, so it opts out of automatic casting altogether.
        kwargs["dtype"] = "float32"
        super().__init__(layer, autocast=False, **kwargs)
        self.power_iterations = power_iterations
        self.epsilon = epsilon

    def build(self, input_shape: Shape | None = None) -> None:
        super().build(input_shape)
        matrix = self._matrix()
        rest, out = matrix.shape
        self.u = self._add_vector("u", out, self._warmed_up_u)
        self.v = self._add_vector("v", rest, self._warmed_up_v)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        moves = self.layer.trainable and not getattr(_frozen, "value", False)
        if training and moves:
            self.advance(self.power_iterations)
        kernel = self.kernel
        state = [(kernel, self.normalized_kernel())]
        # An outer stateless scope (JAX) is hidden by the inner one, so pass on the
        # values that it has for the other variables.
        state += [(v, v.value) for v in self.layer.variables if v is not kernel]
        with keras.StatelessScope(state_mapping=state, collect_losses=True) as scope:
            outputs = self.layer(inputs)
        for loss in scope.losses:  # of an activity regularizer
            self.layer.add_loss(loss)
        return outputs

    def advance(self, iterations: int = 1) -> None:
        """Runs power iterations from the stored pair `u`, `v`, and stores the result.

        Args:
            iterations: int >= 1.
        """
        u, v = self._iterate(
            ops.stop_gradient(self._matrix()),
            ops.convert_to_tensor(self.u),
            ops.convert_to_tensor(self.v),
            iterations,
        )
        self.u.assign(ops.stop_gradient(u))
        self.v.assign(ops.stop_gradient(v))

    def sigma(self) -> Tensor:
        """Returns the scalar `v^T M u`, the estimate of the largest singular value."""
        projected = _product(self._matrix(), ops.stop_gradient(self.u))
        return ops.sum(ops.stop_gradient(self.v) * projected)

    def normalized_kernel(self) -> Tensor:
        """Returns `W / sigma`, the kernel with which the wrapped layer runs.

        A sigma whose absolute value is below `epsilon` is replaced by `epsilon`. (Sigma
        can only be negative if the kernel was set but `u` and `v` were not, and
        `advance` has not been called since.)
        """
        sigma = self.sigma()
        sigma = ops.where(ops.abs(sigma) > self.epsilon, sigma, self.epsilon)
        # The gradient of a division would read and write the kernel twice as often.
        kernel = ops.convert_to_tensor(self.kernel)
        return kernel * ops.cast(1 / sigma, kernel.dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return self.layer.compute_output_shape(input_shape)

    def compute_output_spec(self, inputs: Tensor, training: bool = False) -> Tensor:
        return self.layer.compute_output_spec(inputs)

    def get_config(self) -> dict:
        config = super().get_config()
        del config["dtype"]  # always float32: see __init__
        return {
            **config,
            "power_iterations": self.power_iterations,
            "epsilon": self.epsilon,
        }

    @property
    def kernel(self) -> keras.Variable:
        """The stored kernel or embedding table, not divided by its norm."""
        if isinstance(self.layer, keras.layers.Embedding):
            return self.layer.embeddings
        return self.layer.kernel

    def _vector_dtype(self):
        """Returns float32, or float64 if the kernel is float64."""
        return keras.backend.result_type(self.kernel.dtype, "float32")

    def _matrix(self):
        kernel = ops.convert_to_tensor(self.kernel)
        kernel = ops.cast(kernel, self._vector_dtype())
        if isinstance(self.layer, (keras.layers.Embedding, *_TRANSPOSED)):
            return kernel_matrix(kernel, -2)
        return kernel_matrix(kernel, -1)

    def _add_vector(self, name, size, initializer):
        return self.add_weight(
            name=name,
            shape=(size,),
            initializer=initializer,
            dtype=self._vector_dtype(),
            trainable=False,
            autocast=False,
        )

    def _iterate(self, matrix, u, v, iterations):
        """Advances `u` and `v`, with NumPy unless a function is being traced.

        With the backend, hundreds of small operations would take most of the time in
        which a model is built.
        """
        library = ops
        with contextlib.suppress(NotImplementedError, TypeError):  # symbolic tensors
            matrix, u, v = map(ops.convert_to_numpy, (matrix, u, v))
            library = np
        # The BLAS of some processors also computes with the memory next to a small
        # matrix and drops the result, of which NumPy may warn as invalid.
        with np.errstate(all="ignore"):
            return power_iteration(matrix, u, v, iterations, self.epsilon, library)

    # Assignments to u and v in `build` are lost if the layer is built while another
    # one is called. Therefore the warmed-up pair is their initial value.
    def _warmed_up_u(self, shape, dtype=None):
        matrix = ops.cast(self._matrix(), dtype)
        u = keras.random.normal(shape, dtype=dtype, seed=0)
        v = ops.zeros((matrix.shape[0],), dtype=dtype)
        return self._iterate(matrix, u, v, WARM_UP_ITERATIONS)[0]

    def _warmed_up_v(self, shape, dtype=None):
        matrix = ops.cast(self._matrix(), dtype)
        product = _product(matrix, ops.cast(self.u, dtype))
        return _direction(product, ops.zeros(shape, dtype=dtype), self.epsilon)
