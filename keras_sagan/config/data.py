"""Sections of the configuration about data: their source, their augmentation."""

from keras_sagan.config.section import Section, section, setting

AUGMENTATIONS = {  # operations of each policy, in the order in which they are done
    "diffaugment": ("color", "translation", "cutout"),
    "ada": ("blit", "geometric", "color"),
}


@section
class AugmentationConfig(Section):
    """What the discriminator sees instead of the images themselves.

    For small data sets.
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
        "some of color,translation,cutout or of blit,geometric,color",
        "--augment-operations NAMES",
        none="all of the policy's",
    )
    mirror: bool = setting(
        False,
        "whether half of the real images are mirrored, so that generated ones are too",
        "--mirror BOOL",
    )
    ada_target: float = setting(
        0.6, 'mean sign of D(real) that "ada" aims at', above=-1, below=1
    )
    ada_images: int = setting(
        500_000, 'real images that take the probability of "ada" from 0 to 1', least=1
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
        """Tuple of str, in the order in which they are done."""
        names = AUGMENTATIONS.get(self.policy, ())
        if self.operations is None:
            return names
        return tuple(name for name in names if name in self._names())

    def _names(self):
        return {name.strip() for name in self.operations.split(",")}


@section
class DataConfig(Section):
    """Where the images come from."""

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
        "where prepared data are kept",
        "--cache-dir DIR",
        none="the source's own place",
    )
    data_memory: float = setting(
        1.0,
        "GiB that decoded images may take; of larger sets they stay in their files",
        "--data-memory GIB",
        least=0,
        added_later=True,
    )
    fit: str = setting(
        "crop",
        "how pictures become square, by their centre or with black borders",
        "--fit HOW",
        choices=("crop", "pad"),
    )
    real_labels: str = setting(
        "natural",
        "how often each class is shown: as often as in the data set, or all equally",
        "--real-labels HOW",
        choices=("natural", "balanced"),
    )
    fake_labels: str = setting(
        "balanced",
        "the same for the labels of generated images",
        "--fake-labels HOW",
        choices=("natural", "balanced"),
    )

    def check(self):
        self.require(self.dataset, "dataset", "the name of a data source")
        self.require(self.split, "split", "the name of a split")
