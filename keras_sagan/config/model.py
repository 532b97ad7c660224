"""Section of the configuration about the architecture of the two networks."""

from keras_sagan.config.section import Section, section, setting

ATTENTION_NAMES = ("released", "paper", "formula", "residual")
IMAGE_SIZES = (32, 64, 128, 256)
KERNEL_INITIALIZERS = ("glorot_uniform", "orthogonal")


@section
class ModelConfig(Section):
    """Architecture of the generator and the discriminator."""

    image_size: int = setting(
        32, "height and width of the images", "--image-size PIXELS", choices=IMAGE_SIZES
    )
    num_classes: int | None = setting(
        10, "number of classes", least=1, none="an unconditional model"
    )
    latent_dim: int = setting(128, "length of the latent vector", least=1)
    base_filters: int = setting(
        64, "base number of filters `ch`, the width of both networks", least=1
    )
    d_base_filters: int | None = setting(
        None,
        "base number of filters of the discriminator",
        least=1,
        none="`base_filters`",
        added_later=True,
    )
    channels: int = setting(3, "number of channels of the images", choices=(1, 3, 4))
    attention_resolutions: tuple[int, ...] = setting(
        (16,), "heights in pixels of the feature maps with self-attention; () for none"
    )
    attention: str = setting(
        "released",
        "variant of the attention layer: as in the released code, in the text of the "
        "paper or in its formula; residual is a control without attention",
        choices=ATTENTION_NAMES,
    )
    batch_norm_momentum: float = setting(
        0.999, "share of the running statistics kept at each step", least=0, below=1
    )
    batch_norm_epsilon: float = setting(1e-5, "number added to the variance", above=0)
    kernel_initializer: str = setting(
        "glorot_uniform", "initializer of the kernels", choices=KERNEL_INITIALIZERS
    )
    activated_shortcut: bool = setting(
        False,
        "whether the shortcuts of the discriminator get relu(x), as they do in ports "
        "with an in-place ReLU",
    )
    g_spectral_norm: bool = setting(
        True, "whether the generator has spectral normalisation", added_later=True
    )
    d_spectral_norm: bool = setting(
        True, "whether the discriminator has spectral normalisation", added_later=True
    )

    def check(self):
        sizes = self.attention_resolutions
        self.require(
            len(set(sizes)) == len(sizes)
            and all(0 < x <= self.image_size and x & (x - 1) == 0 for x in sizes),
            "attention_resolutions",
            f"different powers of two, at most image_size={self.image_size}",
        )

    def generator_kwargs(self):
        """Returns the arguments of `keras_sagan.models.Generator`."""
        return self._kwargs("activated_shortcut", spectral_norm=self.g_spectral_norm)

    def discriminator_kwargs(self):
        """Returns the arguments of `keras_sagan.models.Discriminator`."""
        return self._kwargs(
            "latent_dim",
            "batch_norm_momentum",
            "batch_norm_epsilon",
            spectral_norm=self.d_spectral_norm,
            base_filters=self.d_base_filters or self.base_filters,
        )

    def _kwargs(self, *others, **own):
        """Returns the settings of one network: all but `others`, and its `own`."""
        others += ("d_base_filters", "g_spectral_norm", "d_spectral_norm")
        kept = {name: x for name, x in vars(self).items() if name not in others}
        return {**kept, **own}
