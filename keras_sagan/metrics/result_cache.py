"""Results of earlier evaluations, in files that are named by all they depend on."""

import dataclasses
import functools
import hashlib
import json
import os
import pathlib
import typing
import warnings
from collections.abc import Callable

import numpy as np

import keras_sagan
from keras_sagan.files import json_files, paths, writing
from keras_sagan.metrics import protocol
from keras_sagan.metrics.extractors.extractor import Extractor
from keras_sagan.metrics.image_sets import ImageSet
from keras_sagan.metrics.moments import Moments
from keras_sagan.metrics.settings import Settings

FOLDER = "evaluations"
_LARGEST = 1 << 24  # bytes of a result; one of 1,000 classes has about 100,000


def question(
    real: ImageSet | Moments,
    fake: ImageSet | None,
    extractor: Extractor,
    settings: Settings,
    held_out: ImageSet | None = None,
) -> dict:
    """Everything that a result depends on: equal questions have equal answers.

    Images count by their pixels, those of a generator by its weights and settings, an
    extractor by its weights; where a model or a data set lies does not count, but what
    the protocol calls the data does. Another version of this package, or a change to
    its code, makes another question.

    Args:
        real, fake, extractor, settings, held_out: see `evaluation.evaluate`; without
            `fake` the question of an audit.

    Returns: dict of JSON values.
    """
    taken = dataclasses.asdict(settings)
    del taken["batch_size"]
    return {
        "real": _of_moments(real) if isinstance(real, Moments) else _of_images(real),
        "fake": None if fake is None else _of_images(fake),
        "held_out": None if held_out is None else _of_images(held_out),
        "extractor": {**extractor.describe(), "classes": extractor.class_names},
        "settings": taken,
        **_program(),
    }


class ResultCache:
    """A folder of answers to questions, one file each.

    Args:
        folder: path. Made if there is none.

    Raises:
        OSError: if it cannot be made.
    """

    def __init__(self, folder: str | os.PathLike) -> None:
        self.folder = paths.local(folder)
        writing.make_folder(self.folder)

    def answer(
        self,
        asked: dict,
        read: Callable[[dict, str], typing.Any],
        compute: Callable[[], typing.Any],
    ) -> typing.Any:
        """The answer to a question: that of its file, or computed and written there.

        A file that is damaged is replaced. If it cannot be written there is a warning.

        Args:
            asked: dict of JSON values, e.g. of `question`.
            read: function from the dict of an answer and the path of its file to the
                answer. It may raise `ValueError`, `TypeError`, `KeyError` or
                `AttributeError` where the dict is none.
            compute: function without arguments to the answer, which has `to_dict`.
        """
        text = json.dumps(asked, sort_keys=True)
        path = self.folder / f"{_sha256(text.encode())}.json"
        try:
            content = json_files.read(path, _LARGEST)
            if json.dumps(content["question"], sort_keys=True) == text:
                return read(content["answer"], str(path))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            pass  # there is none, or it is damaged
        found = compute()
        try:
            content = {"question": asked, "answer": found.to_dict()}
            writing.replace_file(path, writing.json_text(content))
        except OSError as error:
            warnings.warn(f"The result could not be kept: {error}", stacklevel=2)
        return found

    def classifier_file(self, training_images: ImageSet) -> pathlib.Path:
        """Where the classifier that is trained on these images is kept.

        Args:
            training_images: `ImageSet` with labels.
        """
        asked = {"images": _of_images(training_images), **_program()}
        text = json.dumps(asked, sort_keys=True)
        return self.folder / f"classifier-{_sha256(text.encode())}.keras"


def _of_images(images):
    described = {k: v for k, v in images.description.items() if k != "model"}
    return {
        "described": described,
        "images": images.fingerprint(),
        "labels": None if images.labels is None else _of_array(images.labels),
        "classes": images.class_names,
    }


def _of_moments(moments):
    arrays = [_of_array(x) for x in (moments.mean, moments.covariance)]
    return {"moments": arrays, "count": moments.count, "protocol": moments.protocol}


def _of_array(array):
    array = np.ascontiguousarray(array)
    return _sha256(f"{array.shape} {array.dtype.str} ".encode() + array.tobytes())


def _program():
    return {"versions": protocol.versions(), "code": _code()}


@functools.cache
def _code():
    """SHA-256 of the package: a clone changes without another version."""
    folder = pathlib.Path(keras_sagan.__file__).parent
    files = sorted(folder.rglob("*.py"))
    return _sha256(b"".join(_sha256(file.read_bytes()).encode() for file in files))


def _sha256(content):
    return hashlib.sha256(content).hexdigest()
