"""Measures what generated images are good for: to train and to test a classifier."""

from typing import NamedTuple

import keras
import numpy as np

from keras_sagan import progress
from keras_sagan.metrics.counts import check_count
from keras_sagan.metrics.extractors import classifier
from keras_sagan.metrics.scores import utility

_BATCH_SIZE = 128
_PASSES, _LEAST_STEPS = 4, 1000  # of a training, unless their number is given
_SHIFT = 0.125  # of the side, as in DiffAugment


class Utility(NamedTuple):
    """The result of `utility_check`.

    scores: dict from the name of a score to float:

        - "utility": accuracy with generated images added, minus that without them.
        - "utility_of_augmentation": accuracy with plain augmentation, minus that
          without it.
        - "utility_over_augmentation": the first minus the second.
        - "accuracy_of_real": accuracy of training on the real images alone.
        - "gan_train": accuracy of training on the generated images alone.
        - "gan_test": accuracy on the generated images of training on the real ones.

    intervals: dict from the same names to the confidence interval `(low, high)`.
    by_class: dict from the name of a score to a dict from class index to float.
    conclusion: str. A sentence that says whether the images help.
    """

    scores: dict
    intervals: dict
    by_class: dict
    conclusion: str


def utility_check(
    real: tuple[np.ndarray, np.ndarray],
    fake: tuple[np.ndarray, np.ndarray],
    held_out: tuple[np.ndarray, np.ndarray],
    seeds: int = 5,
    steps: int | None = None,
    mirror: bool = False,
    level: float = 0.95,
) -> Utility:
    """Trains small classifiers with and without generated images, and compares them.

    A classifier is trained on the real images, on the generated ones, on both, and on
    real images that are randomly shifted (plain augmentation). All are trained for the
    same number of steps and tested on the held-out images; the first is also tested on
    the generated images.

    Args:
        real: tuple of uint8 images `(n, height, width, channels)`, at least 8 pixels
            high, and their integer labels `(n,)`.
        fake: the same of the generated images.
        held_out: the same of real images that neither the generator nor these
            classifiers have seen.
        seeds: int. Number of times that each is trained, from other initial weights
            and in another order of the images. At least 2.
        steps: int. Steps of a training, in batches of 128. Defaults to four passes
            over the real and the generated images together, and at least 1,000.
        mirror: bool. Whether plain augmentation also mirrors half of the images.
        level: float in (0, 1). Level of the intervals, which cover the noise of the
            trainings and of the choice of test images.

    Returns: `Utility`.

    Raises:
        ValueError: if an argument is out of range, if a set is not as described, or if
            there are fewer than two classes.

    Reference: [Shmelkov et al., 2018](https://arxiv.org/abs/1807.09499), "How good is
        my GAN?", for GAN-train, GAN-test and the addition of generated images.
    """
    check_count("seeds", seeds, 2)
    sets = {"real": real, "fake": fake, "held_out": held_out}
    _check_sets(sets)
    if steps is None:
        total = len(real[0]) + len(fake[0])
        steps = max(_LEAST_STEPS, _PASSES * total // _BATCH_SIZE)
    check_count("steps", steps, 1)
    of_real = np.arange(len(real[0]))
    of_fake = len(of_real) + np.arange(len(fake[0]))
    of_both = np.concatenate([of_real, of_fake])
    trainings = {
        "real": (of_real, None),
        "fake": (of_fake, None),
        "both": (of_both, None),
        "plain": (of_real, mirror),
    }
    pool = [np.concatenate(x) for x in zip(real, fake, strict=True)]
    model = classifier.small_network(pool[0].shape[1:], _classes(sets))
    model.optimizer.build(model.trainable_variables)
    start = [np.array(x) for x in model.optimizer.variables]
    right: dict = {name: [] for name in (*trainings, "test")}
    total = seeds * len(trainings) * steps * _BATCH_SIZE
    with progress.Counter(total, "training classifiers for utility") as counter:
        for seed in range(seeds):
            for name, (rows, mirrored) in trainings.items():
                _restart(model, start, seed)
                augment = None if mirrored is None else shifts(seed, mirrored)
                for some in batches_of(rows, steps, seed):
                    images = pool[0][some].astype(np.float32)
                    images = images if augment is None else augment(images)
                    model.train_on_batch(images, pool[1][some])
                    counter.add(_BATCH_SIZE)
                right[name].append(_is_right(model, *held_out))
                if name == "real":
                    right["test"].append(_is_right(model, *fake))
    arrays = {name: np.array(x, np.float64) for name, x in right.items()}
    return _summary(arrays, fake[1], held_out[1], level)


def batches_of(rows, steps, seed):
    """Draws the images of each step, in passes over all of them in random order.

    Args:
        rows: integer array `(n,)`.
        steps: int.
        seed: int.

    Returns: integer array `(steps, 128)`, whose elements are out of `rows`.
    """
    generator = np.random.default_rng(seed)
    size = steps * _BATCH_SIZE
    passes = [generator.permutation(rows) for _ in range(-(-size // len(rows)))]
    return np.concatenate(passes)[:size].reshape(steps, _BATCH_SIZE)


def _summary(right, fake_labels, labels, level):
    values = {
        "utility": right["both"] - right["real"],
        "utility_of_augmentation": right["plain"] - right["real"],
        "utility_over_augmentation": right["both"] - right["plain"],
        "accuracy_of_real": right["real"],
        "gan_train": right["fake"],
        "gan_test": right["test"],
    }
    estimates = {x: utility.mean_over_trainings(y, level) for x, y in values.items()}
    return Utility(
        {name: x.value for name, x in estimates.items()},
        {name: (x.low, x.high) for name, x in estimates.items()},
        {
            name: utility.mean_by_class(
                values[name], fake_labels if name == "gan_test" else labels
            )
            for name in ("utility", "accuracy_of_real", "gan_train", "gan_test")
        },
        utility.conclusion(
            estimates["utility"], estimates["utility_of_augmentation"], level
        ),
    )


def _restart(model, start, seed):
    """Gives new initial weights to a model, which then need not be traced again."""
    keras.utils.set_random_seed(seed)
    fresh = keras.models.clone_model(model)
    for own, new in zip(model.variables, fresh.variables, strict=True):
        own.assign(new)
    for own, new in zip(model.optimizer.variables, start, strict=True):
        own.assign(new)


def shifts(seed, mirror):
    """Makes the function of plain augmentation.

    Args:
        seed: int.
        mirror: bool. Whether half of the images are mirrored.

    Returns: function from float32 images `(n, height, width, channels)` to the same,
        shifted by up to an eighth of the side; pixels at the edge are repeated.
    """
    layers = keras.layers
    shift = layers.RandomTranslation(
        _SHIFT, _SHIFT, fill_mode="nearest", interpolation="nearest", seed=seed
    )
    flip = layers.RandomFlip("horizontal", seed=seed)
    return lambda images: flip(shift(images)) if mirror else shift(images)


def _is_right(model, images, labels):
    outputs = [
        model.predict_on_batch(images[i : i + _BATCH_SIZE].astype(np.float32))
        for i in range(0, len(images), _BATCH_SIZE)
    ]
    return np.concatenate(outputs).argmax(axis=1) == labels


def _classes(sets):
    return 1 + max(int(labels.max()) for _, labels in sets.values())


def _check_sets(sets):
    shape = sets["real"][0].shape[1:]
    for name, (images, labels) in sets.items():
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != shape:
            raise ValueError(
                f"`{name}` must hold uint8 images (n, height, width, channels) of the "
                f"shape of the real ones, {shape}. Received: shape {images.shape}, "
                f"dtype {images.dtype}."
            )
        check_count(f"number of images in {name}", len(images), 2)
        whole = labels.dtype.kind in "iu" and labels.shape == (len(images),)
        if not whole or labels.min() < 0:
            raise ValueError(
                f"`{name}` must hold an integer label of at least 0 for each of its "
                f"{len(images)} images. Received: shape {labels.shape}, dtype "
                f"{labels.dtype}."
            )
    check_classes(sets["held_out"][1])


def check_classes(labels):
    """Raises a `ValueError` if there is only one class: it is always recognised."""
    if len(classes := np.unique(labels)) < 2:
        raise ValueError(
            "`utility` needs real images of at least two classes. Received: only class "
            f"{classes.tolist()}."
        )
