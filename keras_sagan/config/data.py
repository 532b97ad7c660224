"""Sections of the configuration about the source of the data and augmentation."""

from keras_sagan.config.section import Section, section, setting

AUGMENTATIONS = {  # operations of each policy, in the order in which they are applied
    "diffaugment": ("color", "translation", "cutout"),
    "ada": ("blit", "geometric", "color"),
}


@section
class AugmentationConfig(Section):
    """How images are changed before the discriminator sees them.

    Augmentation is meant for small data sets.
    """

    policy: str | None = setting(
        None,
        "how real and generated images are changed",
        "--augment NAME",
        choices=tuple(AUGMENTATIONS),
        none="no augmentation",
    )
    operations: str | None = setting(
        None,
        "operations of the policy, joined by commas: some of color,translation,cutout "
        "(diffaugment) or of blit,geometric,color (ada)",
        "--augment-operations NAMES",
        none="all of them",
    )
    mirror: bool = setting(
        False,
        "whether to mirror half of the real images, so that half of the generated "
        "ones are mirrored too",
        "--mirror BOOL",
    )
    ada_target: float = setting(
        0.6, 'mean sign of D(real) that "ada" aims for', above=-1, below=1
    )
    ada_images: int = setting(
        500_000,
        'number of real images in which the probability of "ada" can rise from 0 to 1',
        least=1,
    )

    def check(self):
        allowed = AUGMENTATIONS.get(self.policy, ())
        self.require(
            self.operations is None or self._names() <= set(allowed),
            "operations",
            f"None or some of {allowed} joined by commas with policy={self.policy!r}",
        )

    @property
    def selected_operations(self):
        """Tuple of str. Names of the operations, in the order of their application."""
        names = AUGMENTATIONS.get(self.policy, ())
        if self.operations is None:
            return names
        return tuple(name for name in names if name in self._names())

    def _names(self):
        return {name.strip() for name in self.operations.split(",")}


@section
class DataConfig(Section):
    """The source of the images, and how they are loaded."""

    dataset: str = setting(
        "glyphs",
        "glyphs, shapes, or folder:, tfds:, hf:, wds:, tfrecord: or npz: with a path",
        "--dataset NAME",
    )
    split: str = setting(
        "train",
        'part of the data set to train on, e.g. "train[:90%]"',
        "--split NAME",
    )
    cache_dir: str | None = setting(
        None,
        "directory in which prepared data are kept",
        "--cache-dir DIR",
        none="the usual directory of the source",
    )
    data_memory: float = setting(
        1.0,
        "GiB of memory that decoded images may take; those of a larger data set stay "
        "in their files",
        "--data-memory GIB",
        least=0,
        added_later=True,
    )
    parts: int = setting(
        1,
        "number of ranges of stored images, each shown in other rows of a batch, so "
        "that of several workers each opens only files of its own ranges",
        "--data-parts N",
        least=1,
        added_later=True,
    )
    fit: str = setting(
        "crop",
        "whether pictures are made square by cutting out the centre or by adding "
        "black borders",
        "--fit HOW",
        choices=("crop", "pad"),
    )
    real_labels: str = setting(
        "natural",
        "whether each class is shown as often as it occurs in the data set, or all "
        "equally often",
        "--real-labels HOW",
        choices=("natural", "balanced"),
    )
    fake_labels: str = setting(
        "balanced",
        "the same choice for the labels of generated images",
        "--fake-labels HOW",
        choices=("natural", "balanced"),
    )

    def check(self):
        self.require(self.dataset, "dataset", "the name of a data source")
        self.require(self.split, "split", "the name of a split")
