"""What looks wrong in a run, in plain words: pure functions of what it wrote."""

import dataclasses
import math

import numpy as np

SATURATED = 0.02  # loss of D below which it has won
CLUELESS = 0.05  # difference of D(real) and D(fake) below which it knows nothing
STUCK = 0.01  # gate below which attention adds nothing
STUCK_STEPS = 1000  # before which a gate is allowed to be small
ONE_PLACE = 0.5  # of the attention of all positions
ALIKE = 0.1  # share of a position's attention that the mean of all has elsewhere
LOW_DIVERSITY = 0.1  # of the real images'
MISMATCH = 0.25  # of the spread of pixels
IGNORED = (
    0.05  # of the variance of pixels, below which the label changes next to nothing
)
SLOWER = 0.5  # of the median speed
TAIL = 5  # rows of metrics that count as the end


@dataclasses.dataclass(frozen=True)
class Finding:
    """Something that looks wrong.

    Args:
        name: str. In a few words.
        text: str. What was seen, what it means, what may help.
    """

    name: str
    text: str


@dataclasses.dataclass(frozen=True)
class Evidence:
    """What is known about a run.

    Args:
        rows: list of dict: lines of `metrics.jsonl`.
        loss: str. What the run was trained with.
        samples: float, or `None`. Diversity of the last samples, in grey levels.
        real_diversity: float, or `None`. That of real images.
        mismatch: float, or `None`. See `statistics_mismatch`.
        label_effect: float, or `None`. See `label_effect`; 1 if unconditional.
        attention: dict, or `None`. From a layer, e.g. `"generator/attention_16"`, to
            what `of_all_positions` says of its maps.
    """

    rows: list
    loss: str = "hinge"
    samples: float | None = None
    real_diversity: float | None = None
    mismatch: float | None = None
    label_effect: float | None = None
    attention: dict | None = None


def findings(evidence):
    """All that looks wrong: list of `Finding`; empty if nothing does."""
    rows, loss = evidence.rows, evidence.loss
    found = [
        *not_finite(rows),
        *saturated(rows, loss),
        *clueless(rows, loss),
        *stuck_gates(rows),
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
    """What `findings` could not look for, and why: list of str."""
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
    if evidence.mismatch is None:
        missing.append("batch statistics: no model")
    if evidence.label_effect is None:
        missing.append("whether the label is ignored: no model")
    if evidence.attention is None:
        missing.append("where attention looks: no model")
    return missing


def not_finite(rows):
    """Values that are no numbers any more."""
    for row in rows:
        bad = [name for name, value in row.items() if not math.isfinite(value)]
        if bad:
            yield Finding(
                "Training diverged",
                f"At step {row['step']:,} {', '.join(bad)} was not finite. Begin again "
                "with smaller learning rates or another seed.",
            )
            return


def saturated(rows, loss):
    """The discriminator has won. Of the Wasserstein loss no level means anything."""
    tail = [row["d_loss"] for row in rows[-TAIL:] if "d_loss" in row]
    if loss != "wasserstein" and len(tail) == TAIL and max(tail) < SATURATED:
        yield Finding(
            "The discriminator has won",
            f"Its loss stayed below {SATURATED} over the last {TAIL} rows: it tells "
            "real from generated images without fail, and the generator learns no more "
            "from it. A smaller learning rate for it, more images, or augmentation "
            "(--augment diffaugment) may help.",
        )


def clueless(rows, loss):
    """The discriminator says the same of both. Early on that is usual."""
    tail = [row["d_real"] - row["d_fake"] for row in rows[-TAIL:] if "d_real" in row]
    if len(tail) == TAIL and loss != "wasserstein" and max(map(abs, tail)) < CLUELESS:
        yield Finding(
            "The discriminator cannot tell",
            f"D(real) and D(fake) differed by less than {CLUELESS} over the last "
            f"{TAIL} rows. Late in a good run that may be so; where samples are poor "
            "or all alike it gives the generator too little to go by, and a larger "
            "learning rate for it, or more discriminator steps, may help.",
        )


def stuck_gates(rows):
    """Attention that is not used."""
    last = rows[-1] if rows else {}
    for name, value in last.items():
        if "_gamma_" in name and last["step"] >= STUCK_STEPS and abs(value) < STUCK:
            network = {"g": "generator", "d": "discriminator"}[name[0]]
            size = name.rpartition("_")[2]
            yield Finding(
                f"Attention in the {network} is not used",
                f"Its gate gamma at {size} x {size} is {value:.2g} after "
                f"{last['step']:,} steps: the layer adds next to nothing. It may need "
                "more steps, or the images no far relations.",
            )


def slower(rows):
    """A speed that has fallen. The first row includes compilation."""
    speeds = [
        row["images_per_second"] for row in rows[1:] if "images_per_second" in row
    ]
    if len(speeds) >= 2 * TAIL:
        now, usual = np.median(speeds[-TAIL:]), np.median(speeds)
        if now < SLOWER * usual:
            yield Finding(
                "Training has become slower",
                f"{now:.0f} images a second in the last {TAIL} rows, {usual:.0f} in "
                "the middle of the run. Something else may use the machine.",
            )


def collapsed(samples, real):
    """Samples of a class that are nearly the same picture."""
    if samples < LOW_DIVERSITY * real:
        yield Finding(
            "The samples have collapsed",
            f"Images of a class differ by {samples:.1f} grey levels, real ones by "
            f"{real:.1f}: the generator makes nearly the same picture whatever the "
            "latent vector. Another seed or other learning rates may help.",
        )


def mismatched(share):
    """Images that look different with the statistics that a model is used with."""
    if share > MISMATCH:
        yield Finding(
            "Batch statistics do not fit",
            f"With its stored batch statistics the generator's pixels are {share:.0%} "
            "of their spread away from those with the statistics of the batch itself: "
            "exported images differ from those it was trained by. Longer training with "
            "a shorter moving average (training.ema_decay) may help.",
        )


def label_ignored(effect):
    """Images that are the same whatever class is asked for."""
    if effect < IGNORED:
        yield Finding(
            "The label is ignored",
            f"With the same latent vector, another class changes {effect:.0%} of the "
            "variance of the pixels: the generator makes the same picture whatever "
            "class it is asked for. Longer training may help, or a recipe with the "
            "relativistic loss (sagan_32_small); check that the labels belong to their "
            "pictures (keras-sagan data check).",
        )


def one_place(layers):
    """Attention that is the same whatever position asks."""
    for layer, (share, difference) in layers.items():
        if share > ONE_PLACE and difference < ALIKE:
            network, _, name = layer.partition("/")
            yield Finding(
                f"Attention in the {network} looks at one place from every position",
                f"In {name}, {share:.0%} of the attention of all positions of an image "
                f"goes to a single one, and only {difference:.0%} depends on which "
                "position asks: the layer hands what is there to the whole image and "
                "relates no positions to each other, so its map says nothing about the "
                "picture. Pictures may be good all the same. Smaller learning rates, "
                "or rates that fall (--decay-steps), may help.",
            )


def of_all_positions(maps):
    """How alike the attention of the positions of an image is.

    Args:
        maps: float array `(images, queries, keys)` whose rows sum to 1.

    Returns: two floats in [0, 1], means over the images: the largest share that a key
        gets of the attention of all queries, and the total variation distance between
        a query's attention and that of all of them. 1 and 0 if every query looks at the
        same key, 1 / keys and 0 if all look everywhere alike.
    """
    together = np.mean(maps, axis=1, keepdims=True)
    difference = np.abs(maps - together).sum(axis=-1) / 2
    return float(together.max(axis=-1).mean()), float(difference.mean())


def label_effect(images):
    """How much of the variance of generated images is due to their labels.

    Args:
        images: array `(labels, latents, height, width, channels)`: each row has the
            images of one label, each column those of one latent vector.

    Returns: float in [0, 1]. The variance of a pixel over the labels, averaged over
        the latent vectors, over its variance in all images; both added up over pixels.
    """
    images = images.astype(np.float64)
    total = images.var(axis=(0, 1)).sum()
    return float(images.var(axis=0).mean(axis=0).sum() / max(total, 1e-12))


def statistics_mismatch(stored, of_batch):
    """How far images are from those with the statistics of their own batch.

    Args:
        stored, of_batch: arrays `(n, height, width, channels)` of the same latents.

    Returns: float. Mean absolute difference over the standard deviation of `of_batch`.
    """
    spread = float(np.std(of_batch))
    return float(np.mean(np.abs(stored - of_batch))) / max(spread, 1e-12)


def grid_diversity(grid, size, rows_are_classes, padding=2):
    """How much the images of a class in a grid differ from each other.

    Args:
        grid: uint8 array `(height, width, channels)`, as `image_grid` makes it.
        size: int. Height and width of an image in it.
        rows_are_classes: bool. Whether each row is a class of its own.
        padding: int. See `image_grid`.

    Returns: float. Standard deviation of a pixel over the images of a class, in grey
        levels, averaged; `None` if the grid is of another size or one image a class.
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
