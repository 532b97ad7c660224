"""Stores results of evaluations, so that the same evaluation is not computed twice.

The name of a file is a hash of everything on which the result depends.
"""

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
    """Describes everything on which the result of an evaluation depends.

    If two descriptions are equal, so are the results. Images are identified by their
    pixels, or by the weights and settings of the generator that makes them, extractors
    by their weights. The name of the data in the protocol is included, but not the path
    of a model, and so are the version and the code of this package.

    Args:
        real, fake, extractor, settings, held_out: as for `evaluation.evaluate`. `fake`
            is `None` for an audit.

    Returns: dict of JSON values.
    """
    values = dataclasses.asdict(settings)
    del values["batch_size"]
    return {
        "real": _of_moments(real) if isinstance(real, Moments) else _of_images(real),
        "fake": None if fake is None else _of_images(fake),
        "held_out": None if held_out is None else _of_images(held_out),
        "extractor": {**extractor.describe(), "classes": extractor.class_names},
        "settings": values,
        **_program(),
    }


class ResultCache:
    """A folder with a file for each result.

    Args:
        folder: str or path. It is created if it does not exist.

    Raises:
        OSError: if it cannot be created.
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
        """Returns the stored answer to a question, or computes and stores it.

        A damaged file is replaced. If the answer cannot be stored, there is a warning.

        Args:
            asked: dict of JSON values, e.g. returned by `question`.
            read: function from the dict of an answer and the path of its file to the
                answer. It may raise `ValueError`, `TypeError`, `KeyError` or
                `AttributeError` if the dict is not that of an answer.
            compute: function without arguments that returns the answer, an object with
                the method `to_dict`.
        """
        text = json.dumps(asked, sort_keys=True)
        path = self.folder / f"{_sha256(text.encode())}.json"
        try:
            content = json_files.read(path, _LARGEST)
            if json.dumps(content["question"], sort_keys=True) == text:
                return read(content["answer"], str(path))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            pass  # the file is missing or damaged
        result = compute()
        try:
            content = {"question": asked, "answer": result.to_dict()}
            writing.replace_file(path, writing.json_text(content))
        except OSError as error:
            warnings.warn(f"The result could not be stored: {error}", stacklevel=2)
        return result

    def classifier_file(self, training_images: ImageSet) -> pathlib.Path:
        """Returns the path of the classifier that is trained on these images.

        Args:
            training_images: `ImageSet` with labels.
        """
        asked = {"images": _of_images(training_images), **_program()}
        text = json.dumps(asked, sort_keys=True)
        return self.folder / f"classifier-{_sha256(text.encode())}.keras"


def _of_images(images):
    description = {k: v for k, v in images.description.items() if k != "model"}
    return {
        "described": description,
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
    """Returns a hash of the code, because a clone can change without a new version."""
    folder = pathlib.Path(keras_sagan.__file__).parent
    files = sorted(folder.rglob("*.py"))
    return _sha256(b"".join(_sha256(file.read_bytes()).encode() for file in files))


def _sha256(content):
    return hashlib.sha256(content).hexdigest()
