"""What a new run begins with: completed settings, and perhaps a trained model.

`prepare` fills in the settings that the data decide, and those of the model that the
setting `training.init_from` names; `begin` gives the run the weights of that model.
"""

from keras_sagan.distributed import strategies
from keras_sagan.runs import building, loading
from keras_sagan.training import fine_tuning


def prepare(config, given=()):
    """Opens the data of a configuration and fills in the settings that depend on them.

    Args:
        config: `RunConfig`, e.g. `get_preset(name).run_config(overrides)`.
        given: names of settings that the user has given. The number of classes and of
            channels are taken from the data unless they are among them. With
            `training.init_from` the networks, and with them the channels, are those
            of that model.

    Returns:
        Tuple `(config, source)` of the completed `RunConfig` and its
        `keras_sagan.data.Source`.

    Raises:
        ValueError: if a given setting contradicts the data.
        OSError: if the data cannot be read.
    """
    if config.training.init_from:
        config = with_networks_of(config, given)
        given = {*given, "model.channels"}
    source = building.load_source(
        config, config.model.channels if "model.channels" in given else None
    )
    wanted = config.model.num_classes
    if "model.num_classes" in given and wanted != source.num_classes:
        raise ValueError(
            f"Setting `model.num_classes` is the data's: {config.data.dataset!r} has "
            f"num_classes={source.num_classes}. Received: {wanted!r}."
        )
    found = {
        "model.num_classes": source.num_classes,
        "model.channels": source.channels,
    }
    return config.override(found), source


def with_networks_of(config, given=()):
    """The configuration with the networks of the model that it begins with.

    Args:
        config: `RunConfig` with `training.init_from`.
        given: names of settings that are meant as they are.

    Returns: `RunConfig`. Its classes are still to be the data's.

    Raises:
        ValueError: if a given setting contradicts the model, or its networks are none
            that a run can have.
        FileNotFoundError: as `loading.load_trained`.
    """
    found = _network_settings(loading.load_trained(config.training.init_from))
    for name, value in found.items():
        wanted = getattr(config.model, name.partition(".")[2])
        if name in given and wanted != value:
            raise ValueError(
                f"Setting `{name}` is that of the model that training begins with, "
                f"{config.training.init_from!r}: {value!r}. Received: {wanted!r}."
            )
    return config.override(found)


def begin(gan, config, resumes):
    """Sets the weights of a new run to those that it begins with, if it says so.

    Args:
        gan: `SAGAN` of the run.
        config: `RunConfig`.
        resumes: bool. Whether a checkpoint is going to replace them. Several workers
            have to make the same variables, so that they read them all the same.
    """
    name, strategy = config.training.init_from, gan.distribute_strategy
    if name and (strategies.is_multi_worker(strategy) or not resumes):
        fine_tuning.take_over(gan, loading.load_trained(name))


def _network_settings(gan):
    """The section `model` of a configuration, without the number of classes: dict."""
    generator, discriminator = gan.generator, gan.discriminator
    if generator.attention_resolutions != discriminator.attention_resolutions:
        raise ValueError(
            "The networks of a run have attention at the same sizes. Received: "
            f"{generator.attention_resolutions} in the generator, "
            f"{discriminator.attention_resolutions} in the discriminator."
        )
    shared = (
        *("image_size", "latent_dim", "base_filters", "channels", "attention"),
        *("attention_resolutions", "batch_norm_momentum", "batch_norm_epsilon"),
        "kernel_initializer",
    )
    width = discriminator.base_filters
    values = {
        **{name: getattr(generator, name) for name in shared},
        "d_base_filters": None if width == generator.base_filters else width,
        "activated_shortcut": discriminator.activated_shortcut,
        "g_spectral_norm": generator.spectral_norm,
        "d_spectral_norm": discriminator.spectral_norm,
    }
    return {f"model.{name}": value for name, value in values.items()}
