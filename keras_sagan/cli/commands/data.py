"""`keras-sagan data`: checks a data set before training, or prepares it."""

import json

from keras_sagan.cli import outputs
from keras_sagan.cli.errors import UserError, user_errors
from keras_sagan.cli.parsing import local_path, png_file
from keras_sagan.cli.startup import start_tensorflow

EXIT_PROBLEMS = 1

_MAX_SHOWN = 20


def add_parser(commands):
    """Adds the command to the subparsers `commands`."""
    parser = commands.add_parser("data", help="check and prepare a data set")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    _add_check(actions)
    _add_prepare(actions)


def _add_check(actions):
    check = actions.add_parser(
        "check",
        help="look for problems before training, e.g. unreadable files and copies",
        description="Reads a whole data set and prints its classes, sizes, values and "
        "copies, the problems that training would have with it, and advice. The exit "
        "status is 1 if there are problems.",
        examples=(
            "folder:cats --image-size 64",
            "npz:cats.npz --contact-sheet cats.png",
        ),
    )
    _add_source(check)
    check.add_argument("--json", action="store_true", help="print JSON")
    check.add_argument(
        "--contact-sheet",
        metavar="FILE.png",
        type=png_file,
        help="write a picture of the first training images, with a row for each class",
    )
    outputs.add_force(check)
    check.set_defaults(run=run_check)


def _add_prepare(actions):
    prepare = actions.add_parser(
        "prepare",
        help="decode and resize all pictures once, for fast loading",
        description="Writes the pictures of a data set at the training size as a TFDS "
        "data set of array_record files, without loss. These can be read in any order, "
        "so training starts at once with sets of any size. If the command is "
        "interrupted, give it again to continue. Train with --dataset tfds:DIR.",
        examples=(
            "folder:cats --image-size 128 -o prepared/cats-128",
            "folder:cats -o prepared/cats --beam DirectRunner "
            "--beam-option direct_num_workers=4",
        ),
    )
    _add_source(prepare)
    prepare.add_argument(
        "-o",
        "--output",
        required=True,
        type=local_path,
        metavar="DIR",
        help="new or empty directory",
    )
    prepare.add_argument(
        "--strict",
        action="store_true",
        help="stop at the first picture that cannot be read (default: leave it out "
        "and report it)",
    )
    prepare.add_argument(
        "--beam",
        metavar="RUNNER",
        help="let the workers of an Apache Beam runner write the files, e.g. "
        "DirectRunner or FlinkRunner (needs the extra beam; default: this process)",
    )
    prepare.add_argument(
        "--beam-option",
        action="append",
        default=[],
        type=_beam_option,
        metavar="NAME[=VALUE]",
        help="option of Beam or its runner, e.g. direct_num_workers=4; may be repeated",
    )
    prepare.set_defaults(run=run_prepare)


def _beam_option(text):
    name, equals, value = text.partition("=")
    return name, value if equals else True


def _add_source(parser):
    parser.add_argument(
        "source",
        metavar="NAME",
        help="glyphs, shapes, tfds:NAME, hf:NAME, or folder:, wds:, tfrecord: or npz: "
        "with a path",
    )
    parser.add_argument("--image-size", type=int, default=32, metavar="PIXELS")
    parser.add_argument(
        "--split", default="train", metavar="NAME", help="e.g. test, or train[:90%%]"
    )
    parser.add_argument("--channels", type=int, metavar="N", help="1, 3 or 4")
    parser.add_argument(
        "--fit",
        default="crop",
        metavar="HOW",
        help="how pictures are made square: crop (default) or pad",
    )
    parser.add_argument(
        "--cache-dir",
        type=local_path,
        metavar="DIR",
        help="directory for downloaded and generated data",
    )


def run_check(options):
    """Prints the report, and returns 1 if there are problems."""
    if options.contact_sheet:
        outputs.check_file(options.contact_sheet, options.force)
    with user_errors():
        light = options.source.startswith(("folder:", "hf:", "npz:", "wds:"))
        if not light or options.split != "train":  # slices are parsed by TFDS
            start_tensorflow()
        from keras_sagan.data.checking import inspection, report

        result, samples = report.check_with_samples(
            options.source, **_source_arguments(options)
        )
    if options.json:
        print(json.dumps(result.to_dict(), indent=2))
    else:
        print(result.format())
    if options.contact_sheet and samples is not None:
        from keras_sagan.visualize import grids

        with user_errors():
            grids.save_grid(options.contact_sheet, samples, inspection.SAMPLE_COLUMNS)
    return EXIT_PROBLEMS if result.problems else 0


def run_prepare(options):
    """Prepares the data set, and prints which pictures were left out."""
    if options.beam_option and not options.beam:
        raise UserError("--beam-option goes with --beam only.")
    beam = {"runner": options.beam, **dict(options.beam_option)}
    with user_errors():
        start_tensorflow()
        from keras_sagan.data import prepare

        try:
            result = prepare(
                options.source,
                options.output,
                strict=options.strict,
                beam_options=beam if options.beam else None,
                **_source_arguments(options),
            )
        except ValueError as error:
            if options.strict and "cannot read picture" in str(error):
                raise UserError(f"{error} (--strict; nothing was left out)") from error
            raise
    for reason in result.skipped[:_MAX_SHOWN]:
        print(f"left out: {reason}")
    if len(result.skipped) > _MAX_SHOWN:
        print(f"and {len(result.skipped) - _MAX_SHOWN} more, see prepare_report.json")
    if result.empty_classes:
        print(f"classes without a readable picture: {', '.join(result.empty_classes)}")
    print(
        f"Prepared {result.written} pictures in {result.shards} files, left out "
        f"{len(result.skipped)}. Train with --dataset tfds:{result.output}"
    )


def _source_arguments(options):
    return {
        "image_size": options.image_size,
        "split": options.split,
        "channels": options.channels,
        "cache_dir": options.cache_dir,
        "fit": options.fit,
    }
