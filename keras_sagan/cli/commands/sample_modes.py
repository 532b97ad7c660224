"""The kinds of grids of `keras-sagan sample`.

Each function returns the cells of a grid, a uint8 array `(rows, columns, H, W, C)`.
"""

import functools

import numpy as np

from keras_sagan.cli.errors import UserError
from keras_sagan.visualize import grids, interpolation, nearest


def plain(generate, labels, options):
    """Generates a row for each label, with the same latents in every row.

    Without labels, the grid is a square, or a column of images if the nearest training
    pictures are wanted.
    """
    if not labels:
        seeds = list(range(options.seed, options.seed + options.num_images))
        images = generate(
            num_images=len(seeds), seed=seeds, truncation=options.truncation
        )
        columns = 1 if options.nearest else int(np.ceil(np.sqrt(len(seeds))))
        empty = np.full((-len(seeds) % columns, *images.shape[1:]), 255, np.uint8)
        return _in_rows(np.concatenate([images, empty]), columns)
    labels, seeds = grids.class_rows(labels, options.num_images, options.seed)
    images = generate(labels=labels, seed=seeds, truncation=options.truncation)
    return _in_rows(images, options.num_images)


def truncation_sweep(generate, labels, options):
    """Generates a row for each truncation, with the same seeds; labels alternate."""
    seeds = list(range(options.seed, options.seed + options.num_images))
    rows = []
    for truncation in options.truncation_sweep:
        content = {"num_images": len(seeds)}
        if labels:
            content = {"labels": [labels[i % len(labels)] for i in range(len(seeds))]}
        rows.append(generate(**content, seed=seeds, truncation=truncation))
    return np.stack(rows)


def latent_interpolation(model, labels, options):
    """Generates a row for each label, from seed to seed along the sphere."""
    from keras_sagan import sampling
    from keras_sagan.sagan import SAGAN
    from keras_sagan.training import generation

    if isinstance(model, SAGAN):
        model.refresh_ema()
        draw = functools.partial(generation.images, model.ema_generator)
        latent_dim = model.generator.latent_dim
    else:
        draw, latent_dim = model.images, model.latent_dim
    seeds = options.interpolate_latents
    stops = sampling.latents(latent_dim, seeds, options.truncation)
    latents = np.concatenate(
        [
            interpolation.spherical(stops[index], stops[index + 1], [share])
            for index, share in interpolation.along(len(stops), options.frames)
        ]
    )
    if not labels:
        return draw(latents)[None]
    indices, _ = sampling.resolve_labels(
        labels, None, model.num_classes, model.class_names
    )
    return np.stack([draw(latents, np.full(len(latents), label)) for label in indices])


def class_interpolation(gan, labels, options):
    """Generates a row for each seed, from label to label with the same latent."""
    from keras_sagan import sampling
    from keras_sagan.models import class_mixtures
    from keras_sagan.training import generation

    classes = gan.generator.num_classes
    if classes is None:
        raise UserError("--interpolate-classes needs a model with classes.")
    if len(labels) < 2:
        raise UserError(
            "--interpolate-classes goes from one class to the next: name two or more "
            f"with --labels. Received: {len(labels)}."
        )
    gan.refresh_ema()
    indices, _ = generation.resolve_rows(gan, labels, None, 0)
    one_hot = np.eye(classes)[indices]
    mixtures = [
        (1 - share) * one_hot[index] + share * one_hot[index + 1]
        for index, share in interpolation.along(len(indices), options.frames)
    ]
    generator = class_mixtures.mixed_generator(gan.ema_generator, mixtures)
    seeds = range(options.seed, options.seed + options.num_images)
    latents = sampling.latents(generator.latent_dim, seeds, options.truncation)
    frames = np.arange(len(mixtures))
    return np.stack(
        [
            generation.images(generator, np.repeat(z[None], len(frames), 0), frames)
            for z in latents
        ]
    )


def nearest_neighbours(cells, options):
    """Puts each image in a row with the training pictures nearest to it.

    Returns: tuple of the cells, and lines of text about the distances.
    """
    images = cells.reshape(-1, *cells.shape[2:])
    training = _training_images(options, images.shape[1:])
    count = min(options.neighbours, len(training))
    order, distances = nearest.nearest_pictures(images, training, count)
    rows = np.concatenate([images[:, None], training[order]], axis=1)
    first = distances[:, 0]
    return rows, (
        f"Distance to the nearest of {len(training)} training pictures, root mean "
        f"square in grey levels: {first.min():.1f} at least, {np.median(first):.1f} in "
        f"the median; {int((first == 0).sum())} of {len(images)} images are copies.\n"
        "Each row shows a generated image and the training pictures nearest to it. "
        "Distances to the nearest one, from the top row down: "
        f"{', '.join(f'{distance:.1f}' for distance in first)}"
    )


def _training_images(options, shape):
    from keras_sagan import data

    stored = {}
    if options.model:
        from keras_sagan.runs import loading

        stored = loading.data_settings(options.model)
    settings = {"fit": stored.get("fit", "crop")}
    name, split = options.nearest, "train"
    if name == "run":
        if not stored.get("dataset"):
            raise UserError(
                "--nearest without a name takes the data set on which the model was "
                f"trained, but {str(options.model)!r} does not say which that was: "
                "name the data, e.g. --nearest folder:PATH."
            )
        name, split = stored["dataset"], stored.get("split", "train")
        if stored.get("cache_dir"):
            settings["cache_dir"] = stored["cache_dir"]
    source = data.load(
        name,
        image_size=shape[0],
        channels=shape[2],
        split=split,
        batch_size=1,
        **settings,
    )
    return source.arrays()[0]


def _in_rows(images, columns):
    return images.reshape(-1, columns, *images.shape[1:])
