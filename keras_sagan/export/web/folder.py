"""Writes a folder for any static host with a page and the generator that runs in it.

The page is that of the explorer. Its model runs in the browser of the visitor, with the
ONNX Runtime Web that is part of this package (`onnxruntime/`). The page loads nothing
from elsewhere.
"""

import importlib.resources
import os
import pathlib
import typing

import keras

from keras_sagan.export.card import as_text, model_card, write_card
from keras_sagan.export.loading import ExportedModel
from keras_sagan.export.onnx import onnx_bytes, onnx_outputs
from keras_sagan.export.runtimes import drawing, latents_function, network_function
from keras_sagan.files import paths, writing

LATENTS, NETWORK = "latents.onnx", "model.onnx"

_EXPLORER = "keras_sagan.visualize.explorer"
_RUNTIME = "onnxruntime"
# Files of the page: from the name in the folder to the package and name of the source.
_PAGE = {
    "index.html": (_EXPLORER, "explorer.html"),
    "explorer.css": (_EXPLORER, "explorer.css"),
    "explorer.js": (_EXPLORER, "explorer.js"),
    **{
        name: (__package__, name)
        for name in ("ask.js", "worker.js", "model.js", "pictures.js")
    },
}


def export_web(
    model: keras.Model | ExportedModel,
    directory: str | os.PathLike,
    name: str | None = None,
    **facts: typing.Any,
) -> None:
    """Writes a page that runs a generator in the browser of its visitors.

    The folder is complete or not there at all. It contains `index.html`, which must be
    opened through a web server, the generator with its attention maps (`model.onnx`),
    the function that draws its latent vectors from seeds (`latents.onnx`), the model
    card, and ONNX Runtime Web with its licence.

    Args:
        model: built `Generator`, or an `ExportedModel`.
        directory: str or path of a directory that does not exist or is empty.
        name: str. Name of the model, the heading of the page. Defaults to the name in
            the card of an exported model, or to that of the directory.
        **facts: other arguments of `model_card`. For an exported model, they replace
            those in its card.

    Raises:
        ImportError: if the extra `onnx` is not installed.
        FileExistsError: if there is something already.
        ValueError: if the exported model has no card.
    """
    directory = paths.local(directory).absolute()
    if isinstance(model, ExportedModel):
        (function, specs), card = model.network_function(), _card_of(model)
        card |= {"name": name or card["name"], **facts}
    else:
        function, specs = network_function(model, merged_upsampling=True, maps=True)
        card = model_card(model, name or directory.name, **facts)
    latents, of_seeds = latents_function(specs[0].shape[1])
    files = {
        LATENTS: onnx_bytes(latents, of_seeds, card),
        NETWORK: onnx_bytes(function, specs, card),
    }
    writing.create_folder(directory, lambda folder: _write_page(folder, files, card))


def web_runner(
    directory: str | os.PathLike, threads: int = 0
) -> typing.Callable[[dict], dict]:
    """Returns a function that does in ONNX Runtime what the page does in a browser.

    Args:
        directory: str or path of the folder.
        threads: int. Number of threads for computing, or 0 for one per core.

    Returns: function from a dict of `seed`, `truncation` (and `label`) to a dict of
        uint8 `images` and the map of every attention layer.

    Raises:
        ImportError: if the extra `onnx` is not installed.
    """
    folder = paths.local(directory)
    return drawing(
        onnx_outputs(folder / LATENTS, threads), onnx_outputs(folder / NETWORK, threads)
    )


def _card_of(model):
    """Returns the card of an exported model, with the sizes of the model itself."""
    try:
        as_text(model.card)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{str(model.directory)!r} has no model card that can be used, from which "
            "the page is made. The card of `keras-sagan export` must be in "
            "assets.extra/model.json."
        ) from error
    sizes = {"image_size": model.image_size, "channels": model.channels}
    return {**model.card, "generator": {**model.card["generator"], **sizes}}


def _write_page(folder: pathlib.Path, files, card):
    for name, content in files.items():
        writing.write_new(folder / name, content)
    for name, (package, source) in _PAGE.items():
        content = importlib.resources.files(package).joinpath(source).read_bytes()
        writing.write_new(folder / name, content)
    (folder / _RUNTIME).mkdir()
    for file in importlib.resources.files(__package__).joinpath(_RUNTIME).iterdir():
        writing.write_new(folder / _RUNTIME / file.name, file.read_bytes())
    write_card(folder, card)
