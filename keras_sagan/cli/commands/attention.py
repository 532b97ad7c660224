"""`keras-sagan attention`: draws where points of a generated image attend."""

import argparse

from keras_sagan.cli import model_argument, outputs
from keras_sagan.cli.errors import user_errors
from keras_sagan.cli.model_argument import add_model
from keras_sagan.cli.startup import start_tensorflow

_DESCRIPTION = """
Draws the figure of the SAGAN paper: a generated image with points on it and, for each
point and each attention layer of the generator and the discriminator, where it attends.
Exported models have the generator only. A file that ends in .gif shows the checkpoints
of a run one after the other, with the points that were chosen for the last one.
"""


def add_parser(commands):
    """Adds the command to the subparsers `commands`."""
    parser = commands.add_parser(
        "attention",
        help="draw where points of a generated image attend",
        description=_DESCRIPTION,
        examples=(
            "runs/cats -o cats.png --label tabby --seed 3",
            "runs/cats -o training.gif --points '8,8;20,24'",
        ),
    )
    add_model(parser, model_argument.ANY)
    outputs.add_output(parser, (".png", ".gif"), default="attention.png")
    parser.add_argument(
        "--label",
        metavar="LABEL",
        help="class name or index (default: 0; none for an unconditional model)",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="seed of the latent vector"
    )
    parser.add_argument(
        "--points",
        default="auto",
        type=_points,
        metavar="X,Y;...",
        help="pixels from the upper left corner, e.g. '8,8;20,24', or auto for those "
        "with the most non-local maps (default: %(default)s)",
    )
    parser.add_argument(
        "--num-points",
        type=int,
        default=4,
        metavar="N",
        help="number of points that auto chooses, at most 6 (default: %(default)s)",
    )
    parser.add_argument(
        "--layers",
        type=lambda text: [name.strip() for name in text.split(",")],
        metavar="NAMES",
        help="layers to draw, e.g. generator/attention_16 (default: all)",
    )
    parser.set_defaults(run=run)


def run(options):
    """Draws and writes the figure."""
    path = outputs.check_output(options)
    with user_errors():
        start_tensorflow()
        from keras_sagan.visualize import files

        if path.suffix.lower() == ".gif":
            frames = _frames(options)
            files.save_animation(path, frames)
            if len(frames) == 1:
                print("The run has only one checkpoint: the .gif has a single frame.")
        else:
            from keras_sagan.runs.loading import open_model

            files.save_picture(path, _figure(options, open_model(options.model)))
    print(path)


def _figure(options, model):
    from keras_sagan.visualize import attention

    label = label_of(options.label, model)
    return attention.attention_figure(
        model,
        label,
        options.seed,
        options.points,
        options.num_points,
        options.layers,
        title(label, options.seed, model),
    )


def _frames(options):
    from keras_sagan.runs.loading import models_over_time
    from keras_sagan.visualize import attention

    views = []
    for step, gan in models_over_time(options.model):
        label = label_of(options.label, gan)
        views.append((step, attention.view(gan, label, options.seed)))
        name = title(label, options.seed, gan)
    # All frames show the same points: those that suit the last checkpoint.
    last = views[-1][1]
    layers = attention.chosen_layers(last, options.layers)
    points = attention.chosen_points(
        last, options.points, options.num_points, layers[0]
    )
    return [
        attention.draw_view(view, points, layers=layers, title=f"{name}, step {step}")
        for step, view in views
    ]


def title(label, seed, gan):
    """Returns the title of a figure, e.g. "class cat, seed 7" or "seed 7"."""
    if label is None:
        return f"seed {seed}"
    names = gan.class_names or ()
    if isinstance(label, int) and 0 <= label < len(names):
        label = names[label]
    return f"class {label}, seed {seed}"


def label_of(text, model):
    """Returns the class for the text of an option.

    Args:
        text: str, the name or index of a class, or None for the default.
        model: trained or exported model.

    Returns: str or int; by default 0, or `None` if the model is unconditional.
    """
    if text is None:
        return None if model.num_classes is None else 0
    if text.isdecimal() and text not in (model.class_names or ()):
        return int(text)
    return text


def _points(text):
    if text == "auto":
        return text
    try:
        points = [
            tuple(int(value) for value in pair.split(","))
            for pair in text.split(";")
            if pair.strip()
        ]
    except ValueError:
        points = []
    if not points or any(len(point) != 2 for point in points):
        raise argparse.ArgumentTypeError(
            f"must be auto, or pixels like 8,8;20,24. Received: {text}"
        )
    return points
