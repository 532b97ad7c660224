"""`check`: what a data set holds and what is wrong with it, before training."""

import collections
import dataclasses

import numpy as np
from PIL import Image

from keras_sagan.data import folder, images, sources

_MAX_CLASSES_SHOWN = 40
_BAR_WIDTH = 30


@dataclasses.dataclass(frozen=True)
class CheckReport:
    """What `check` found in one split.

    Attributes:
        name: str. The data set, as for `load`.
        split: str.
        image_size: int. Height and width of the training images in pixels.
        channels: int. Of the training images.
        num_examples: int. Pictures that could be read.
        class_counts: dict of class name to number of listed examples, in label
            order; `None` when unlabelled.
        widths: (smallest, median, largest) stored width in pixels, or `None`
            without pictures.
        heights: the same of the stored heights.
        num_enlarged: int. Pictures whose shorter side is below `image_size`.
        modes: dict of the pictures' Pillow mode ("RGB", "L", "P", ...) to count.
        value_range: (smallest, largest) value of the decoded images, or `None`.
        problems: tuple of str, empty when the data set is sound.
    """

    name: str
    split: str
    image_size: int
    channels: int
    num_examples: int
    class_counts: dict[str, int] | None
    widths: tuple[int, int, int] | None
    heights: tuple[int, int, int] | None
    num_enlarged: int
    modes: dict[str, int]
    value_range: tuple[int, int] | None
    problems: tuple[str, ...]

    def to_dict(self):
        """The report as a dict that `json.dumps` takes."""
        return dataclasses.asdict(self)

    def format(self):
        """The report as text of several lines, without a final newline."""
        lines = [
            f"data set  {self.name} (split {self.split})",
            f"examples  {self.num_examples}",
            f"images    {self.image_size} x {self.image_size} x {self.channels}",
        ]
        if self.num_examples:
            lines += [
                f"widths    {_spread(self.widths)}",
                f"heights   {_spread(self.heights)}",
                f"enlarged  {self.num_enlarged} (shorter side < {self.image_size} px)",
                f"modes     {', '.join(f'{m} {n}' for m, n in self.modes.items())}",
                f"values    {self.value_range[0]} to {self.value_range[1]}",
            ]
        lines += _class_lines(self.class_counts)
        lines.append(f"problems  {len(self.problems) or 'none'}")
        lines += [f"  {problem}" for problem in self.problems]
        return "\n".join(lines)


def check(name, image_size=32, split="train", channels=None, cache_dir=None):
    """Reads every example of a split and reports on it.

    What `load` refuses (an unreadable picture, an empty class, a label out of range)
    is listed here, all of it, along with what it would let pass: a single class, and
    pictures of one flat colour each.

    Args:
        name: str. As for `load`.
        image_size: int. As for `load`.
        split: str. As for `load`.
        channels: As for `load`.
        cache_dir: As for `load`.

    Returns:
        `CheckReport`.

    Raises:
        As `load` for wrong arguments and data sets that cannot be opened at all.
    """
    kind, rest, image_size, channels = sources.parse_arguments(
        name, image_size, channels
    )
    if kind == "folder":
        folder.check_split(rest, split)
        facts, problems, labels, class_names = _folder_facts(
            rest, image_size, channels or 3
        )
        channels = channels or 3
    else:
        builder = sources.open_builder(kind, rest, image_size, cache_dir)
        facts, labels, class_names, channels = _tfds_facts(
            builder, split, image_size, channels
        )
        problems = []
    problems += _label_problems(labels, class_names) + _value_problems(facts)
    return CheckReport(
        name=name,
        split=split,
        image_size=image_size,
        channels=channels,
        num_examples=len(facts),
        class_counts=_class_counts(labels, class_names),
        problems=tuple(problems),
        **_summary(facts, image_size),
    )


@dataclasses.dataclass(frozen=True)
class _Facts:
    """One readable picture: stored size and mode, and its values once decoded."""

    width: int
    height: int
    mode: str
    low: int
    high: int
    flat: bool


def _facts_of(picture, decoded):
    low, high = decoded.min(axis=(0, 1)), decoded.max(axis=(0, 1))  # a channel
    return _Facts(
        width=picture.width,
        height=picture.height,
        mode=picture.mode,
        low=int(low.min()),
        high=int(high.max()),
        flat=bool((low == high).all()),
    )


def _folder_facts(path, image_size, channels):
    """Facts of the readable pictures, problems, listed labels, class names."""
    listing = folder.list_pictures(path)
    results = [None] * len(listing.files)

    def inspect(row):
        try:
            decoded = folder.decode(listing.files[row], image_size, channels)
        except ValueError as error:
            results[row] = str(error)
        else:
            with Image.open(listing.files[row], formats=folder.FORMATS) as picture:
                results[row] = _facts_of(picture, decoded)

    folder.run_parallel(inspect, len(listing.files), "checking")
    unreadable = [result for result in results if isinstance(result, str)]
    facts = [result for result in results if not isinstance(result, str)]
    problems = [*listing.problems, *unreadable]
    return facts, problems, listing.labels, listing.class_names


def _tfds_facts(builder, split, image_size, channels):
    """Facts of the pictures, labels, class names, channels."""
    from keras_sagan.data import tfds_source

    image_feature, label_feature = tfds_source.features_of(builder)
    tfds_source.split_size(builder, split)
    channels = channels or image_feature.shape[-1] or 3
    facts, labels = [], []
    for image, label in tfds_source.raw_examples(builder, split):
        picture = tfds_source.as_picture(image)
        decoded = images.to_array(picture, image_size, channels)
        facts.append(_facts_of(picture, decoded))
        labels.append(label)
    if label_feature is None:
        return facts, None, None, channels
    names = tfds_source.class_names(label_feature)
    return facts, np.array(labels, np.int64), names, channels


def _summary(facts, image_size):
    """The fields of `CheckReport` that follow from the pictures alone."""
    modes = collections.Counter(fact.mode for fact in facts).most_common()
    values = [(fact.low, fact.high) for fact in facts]
    return {
        "widths": _three([fact.width for fact in facts]),
        "heights": _three([fact.height for fact in facts]),
        "num_enlarged": sum(min(f.width, f.height) < image_size for f in facts),
        "modes": dict(modes),
        "value_range": (int(np.min(values)), int(np.max(values))) if facts else None,
    }


def _three(values):
    """(smallest, median, largest), or `None` of nothing."""
    if not values:
        return None
    return min(values), int(np.median(values)), max(values)


def _class_counts(labels, class_names):
    if class_names is None:
        return None
    valid = labels[(labels >= 0) & (labels < len(class_names))]
    counts = np.bincount(valid, minlength=len(class_names))
    return {name: int(n) for name, n in zip(class_names, counts, strict=True)}


def _label_problems(labels, class_names):
    """Labels out of range, classes without examples, a single class."""
    if class_names is None:
        return []
    problems = []
    wrong = labels[(labels < 0) | (labels >= len(class_names))]
    if wrong.size:
        problems.append(
            f"{wrong.size} of {labels.size} labels are not in [0, {len(class_names)}), "
            f"e.g. {int(wrong[0])}"
        )
    counts = np.array(list(_class_counts(labels, class_names).values()))
    empty = [class_names[label] for label in np.flatnonzero(counts == 0)]
    if empty:
        problems.append(f"{len(empty)} classes have no examples: {', '.join(empty)}")
    if (counts > 0).sum() == 1:
        only = class_names[int(np.argmax(counts))]
        problems.append(
            f"every example has the same class {only!r}: is that the right folder "
            "depth? Pictures without classes lie directly in the folder"
        )
    return problems


def _value_problems(facts):
    """Pictures of one flat colour throughout."""
    if facts and all(fact.flat for fact in facts):
        return ["every picture is flat: one colour and nothing else"]
    return []


def _spread(three):
    low, median, high = three
    return f"{low}" if low == high else f"{low} to {high} px, median {median}"


def _class_lines(class_counts):
    """The class histogram, one line a class."""
    if class_counts is None:
        return ["classes   unlabelled"]
    largest = max(class_counts.values()) or 1
    shown = list(class_counts.items())[:_MAX_CLASSES_SHOWN]
    width = max(len(name) for name, _ in shown)
    lines = [f"classes   {len(class_counts)}"]
    for name, count in shown:
        bar = "#" * round(_BAR_WIDTH * count / largest)
        lines.append(f"  {name:<{width}}  {count:>7}  {bar}".rstrip())
    if len(class_counts) > len(shown):
        lines.append(f"  and {len(class_counts) - len(shown)} classes more")
    return lines
