"""`keras-sagan import`: converts checkpoints of other SAGANs to models of this one."""

import pathlib

from keras_sagan.cli.errors import user_errors
from keras_sagan.cli.parsing import local_path
from keras_sagan.cli.startup import start_tensorflow


def add_parser(commands):
    """Adds the command to the subparsers `commands`."""
    parser = commands.add_parser(
        "import",
        help="import a checkpoint of another SAGAN",
        description="Converts a checkpoint of another project into a model directory "
        "that the other commands take. Nothing in the files is executed.",
    )
    sources = parser.add_subparsers(title="sources", metavar="SOURCE", required=True)
    _add_studiogan(sources)
    _add_mmgeneration(sources)
    _add_tf1(sources)


def _add_studiogan(sources):
    parser = sources.add_parser(
        "studiogan",
        help="PyTorch-StudioGAN",
        examples=("model=G-best.pth -o models/cifar10",),
    )
    parser.add_argument(
        "path", type=local_path, metavar="G.pth", help="model=G-....pth"
    )
    parser.add_argument(
        "--discriminator",
        type=local_path,
        metavar="D.pth",
        help="model=D-....pth (default: an untrained discriminator)",
    )
    parser.add_argument(
        "--plain-shortcut",
        action="store_true",
        help="the discriminator was trained without StudioGAN's in-place ReLU",
    )
    _add_output(parser, _load_studiogan)


def _add_mmgeneration(sources):
    parser = sources.add_parser(
        "mmgeneration",
        help="MMGeneration",
        examples=("sagan_cifar10.pth -o models/cifar10",),
    )
    parser.add_argument("path", type=local_path, metavar="FILE.pth")
    parser.add_argument(
        "--channel-order",
        choices=("bgr", "rgb"),
        default="bgr",
        help="channel order of the training images; rgb for files with "
        "convert-studio-rgb in their name (default: %(default)s)",
    )
    parser.add_argument(
        "--activated-shortcut",
        action="store_true",
        help="for configs with wReLUinplace in their name",
    )
    parser.add_argument(
        "--gamma-offset",
        type=float,
        default=1.0,
        metavar="VALUE",
        help="0 for configs with the initialisation SAGAN or SNGAN "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--batch-norm-epsilon",
        type=float,
        metavar="VALUE",
        help="norm_eps of the config (default: that of the published ones)",
    )
    _add_output(parser, _load_mmgeneration)


def _add_tf1(sources):
    parser = sources.add_parser(
        "tf1",
        help="the official code (TensorFlow 1)",
        examples=("logs/model.ckpt-1000000 -o models/imagenet",),
    )
    parser.add_argument(
        "path",
        type=local_path,
        metavar="PREFIX",
        help="common beginning of the checkpoint's files, without .index and "
        ".data-..., e.g. model.ckpt-1000000",
    )
    _add_output(parser, _load_tf1)


def _add_output(parser, load):
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        type=local_path,
        metavar="DIR",
        help="new or empty directory",
    )
    parser.set_defaults(run=run, load=load)


def run(options):
    """Imports the checkpoint and writes the model directory."""
    with user_errors():
        output = pathlib.Path(options.output)
        if output.exists() and (not output.is_dir() or any(output.iterdir())):
            raise FileExistsError(f"{options.output!r} exists and is not empty.")
        start_tensorflow()
        gan = options.load(options)
        gan.save_to_preset(options.output)
    print(options.output)


def _load_studiogan(options):
    from keras_sagan.interop import load_studiogan

    return load_studiogan(
        options.path,
        options.discriminator,
        activated_shortcut=not options.plain_shortcut,
    )


def _load_mmgeneration(options):
    from keras_sagan.interop import load_mmgeneration

    return load_mmgeneration(
        options.path,
        channel_order=options.channel_order,
        activated_shortcut=options.activated_shortcut,
        gamma_offset=options.gamma_offset,
        batch_norm_epsilon=options.batch_norm_epsilon,
    )


def _load_tf1(options):
    from keras_sagan.interop import load_tf1_checkpoint

    return load_tf1_checkpoint(options.path)
