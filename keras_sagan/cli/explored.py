"""What `keras-sagan explore` shows: a trained model or an exported one."""

import dataclasses
import json
import pathlib
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Explored:
    """A model as the explorer sees it.

    Args:
        name: str.
        image_size: int.
        classes: list of str, or `None` if unconditional.
        layers: list of str: the attention layers.
        latents: function from seeds and a truncation (or `None`) to latents.
        view: function from a latent `(latent_dim,)` and a class index (or `None`) to
            `(image, maps)`: uint8 array `(size, size, channels)`, and a dict from a
            layer to an array `(queries, keys)`.
    """

    name: str
    image_size: int
    classes: list | None
    layers: list
    latents: Callable
    view: Callable


def open_explored(source):
    """Opens a run, a model directory, an export, or the newest of its versions.

    Raises:
        FileNotFoundError: if there is none of these.
        ValueError: if an export does not say which classes it has.
    """
    from keras_sagan.export.publishing import newest_saved_model

    path = pathlib.Path(source)
    folder = newest_saved_model(path)
    return _open_gan(path) if folder is None else _open_saved_model(folder)


def _open_gan(path):
    from keras_sagan.runs import loading
    from keras_sagan.training import generation

    gan = loading.load_trained(path)
    generator = gan.generator
    gan.refresh_ema()

    def latents(seeds, truncation):
        return generation.latents(generator.latent_dim, seeds, truncation)

    def view(latent, label):
        images, maps = generation.view(
            gan, latent[None], None if label is None else [label]
        )
        return images[0], {name: scores[0] for name, scores in maps.items()}

    layers = list(view(latents([0], None)[0], _first(generator.num_classes))[1])
    classes = _class_names(generator.num_classes, gan.class_names)
    name = path.resolve().name
    return Explored(name, generator.image_size, classes, layers, latents, view)


def _open_saved_model(folder):
    import tensorflow as tf

    from keras_sagan.training import generation

    model = tf.saved_model.load(str(folder))  # has to live as long as its signatures
    known = model.signatures
    name = "attention" if "attention" in known else "serving_default"
    if name not in known or "images" not in known[name].structured_outputs:
        raise ValueError(
            f"{str(folder)!r} is no export of `keras-sagan export`: it needs a "
            "signature 'attention' or 'serving_default' with 'images'. "
            f"Received: {list(known)}."
        )
    run = known[name]
    inputs = run.structured_input_signature[1]
    shape = run.structured_outputs["images"].shape
    latent_dim = inputs["latent"].shape[1]
    classes = None
    if "label" in inputs:
        card = _card(folder)
        classes = _class_names(card["generator"]["num_classes"], card["class_names"])

    def latents(seeds, truncation):
        return generation.latents(latent_dim, seeds, truncation)

    def view(latent, label):
        rows = {"latent": tf.constant(latent[None])}
        if label is not None:
            rows["label"] = tf.constant([label])
        outputs = dict(model.signatures[name](**rows))
        image = generation.to_uint8(outputs.pop("images"))[0].numpy()
        return image, {f"generator/{k}": v[0].numpy() for k, v in outputs.items()}

    layers = [f"generator/{x}" for x in run.structured_outputs if x != "images"]
    shown = f"{folder.resolve().parent.name}/{folder.name}"
    return Explored(shown, shape[1], classes, layers, latents, view)


def _card(folder):
    path = folder / "assets.extra" / "model.json"
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        return {"generator": card["generator"], "class_names": card["class_names"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{str(folder)!r} does not say which classes it has: expected the model "
            "card of `keras-sagan export` in assets.extra/model.json."
        ) from error


def _class_names(count, names):
    if count is None:
        return None
    return [str(name) for name in (names or range(count))]


def _first(num_classes):
    return None if num_classes is None else 0
