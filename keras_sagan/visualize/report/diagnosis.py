"""Explains what looks wrong in a run, with pure functions of what the run wrote."""

import dataclasses
import math

import numpy as np

SATURATED = 0.02  # loss of D below which it has won
CLUELESS = 0.05  # difference of D(real) and D(fake) below which D cannot tell
STUCK = 0.01  # gate below which an attention layer has hardly any effect
STUCK_STEPS = 1000  # steps before which a gate may be small
ONE_PLACE = 0.5  # share of the attention of all positions that goes to one position
ALIKE = 0.1  # total variation distance below which all positions attend alike
LOW_DIVERSITY = 0.1  # share of the diversity of real images
MISMATCH = 0.25  # share of the spread of pixels
IGNORED = 0.05  # share of the variance of pixels below which the label has no effect
SLOWER = 0.5  # share of the median speed
TAIL = 5  # number of rows of metrics that count as the end
MISSING = 0.65  # coverage over precision of a class, below which kinds are missing
LOOK_REAL = 0.5  # precision from which images are good enough to say so
LEARNED = 0.1  # rise of that ratio since half of the steps while kinds are learned
REPEATED = 0.3  # share of a class's images that are distinct
COPIED = 0.1  # share of images that are nearer to a real one than real ones usually are
JUMP = 4.0  # of the largest singular value of D, from one look to the next


@dataclasses.dataclass(frozen=True)
class Finding:
    """Something that looks wrong in a run.

    Args:
        name: str. The problem in a few words.
        text: str. What was observed, what it means and what may help.
    """

    name: str
    text: str


@dataclasses.dataclass(frozen=True)
class Evidence:
    """What is known about a run.

    Args:
        rows: list of dict. Rows of `metrics.jsonl`.
        loss: str. Loss that the run was trained with.
        samples: float, or `None`. Diversity of the last samples, in grey levels.
        real_diversity: float, or `None`. Diversity of real images, in grey levels.
        mismatch: float, or `None`. See `statistics_mismatch`.
        label_effect: float, or `None`. See `label_effect`; 1 if unconditional.
        attention: dict from the name of a layer, e.g. `"generator/attention_16"`, to
            the result of `of_all_positions`, or `None`.
        class_names: sequence of str, or `None`.
    """

    rows: list
    loss: str = "hinge"
    samples: float | None = None
    real_diversity: float | None = None
    mismatch: float | None = None
    label_effect: float | None = None
    attention: dict | None = None
    class_names: tuple | None = None


def findings(evidence):
    """Returns everything that looks wrong: list of `Finding`."""
    rows, loss = evidence.rows, evidence.loss
    found = [
        *not_finite(rows),
        *saturated(rows, loss),
        *clueless(rows, loss),
        *stuck_gates(rows),
        *collapsing(rows, evidence.class_names),
        *slower(rows),
    ]
    if evidence.samples is not None and evidence.real_diversity:
        found += collapsed(evidence.samples, evidence.real_diversity)
    if evidence.mismatch is not None:
        found += mismatched(evidence.mismatch)
    if evidence.label_effect is not None:
        found += label_ignored(evidence.label_effect)
    return found + list(one_place(evidence.attention or {}))


def unchecked(evidence):
    """Returns what `findings` could not check, and why: list of str."""
    rows, loss = evidence.rows, evidence.loss
    missing = []
    if loss == "wasserstein":
        missing.append("whether the discriminator has won or cannot tell: its loss")
    elif len(rows) < TAIL:
        missing.append(
            "whether the discriminator has won or cannot tell: fewer than "
            f"{TAIL} rows of metrics"
        )
    if not rows or rows[-1]["step"] < STUCK_STEPS:
        missing.append(f"whether attention is used: fewer than {STUCK_STEPS:,} steps")
    if evidence.samples is None or not evidence.real_diversity:
        missing.append("collapse: no samples of a trained generator, or no real ones")
    if not any("class_distinct" in row for row in rows):
        missing.append("missing, repeated and copied images: not looked at yet")
    if evidence.mismatch is None:
        missing.append("batch statistics: no model")
    if evidence.label_effect is None:
        missing.append("whether the label is ignored: no model")
    if evidence.attention is None:
        missing.append("where attention looks: no model")
    return missing


def not_finite(rows):
    """Reports values that are no longer finite."""
    for row in rows:
        bad = [name for name, value in row.items() if not math.isfinite(value)]
        if bad:
            yield Finding(
                "Training diverged",
                f"At step {row['step']:,}, {', '.join(bad)} was not finite. Start anew "
                "with smaller learning rates or another seed.",
            )
            return


def saturated(rows, loss):
    """Reports if D has won, which the level of the Wasserstein loss does not tell."""
    tail = [row["d_loss"] for row in rows[-TAIL:] if "d_loss" in row]
    if loss != "wasserstein" and len(tail) == TAIL and max(tail) < SATURATED:
        yield Finding(
            "The discriminator has won",
            f"Its loss stayed below {SATURATED} over the last {TAIL} rows. It always "
            "tells real from generated images, and the generator cannot learn from it "
            "anymore. A smaller learning rate for the discriminator, more images, or "
            "augmentation (--augment diffaugment) may help.",
        )


def clueless(rows, loss):
    """Reports if D says the same of real and generated images, as it does early on."""
    tail = [row["d_real"] - row["d_fake"] for row in rows[-TAIL:] if "d_real" in row]
    if len(tail) == TAIL and loss != "wasserstein" and max(map(abs, tail)) < CLUELESS:
        yield Finding(
            "The discriminator cannot tell",
            f"D(real) and D(fake) differed by less than {CLUELESS} over the last "
            f"{TAIL} rows. That is possible late in a good run. If samples are poor or "
            "all alike, the generator learns too little from the discriminator, and a "
            "larger learning rate for it, or more discriminator steps, may help.",
        )


def stuck_gates(rows):
    """Reports attention layers that have hardly any effect."""
    last = rows[-1] if rows else {}
    for name, value in last.items():
        if "_gamma_" in name and last["step"] >= STUCK_STEPS and abs(value) < STUCK:
            network = {"g": "generator", "d": "discriminator"}[name[0]]
            size = name.rpartition("_")[2]
            yield Finding(
                f"Attention in the {network} is not used",
                f"Its gate gamma at {size} x {size} is {value:.2g} after "
                f"{last['step']:,} steps, so the layer has hardly any effect. It may "
                "need more steps, or the images may have no distant relations.",
            )


def slower(rows):
    """Reports if the speed has dropped. The first row includes compilation."""
    speeds = [
        row["images_per_second"] for row in rows[1:] if "images_per_second" in row
    ]
    if len(speeds) >= 2 * TAIL:
        now, usual = np.median(speeds[-TAIL:]), np.median(speeds)
        if now < SLOWER * usual:
            yield Finding(
                "Training has become slower",
                f"{now:.0f} images per second in the last {TAIL} rows, but a median of "
                f"{usual:.0f} in the run. Something else may be using the machine.",
            )


def collapsing(rows, class_names=None):
    """Reports missing, repeated or copied images, and jumps of the discriminator.

    Args:
        rows: list of dict, to which `callbacks.CollapseSigns` has added its results.
        class_names: sequence of str, or `None`.
    """
    looks = [row for row in rows if "class_distinct" in row]
    if not looks:
        return
    last = looks[-1]
    precision = last["class_precision"]
    if _kinds_stay_missing(looks):
        label = int(last["lowest_class"])
        name = class_names[label] if class_names else label
        of_class = "" if label < 0 else f" of class {name}"
        yield Finding(
            "Kinds of images are missing",
            f"Only {last['class_coverage']:.0%} of the real images{of_class} have a "
            f"generated one nearby, while {precision:.0%} of the generated ones have a "
            "real one nearby: the generator leaves out some kinds of images, such as a "
            "colour or a shape, and that is not getting better. Compare the samples "
            "with the data. Another seed or the relativistic loss (--loss "
            "relativistic) may help.",
        )
    if last["class_distinct"] < REPEATED:
        yield Finding(
            "Images repeat each other",
            f"In a class, only {last['class_distinct']:.0%} of the generated images "
            "are as different from each other as real ones: the generator makes few "
            "different images, whatever the latent vector. An earlier checkpoint, "
            "another seed or other learning rates may help.",
        )
    if last["copied"] > COPIED:
        yield Finding(
            "Training images are copied",
            f"{last['copied']:.0%} of the generated images are nearer to a training "
            "image than 99% of the training images are to each other: the generator "
            "repeats training images. More images, augmentation (--augment "
            "diffaugment) or an earlier checkpoint may help.",
        )
    now = last["d_largest_sigma"]
    before = looks[-2]["d_largest_sigma"] if len(looks) > 1 else now
    if now > JUMP * before:
        yield Finding(
            "The discriminator's weights jump",
            f"The largest singular value of its kernels rose from {before:.3g} to "
            f"{now:.3g} between two checks. Images often collapse soon after that. An "
            "earlier checkpoint, a smaller learning rate of the discriminator or a "
            "gradient penalty (--r1-gamma) may help.",
        )


def _kinds_stay_missing(looks):
    """Returns whether the last look misses kinds that are not about to be learned."""
    last = looks[-1]
    if last["class_precision"] < LOOK_REAL or _kinds(last) >= MISSING or not looks[1:]:
        return False
    earlier = [x for x in looks[:-1] if x["step"] <= last["step"] / 2] or looks[:1]
    return _kinds(last) < _kinds(earlier[-1]) + LEARNED


def _kinds(look):
    return look["class_coverage"] / max(look["class_precision"], LOOK_REAL)


def collapsed(samples, real):
    """Reports if all samples of a class are nearly the same picture."""
    if samples < LOW_DIVERSITY * real:
        yield Finding(
            "The samples have collapsed",
            f"Images of a class differ by {samples:.1f} grey levels, real ones by "
            f"{real:.1f}. The generator makes nearly the same picture for all latent "
            "vectors. Another seed or other learning rates may help.",
        )


def mismatched(share):
    """Reports if images look different with the stored batch statistics."""
    if share > MISMATCH:
        yield Finding(
            "Batch statistics do not fit",
            "The generator's pixels with its stored batch statistics differ from those "
            f"with the statistics of the batch itself by {share:.0%} of their spread. "
            "Therefore exported images differ from those seen in training. Longer "
            "training with a shorter moving average (training.ema_decay) may help.",
        )


def label_ignored(effect):
    """Reports if images are the same for all classes."""
    if effect < IGNORED:
        yield Finding(
            "The label is ignored",
            f"With the same latent vector, the class accounts for {effect:.0%} of the "
            "variance of the pixels, so the generator makes the same picture for all "
            "classes. Longer training may help, or a recipe with the relativistic loss "
            "(sagan_32_small). Check that the labels match their pictures (keras-sagan "
            "data check).",
        )


def one_place(layers):
    """Reports layers in which all positions attend to the same position."""
    for layer, (share, difference) in layers.items():
        if share > ONE_PLACE and difference < ALIKE:
            network, _, name = layer.partition("/")
            yield Finding(
                f"Attention in the {network} looks at one place from every position",
                f"In {name}, {share:.0%} of the attention of all positions of an image "
                f"goes to a single one, and only {difference:.0%} depends on the "
                "position that attends. The layer copies that position to the whole "
                "image and relates no positions to each other, so its map says nothing "
                "about the picture. Pictures may be good anyway. Smaller learning "
                "rates, or rates that decay (--decay-steps), may help.",
            )


def of_all_positions(maps):
    """Measures how similar the attention of all positions of an image is.

    Args:
        maps: float array `(images, queries, keys)` whose rows sum to 1.

    Returns: two floats in [0, 1], which are means over the images: the largest share of
        the attention of all queries that a key gets, and the total variation distance
        between the attention of a query and the mean of all. They are 1 and 0 if all
        queries attend to the same key, and 1 / keys and 0 if all attend uniformly.
    """
    together = np.mean(maps, axis=1, keepdims=True)
    difference = np.abs(maps - together).sum(axis=-1) / 2
    return float(together.max(axis=-1).mean()), float(difference.mean())


def label_effect(images):
    """Measures how much of the variance of generated images is due to their labels.

    Args:
        images: array `(labels, latents, height, width, channels)`, where each row has
            the images of a label and each column those of a latent vector.

    Returns: float in [0, 1]. Variance of the pixels over the labels, averaged over the
        latent vectors, divided by their variance over all images. Both are summed over
        the pixels.
    """
    images = images.astype(np.float64)
    total = images.var(axis=(0, 1)).sum()
    return float(images.var(axis=0).mean(axis=0).sum() / max(total, 1e-12))


def statistics_mismatch(stored, of_batch):
    """Measures how images change with stored instead of own batch statistics.

    Args:
        stored, of_batch: arrays `(n, height, width, channels)` of the images with the
            stored statistics and with those of the batch, of the same latent vectors.

    Returns: float. Mean absolute difference, divided by the standard deviation of
        `of_batch`.
    """
    spread = float(np.std(of_batch))
    return float(np.mean(np.abs(stored - of_batch))) / max(spread, 1e-12)


def grid_diversity(grid, size, rows_are_classes, padding=2):
    """Measures how much the images of a class in a grid differ from each other.

    Args:
        grid: uint8 array `(height, width, channels)`, as returned by `image_grid`.
        size: int. Height and width of the images in the grid.
        rows_are_classes: bool. Whether each row has the images of a class.
        padding: int. See `image_grid`.

    Returns: float. Mean standard deviation of a pixel over the images of a class, in
        grey levels, or `None` if the size of the grid does not match or there is only
        one image per class.
    """
    step = size + padding
    rows, columns = (grid.shape[0] - padding) // step, (grid.shape[1] - padding) // step
    if (rows * step + padding, columns * step + padding) != grid.shape[:2]:
        return None
    inner = grid[padding:, padding:].reshape(rows, step, columns, step, -1)
    images = inner[:, :size, :, :size].transpose(0, 2, 1, 3, 4).astype(np.float64)
    if not rows_are_classes:
        images = images.reshape(1, rows * columns, *images.shape[2:])
    return float(images.std(axis=1).mean()) if images.shape[1] > 1 else None
