"""Sections of the configuration about data: their source, their augmentation."""

import dataclasses

from keras_sagan.config.section import Section

AUGMENTATIONS = {  # operations of each policy, in the order in which they are done
    "diffaugment": ("color", "translation", "cutout"),
    "ada": ("blit", "geometric", "color"),
}


@dataclasses.dataclass(frozen=True)
class AugmentationConfig(Section):
    """What the discriminator sees instead of the images themselves.

    Args:
        policy: str, or `None` for no augmentation. "diffaugment" or "ada".
        operations: str, or `None` for all of the policy's. Their names, joined by
            commas: "color,translation,cutout" or "blit,geometric,color".
        mirror: bool. Turn half of the real images left to right, which generated
            ones then are too.
        ada_target: float in (-1, 1). Mean sign of D(real) that "ada" aims at.
        ada_images: int. Real images that take the probability of "ada" from 0 to 1.
    """

    policy: str | None = None
    operations: str | None = None
    mirror: bool = False
    ada_target: float = 0.6
    ada_images: int = 500_000

    def check(self):
        self.require_choice("policy", (None, *AUGMENTATIONS))
        allowed = AUGMENTATIONS.get(self.policy, ())
        self.require(
            self.operations is None or self._names() <= set(allowed),
            "operations",
            f"None or some of {allowed} joined by commas with policy={self.policy!r}",
        )
        self.require(-1 < self.ada_target < 1, "ada_target", "in (-1, 1)")
        self.require(self.ada_images >= 1, "ada_images", "at least 1")

    @property
    def selected_operations(self):
        """Tuple of str, in the order in which they are done."""
        names = AUGMENTATIONS.get(self.policy, ())
        if self.operations is None:
            return names
        return tuple(name for name in names if name in self._names())

    def _names(self):
        return {name.strip() for name in self.operations.split(",")}


@dataclasses.dataclass(frozen=True)
class DataConfig(Section):
    """Where the images come from.

    Args:
        dataset: str. What `keras_sagan.data.load` takes, e.g. "glyphs",
            "tfds:NAME" or "folder:PATH".
        split: str. Part of the data set to train on.
        cache_dir: str, or `None` for the source's own place. Where prepared data
            are kept.
        fit: str. How pictures become square: "crop" (their centre) or "pad" (black
            borders).
        real_labels: str. How often the stream shows a class: "natural" (as often as
            the data set has it) or "balanced" (all alike).
        fake_labels: str. The same for the labels of generated images.
    """

    dataset: str = "glyphs"
    split: str = "train"
    cache_dir: str | None = None
    fit: str = "crop"
    real_labels: str = "natural"
    fake_labels: str = "balanced"

    def check(self):
        self.require(self.dataset, "dataset", "the name of a data source")
        self.require(self.split, "split", "the name of a split")
        self.require_choice("fit", ("crop", "pad"))
        for name in ("real_labels", "fake_labels"):
            self.require_choice(name, ("natural", "balanced"))
