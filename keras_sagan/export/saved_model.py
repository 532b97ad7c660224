"""SavedModels of a generator, as TF Serving loads them."""

import contextlib
import json
import pathlib

import tensorflow as tf

from keras_sagan.export import card, warmup
from keras_sagan.export.signatures import concrete_signatures
from keras_sagan.files import writing

EXTRA = "assets.extra"


def export_generator(generator, directory, **facts):
    """Write `generator` in inference mode to `directory`, complete or not at all.

    Args:
        generator: `Generator`, built.
        directory: str or path; must not exist yet, or be empty.
        **facts: arguments of `write_saved_model`.

    Raises:
        FileExistsError: if something is there already.
    """
    directory = pathlib.Path(directory).absolute()
    facts.setdefault("name", directory.parent.name)
    writing.create_folder(
        directory, lambda folder: write_saved_model(generator, folder, **facts)
    )


def write_saved_model(generator, directory, name, **facts):
    """Write `generator` with warm-up requests and model card to `directory`.

    The signatures are those of `concrete_signatures`. They share one concrete
    function for the network, and each variable is written once.

    Args:
        generator: `Generator`, built.
        directory: path of an empty directory.
        name: str. Of the model.
        **facts: other arguments of `model_card`.
    """
    signatures, variables = concrete_signatures(generator)
    module = tf.Module()
    module.v = variables
    tf.saved_model.save(module, str(directory), signatures=signatures)
    extra = directory / EXTRA
    extra.mkdir()
    warmup.write_warmup(extra / warmup.FILE, signatures, name)
    card.write_card(extra, card.model_card(generator, name, **facts))


def read_card(directory):
    """The model card of an exported model, or {} where it has none that can be read.

    Args:
        directory: str or path of the SavedModel.
    """
    path = pathlib.Path(directory) / EXTRA / card.FILE
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict) and isinstance(found.get("generator"), dict):
            return found
    return {}
