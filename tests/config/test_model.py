import dataclasses

import pytest

from keras_sagan.config.model import ModelConfig
from tests.config.sections import MODEL


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("image_size", 33),
        ("image_size", 32.0),
        ("num_classes", 0),
        ("latent_dim", 0),
        ("base_filters", True),
        ("d_base_filters", 0),
        ("d_spectral_norm", 1),
        ("channels", 2),
        ("attention_resolutions", (16, 16)),
        ("attention_resolutions", (64,)),
        ("attention_resolutions", 16),
        ("attention", "none"),
        ("batch_norm_momentum", 1),
        ("batch_norm_epsilon", 0),
        ("kernel_initializer", "zeros"),
        ("activated_shortcut", 1),
        ("attention_resolutions", (16.0,)),
        ("attention_resolutions", None),
    ],
)
def test_errors_name_argument_and_value(name, value):
    with pytest.raises(ValueError, match=rf"`{name}` of ModelConfig.*Received: "):
        ModelConfig(**{name: value})


def test_model_kwargs_are_what_the_networks_take():
    from keras_sagan.models import Discriminator, Generator

    config = dataclasses.replace(
        ModelConfig(**MODEL), num_classes=3, attention_resolutions=(32,)
    )
    for network, kwargs in [
        (Generator, config.generator_kwargs()),
        (Discriminator, config.discriminator_kwargs()),
    ]:
        built = network(**kwargs)
        for name, value in kwargs.items():
            assert getattr(built, name) == value


@pytest.mark.parametrize(("own", "expected"), [(None, 8), (12, 12)])
def test_the_discriminator_may_have_a_width_and_a_norm_of_its_own(own, expected):
    config = ModelConfig(base_filters=8, d_base_filters=own, d_spectral_norm=False)
    generator, discriminator = config.generator_kwargs(), config.discriminator_kwargs()
    assert generator["base_filters"] == 8
    assert discriminator["base_filters"] == expected
    assert generator["spectral_norm"] and not discriminator["spectral_norm"]
