"""Completes the settings of a new run, and sets its weights to those of another model.

`prepare` fills in the settings that depend on the data. If `training.init_from` names
a trained model, its networks decide further settings, and `begin` copies its weights.
"""

from keras_sagan.distributed import strategies
from keras_sagan.runs import building, loading
from keras_sagan.training import fine_tuning


def prepare(config, given=()):
    """Opens the data of a configuration and fills in the settings that depend on them.

    Args:
        config: `RunConfig`, e.g. `get_preset(name).run_config(overrides)`.
        given: names of settings that the user has given. The numbers of classes and
            channels are taken from the data unless they are among them. With
            `training.init_from`, the number of channels and the other settings of the
            networks are taken from that model.

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
            "Setting `model.num_classes` must be that of the data: "
            f"{config.data.dataset!r} has num_classes={source.num_classes}. "
            f"Received: {wanted!r}."
        )
    from_data = {
        "model.num_classes": source.num_classes,
        "model.channels": source.channels,
    }
    return config.override(from_data), source


def with_networks_of(config, given=()):
    """Completes a configuration with the networks of the model that it begins with.

    Args:
        config: `RunConfig` with `training.init_from`.
        given: names of settings that the user has given.

    Returns: `RunConfig`. Its number of classes still has to be taken from the data.

    Raises:
        ValueError: if a given setting contradicts the model, or if a run cannot have
            networks like those of the model.
        FileNotFoundError: if there is no such model; see `loading.load_trained`.
    """
    from_model = _network_settings(loading.load_trained(config.training.init_from))
    for name, value in from_model.items():
        wanted = getattr(config.model, name.partition(".")[2])
        if name in given and wanted != value:
            raise ValueError(
                f"Setting `{name}` must be that of the model that training begins "
                f"with, {config.training.init_from!r}: {value!r}. "
                f"Received: {wanted!r}."
            )
    return config.override(from_model)


def begin(gan, config, resumes):
    """Copies the weights of the model that `training.init_from` names, if any.

    Args:
        gan: `SAGAN` of the run.
        config: `RunConfig`.
        resumes: bool. Whether the run is resumed, so that a checkpoint is going to
            replace these weights. They are copied even then if there are several
            workers, because these must all create the same variables.
    """
    name, strategy = config.training.init_from, gan.distribute_strategy
    if name and (strategies.is_multi_worker(strategy) or not resumes):
        fine_tuning.take_over(gan, loading.load_trained(name))


def _network_settings(gan):
    """Returns a dict of the settings `model.*`, without the number of classes."""
    generator, discriminator = gan.generator, gan.discriminator
    if generator.attention_resolutions != discriminator.attention_resolutions:
        raise ValueError(
            "The networks of a run must have attention at the same resolutions. "
            f"Received: {generator.attention_resolutions} in the generator, "
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
