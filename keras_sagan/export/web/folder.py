"""A folder for any static host: a page, and the generator that runs in it.

The page is the explorer's. Its model runs in the visitor's browser, in ONNX Runtime Web
(`onnxruntime/`), which is copied from this package; the page loads nothing from
elsewhere.
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
# The files of the page: their names in the folder, and where they come from.
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
    """Write a page that runs `model` in the visitor's browser, complete or not at all.

    The folder has `index.html`, which a web server has to deliver; the generator with
    its attention maps as `model.onnx`, and what draws its latents from seeds as
    `latents.onnx`; the model card; ONNX Runtime Web with its licence.

    Args:
        model: `Generator`, built, or an `ExportedModel`.
        directory: str or path; must not exist yet, or be empty.
        name: str. Of the model, which heads the page; `None` for that in the card of
            an exported model, or the directory's.
        **facts: other arguments of `model_card`; of an exported model they take the
            place of those in its card.

    Raises:
        ImportError: without the extra `onnx`.
        FileExistsError: if something is there already.
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
    """A function that does in ONNX Runtime what the page does in a browser.

    Args:
        directory: str or path of the folder.
        threads: int. For computing; 0 for as many as there are cores.

    Returns: callable from a dict of `seed`, `truncation` (and `label`) to a dict of
        `images`, uint8, and the map of every attention layer.

    Raises:
        ImportError: without the extra `onnx`.
    """
    folder = paths.local(directory)
    return drawing(
        onnx_outputs(folder / LATENTS, threads), onnx_outputs(folder / NETWORK, threads)
    )


def _card_of(model):
    """The card of an exported model, with the sizes that the model itself has."""
    try:
        as_text(model.card)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{str(model.directory)!r} has no model card that can be used, which says "
            "what the page shows: expected that of `keras-sagan export` in "
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
