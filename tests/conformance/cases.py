"""The table of every public layer and model, for the tests beside this file.

Imports Keras only, so that the table can also be used under another backend.
"""

import dataclasses
import typing

import keras
import numpy as np

import keras_sagan as ks

CLASSES = 3
LABELS = ()  # the shape of one label


@dataclasses.dataclass(frozen=True)
class Case:
    """One way to make a layer or model, and what to call it with.

    Attributes:
        name: str, unique; the class and, behind a hyphen, what is special.
        make: function of a dtype policy's name that returns the object, not built.
        shapes: shape of each input without its batch; `LABELS` for integer labels.
        every_argument: bool. Whether no argument of the constructor has its default.
        tensorflow_only: str. Why the case is not run under another backend, or "".
    """

    name: str
    make: typing.Callable
    shapes: tuple
    every_argument: bool = False
    tensorflow_only: str = ""

    def inputs(self, batch=4):
        """Arrays to call the layer with: a list, or the only one."""
        rng = np.random.default_rng(0)
        arrays = [
            rng.integers(0, CLASSES, batch).astype("int32")
            if shape == LABELS
            else rng.uniform(-1, 1, (batch, *shape)).astype("float32")
            for shape in self.shapes
        ]
        return arrays if len(arrays) > 1 else arrays[0]

    def symbolic_inputs(self):
        inputs = [
            keras.Input(shape, dtype="int32" if shape == LABELS else "float32")
            for shape in self.shapes
        ]
        return inputs if len(inputs) > 1 else inputs[0]

    def build(self, policy="float32"):
        """The object, built, with weights that all matter."""
        layer = self.make(policy)
        layer(self.inputs())
        rng = np.random.default_rng(1)
        for variable in layer.weights:
            if variable.name in ("u", "v") or "float" not in variable.dtype:
                continue
            low = 0.5 if "variance" in variable.name else -1.0
            variable.assign(rng.uniform(low, 1.0, variable.shape))
        ks.layers.advance_spectral_norm(layer, 2)
        return layer

    def model(self, layer):
        """`layer` as a model, around it unless it is one."""
        if isinstance(layer, keras.Model):
            return layer
        inputs = self.symbolic_inputs()
        return keras.Model(inputs, layer(inputs))


def _spectral_norm(make):
    def wrapped(policy):
        return ks.layers.SpectralNormalization(
            make(policy), power_iterations=2, epsilon=1e-9
        )

    return wrapped


def _with(cls, *args, **kwargs):
    return lambda policy: cls(*args, **kwargs, dtype=policy)


def _sagan(policy):
    shared = {"num_classes": CLASSES, "attention_resolutions": (), "dtype": policy}
    return ks.SAGAN(
        ks.models.Generator(latent_dim=5, base_filters=1, **shared),
        ks.models.Discriminator(base_filters=1, **shared),
        class_names=("a", "b", "c"),
    )


LAYERS = (
    Case(
        "SpectralNormalization",
        _spectral_norm(
            lambda dtype: keras.layers.Conv2D(5, 3, padding="same", dtype=dtype)
        ),
        ((4, 6, 3),),
        every_argument=True,
    ),
    Case(
        "SpectralNormalization-transposed",
        _spectral_norm(
            lambda dtype: keras.layers.Conv2DTranspose(5, 3, strides=2, dtype=dtype)
        ),
        ((4, 6, 3),),
    ),
    Case(
        "SpectralNormalization-dense",
        _spectral_norm(lambda dtype: keras.layers.Dense(5, dtype=dtype)),
        ((7,),),
    ),
    Case(
        "SpectralNormalization-embedding",
        _spectral_norm(lambda dtype: keras.layers.Embedding(CLASSES, 5, dtype=dtype)),
        (LABELS,),
    ),
    Case("SelfAttention2D", _with(ks.layers.SelfAttention2D), ((4, 6, 8),)),
    Case(
        "SelfAttention2D-chunked",
        _with(ks.layers.SelfAttention2D, query_chunk_size=7),
        ((4, 6, 8),),
    ),
    Case(
        "SelfAttention2D-formula",
        _with(
            ks.layers.SelfAttention2D,
            key_ratio=4,
            value_ratio=1,
            pool_size=1,
            use_output_projection=False,
            spectral_norm=False,
            query_chunk_size=24,
            kernel_initializer="orthogonal",
        ),
        ((4, 6, 8),),
        every_argument=True,
    ),
    Case(
        "GatedResidual2D",
        _with(
            ks.layers.GatedResidual2D,
            bottleneck_ratio=2,
            kernel_initializer="orthogonal",
            spectral_norm=False,
        ),
        ((4, 6, 8),),
        every_argument=True,
    ),
    Case(
        "ConditionalBatchNormalization",
        _with(ks.layers.ConditionalBatchNormalization, CLASSES, momentum=0.5),
        ((4, 6, 5), LABELS),
    ),
    Case(
        "ConditionalBatchNormalization-synchronized",
        _with(
            ks.layers.ConditionalBatchNormalization,
            CLASSES,
            momentum=0.5,
            epsilon=0.1,
            synchronized=True,
        ),
        ((4, 6, 5), LABELS),
        every_argument=True,
        tensorflow_only="synchronized moments",
    ),
    *(
        Case(
            f"{cls.__name__}{suffix}",
            _with(cls, 5, **arguments),
            ((4, 6, 3),),
            every_argument=bool(arguments),
        )
        for cls in (ks.layers.UpsampleConv2D, ks.layers.DownsampleConv2D)
        for suffix, arguments in [
            ("", {}),
            (
                "-5x5",
                {
                    "kernel_size": 5,
                    "use_bias": False,
                    "kernel_initializer": "orthogonal",
                    "bias_initializer": "ones",
                },
            ),
        ]
    ),
)

MODELS = (
    Case(
        "Generator",
        _with(
            ks.models.Generator,
            num_classes=CLASSES,
            latent_dim=5,
            base_filters=2,
            batch_norm_momentum=0.5,
        ),
        ((5,), LABELS),
    ),
    Case(
        "Generator-64",
        _with(
            ks.models.Generator,
            image_size=64,
            num_classes=None,
            latent_dim=5,
            base_filters=1,
            channels=1,
            attention_resolutions=(8,),
            attention="residual",
            synchronized=True,
            batch_norm_momentum=0.5,
            batch_norm_epsilon=1e-3,
            kernel_initializer="orthogonal",
            spectral_norm=False,
        ),
        ((5,),),
        every_argument=True,
        tensorflow_only="synchronized moments",
    ),
    Case(
        "Discriminator",
        _with(ks.models.Discriminator, num_classes=CLASSES, base_filters=4),
        ((32, 32, 3), LABELS),
    ),
    Case(
        "Discriminator-64",
        _with(
            ks.models.Discriminator,
            image_size=64,
            num_classes=None,
            base_filters=2,
            channels=1,
            attention_resolutions=(4, 8),
            attention="formula",
            activated_shortcut=True,
            kernel_initializer="orthogonal",
            spectral_norm=False,
        ),
        ((64, 64, 1),),
        every_argument=True,
        tensorflow_only="only to save time: JAX compiles it for 15 s",
    ),
)

SAGANS = (
    Case(
        "SAGAN",
        _sagan,
        ((5,), LABELS),
        every_argument=True,
        tensorflow_only="SAGAN itself",
    ),
)
if keras.backend.backend() != "tensorflow":
    SAGANS = ()

CASES = (*LAYERS, *MODELS, *SAGANS)
