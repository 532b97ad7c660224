"""Reports on the content of a data set, and on what is wrong with it."""

import collections
import dataclasses

import numpy as np

from keras_sagan.data import loading
from keras_sagan.data.checking import advice, duplicates, inspection

_MAX_CLASSES_SHOWN = 40
_MAX_NAMES_SHOWN = 20
_BAR_WIDTH = 30


@dataclasses.dataclass(frozen=True)
class CheckReport:
    """The findings of `check` about a split.

    Attributes:
        name: str. The data set, as for `load`.
        split: str.
        image_size: int. Height and width of the training images in pixels.
        channels: int. Number of channels of the training images.
        num_examples: int. Number of readable pictures.
        class_counts: dict from class name to number of readable examples, in the order
            of the labels, or `None` if unlabelled.
        widths: (smallest, median, largest) stored width in pixels, or `None` if there
            are no pictures.
        heights: the same for the stored heights.
        shorter_sides: the same for the shorter side of each picture.
        num_enlarged: int. Number of pictures whose shorter side is below `image_size`.
        num_oblong: int. Number of pictures that are far from square.
        modes: dict from Pillow mode ("RGB", "L", "P", ...) to number of pictures.
        num_transparent: int. Number of pictures that can have transparent pixels.
        value_range: (smallest, largest) value of the decoded images, or `None`.
        copies: tuple of tuples of str. Groups of names of pictures with equal pixels.
        near_copies: the same for pictures that look alike, including equal ones.
        extra_copies: int. Number of pictures that could be removed so that one of each
            group of `copies` remains.
        extra_near_copies: int. The same for `near_copies`, without equal ones.
        copies_across_classes: int. Number of groups of `copies` with several classes.
        odd: tuple of str. Readable pictures that are probably there by mistake.
        unreadable: tuple of str. Pictures that cannot be read, and why.
        problems: tuple of str. What is wrong; empty if the data set can be used.
        notes: tuple of str. What has been left out.
        advice: tuple of str. How to train on the data set.
    """

    name: str
    split: str
    image_size: int
    channels: int
    num_examples: int
    class_counts: dict[str, int] | None
    widths: tuple[int, int, int] | None
    heights: tuple[int, int, int] | None
    shorter_sides: tuple[int, int, int] | None
    num_enlarged: int
    num_oblong: int
    modes: dict[str, int]
    num_transparent: int
    value_range: tuple[int, int] | None
    copies: tuple[tuple[str, ...], ...]
    near_copies: tuple[tuple[str, ...], ...]
    extra_copies: int
    extra_near_copies: int
    copies_across_classes: int
    odd: tuple[str, ...]
    unreadable: tuple[str, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()

    def to_dict(self):
        """Returns the report as a dict that `json.dumps` accepts."""
        return dataclasses.asdict(self)

    def format(self):
        """Returns the report as text of several lines, without a final newline."""
        lines = [
            f"data set  {self.name} (split {self.split})",
            f"examples  {self.num_examples}",
            f"images    {self.image_size} x {self.image_size} x {self.channels}",
        ]
        if self.num_examples:
            lines += [
                f"widths    {_spread_text(self.widths)}",
                f"heights   {_spread_text(self.heights)}",
                f"enlarged  {self.num_enlarged} (shorter side < {self.image_size} px)",
                f"modes     {', '.join(f'{m} {n}' for m, n in self.modes.items())}",
                f"values    {self.value_range[0]} to {self.value_range[1]}",
                f"copies    {self.extra_copies} exact, {self.extra_near_copies} alike",
            ]
        lines += _class_lines(self.class_counts)
        others = [p for p in self.problems if p not in set(self.unreadable)]
        lines.append(f"problems  {len(self.problems) or 'none'}")
        lines += [f"  {problem}" for problem in others] + _some_problems(
            self.unreadable
        )
        if self.odd:
            lines += [f"odd       {len(self.odd)}", *_some_problems(self.odd)]
        if self.notes:
            lines += ["left out", *(f"  {note}" for note in self.notes)]
        if self.advice:
            lines += ["advice", *(f"  {sentence}" for sentence in self.advice)]
        return "\n".join(lines)


def check(
    name, image_size=32, split="train", channels=None, cache_dir=None, fit="crop"
):
    """Reads every example of a split and reports on the data set before training.

    The report lists everything that `load` would refuse, such as unreadable pictures,
    empty classes and labels out of range. It also lists what `load` accepts but is
    hardly intended, such as a single class, pictures of a single colour, and copies.

    Args:
        name: str. As for `load`.
        image_size: int. As for `load`.
        split: str. As for `load`.
        channels: As for `load`.
        cache_dir: As for `load`.
        fit: As for `load`.

    Returns:
        `CheckReport`.

    Raises:
        The same errors as `load`, for wrong arguments and for data sets that cannot be
        opened at all.
    """
    return check_with_samples(name, image_size, split, channels, cache_dir, fit)[0]


def check_with_samples(
    name, image_size=32, split="train", channels=None, cache_dir=None, fit="crop"
):
    """Does the same as `check`, and returns images for a contact sheet as well.

    Returns:
        Tuple `(report, samples)`: a `CheckReport`, and a uint8 array `(rows * 8,
        image_size, image_size, channels)` with a row for each of the first 16 classes,
        filled up with white, or `None` if there are no pictures.
    """
    kind, rest, image_size, channels = loading.parse_arguments(
        name, image_size, channels, fit
    )
    pictures = loading.open_pictures(kind, rest, split, image_size, cache_dir)
    channels = channels or pictures.channels
    found = inspection.inspect(pictures, image_size, channels, fit)
    facts, class_names = found.facts, pictures.class_names
    labels = None if class_names is None else found.labels
    report = CheckReport(
        name=name,
        split=split,
        image_size=image_size,
        channels=channels,
        num_examples=len(facts),
        class_counts=_class_counts(labels, class_names),
        odd=inspection.odd(facts, image_size),
        unreadable=found.unreadable,
        problems=(
            *pictures.problems,
            *found.unreadable,
            *_label_problems(labels, class_names),
            *_value_problems(facts),
        ),
        notes=pictures.notes,
        **_summary(facts, image_size),
        **_copies(facts, class_names),
    )
    report = dataclasses.replace(report, advice=advice.advise(report))
    return report, found.samples


def _summary(facts, image_size):
    """Returns the fields of `CheckReport` that describe the pictures."""
    modes = collections.Counter(fact.mode for fact in facts).most_common()
    values = [(fact.low, fact.high) for fact in facts]
    return {
        "widths": advice.three([fact.width for fact in facts]),
        "heights": advice.three([fact.height for fact in facts]),
        "shorter_sides": advice.three([min(f.width, f.height) for f in facts]),
        "num_enlarged": sum(min(f.width, f.height) < image_size for f in facts),
        "num_oblong": sum(advice.is_oblong(f.width, f.height) for f in facts),
        "modes": dict(modes),
        "num_transparent": sum(fact.transparent for fact in facts),
        "value_range": (int(np.min(values)), int(np.max(values))) if facts else None,
    }


def _copies(facts, class_names):
    """Returns the fields of `CheckReport` about duplicates."""
    names = [fact.name for fact in facts]
    equal = duplicates.equal_groups([fact.digest for fact in facts])
    near = duplicates.near_groups(
        [fact.hash for fact in facts], [fact.thumbnail for fact in facts]
    )
    labels = None if class_names is None else [fact.label for fact in facts]
    repeated = {index for group in equal for index in group[1:]}
    distinct = [[i for i in group if i not in repeated] for group in near]
    return {
        "copies": duplicates.named(equal, names),
        "near_copies": duplicates.named(near, names),
        "extra_copies": duplicates.extra(equal),
        "extra_near_copies": duplicates.extra([group for group in distinct if group]),
        "copies_across_classes": duplicates.across_classes(equal, labels),
    }


def _class_counts(labels, class_names):
    if class_names is None:
        return None
    valid = labels[(labels >= 0) & (labels < len(class_names))]
    counts = np.bincount(valid, minlength=len(class_names))
    return {name: int(n) for name, n in zip(class_names, counts, strict=True)}


def _label_problems(labels, class_names):
    """Lists labels out of range and classes without examples, or a single class."""
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
            f"all examples have the same class {only!r}. Is this the right folder? "
            "Pictures without classes must lie directly in it"
        )
    return problems


def _value_problems(facts):
    """Reports if every picture has a single colour."""
    if facts and all(fact.flat for fact in facts):
        return ["every picture has a single colour and nothing else"]
    return []


def _spread_text(three):
    low, median, high = three
    return f"{low}" if low == high else f"{low} to {high} px, median {median}"


def _some_problems(sentences):
    """Returns the first sentences as lines, and a line for the number of others."""
    lines = [f"  {sentence}" for sentence in sentences[:_MAX_NAMES_SHOWN]]
    rest = len(sentences) - len(lines)
    return [*lines, f"  and {rest} more (--json lists all)"] if rest > 0 else lines


def _class_lines(class_counts):
    """Returns the histogram of the classes, with one line for each."""
    if class_counts is None:
        return ["classes   unlabelled"]
    largest = max(class_counts.values(), default=0) or 1
    shown = list(class_counts.items())[:_MAX_CLASSES_SHOWN]
    width = max((len(name) for name, _ in shown), default=0)
    last = len(class_counts) - 1
    lines = [f"classes   {len(class_counts)}, labels 0 to {last} in this order"]
    for name, count in shown:
        bar = "#" * round(_BAR_WIDTH * count / largest)
        lines.append(f"  {name:<{width}}  {count:>7}  {bar}".rstrip())
    if len(class_counts) > len(shown):
        lines.append(f"  and {len(class_counts) - len(shown)} more classes")
    return lines
