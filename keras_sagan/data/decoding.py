"""Opens picture files safely, and runs many such calls in parallel."""

import collections
import concurrent.futures
import contextlib
import functools
import itertools
import os
import re

from PIL import Image, ImageOps, features

from keras_sagan import extras, progress

FORMATS = ("AVIF", "BMP", "GIF", "HEIC", "JPEG", "PNG", "TIFF", "WEBP")

# A file with one of these extensions, in upper or lower case, is taken to be a picture,
# so that it is an error if it cannot be read. For other files the first bytes decide,
# except for TIFF, because the raw files of cameras begin in the same way.
EXTENSIONS = (
    *(".avif", ".bmp", ".gif", ".heic", ".heif", ".jpeg", ".jpg"),
    *(".png", ".tif", ".tiff", ".webp"),
)
_BEGINNING = re.compile(
    rb"BM.{4}\0{4}|GIF8[79]a|\xff\xd8\xff|\x89PNG\r\n\x1a\n|RIFF.{4}WEBP", re.DOTALL
)
# Brands of pictures in the first box of an ISO media file.
_AVIF = re.compile(rb".{4}ftyp(.{4})*?avi[fs]", re.DOTALL)
_HEIF = re.compile(rb".{4}ftyp(.{4})*?(hei[cxms]|hev[cxms])", re.DOTALL)
_BEGINNING_BYTES = 64

_ALWAYS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
_WITHOUT_RANGE = (
    "F",
    "I",
)  # modes of TIFF files with numbers that have no defined range

# A small file may claim to have any size, so larger pictures are not decoded. This is
# Pillow's default limit.
MAX_PIXELS = 1024**3 // 4 // 3

_PROGRESS_FROM = 1000  # pictures
_CHUNK = 16  # calls per task, because a task costs as much as decoding a small picture
_AHEAD = 4  # chunks per worker that may be started before the first result is taken


def is_picture(path):
    """Returns whether a file is a picture, judging by its extension or its content.

    Args:
        path: `pathlib.Path` of a regular file.
    """
    if path.name.lower().endswith(EXTENSIONS):
        return True
    try:
        with path.open("rb") as file:
            beginning = file.read(_BEGINNING_BYTES)
    except OSError:
        return False
    return any(kind.match(beginning) for kind in (_BEGINNING, _AVIF, _HEIF))


def open_picture(file, name=None):
    """Opens and decodes a picture file.

    JPEG files are decoded at full size. Decoding them at half the size would be faster,
    but changed pixels by up to 30 of 255 levels after resizing (measured on drawings).

    Args:
        file: path or binary file object of a picture in one of `FORMATS`, with any
            extension.
        name: str or `None`. Name of the picture in messages. Defaults to `file`.

    Returns:
        Tuple `(picture, stored)` of the first frame as a `PIL.Image.Image`, rotated
        according to its EXIF data, and `(width, height, mode)` as stored.

    Raises:
        ValueError: if it cannot be read or has more than `MAX_PIXELS` pixels. The
            message names the file, and a package that is missing.
    """
    try:
        with _stream(file) as stream, _open(stream) as picture:
            width, height = picture.size
            if width * height > MAX_PIXELS:
                raise ValueError(
                    f"{width} x {height} pixels are more than the {MAX_PIXELS} that "
                    "are decoded (a decompression bomb?)"
                )
            stored = (width, height, picture.mode)
            if picture.format == "TIFF" and picture.mode in _WITHOUT_RANGE:
                raise ValueError(
                    f"its numbers (mode {picture.mode}) have no known range: save it "
                    "with 8 or 16 bits"
                )
            picture.load()
            return ImageOps.exif_transpose(picture), stored
    except Exception as error:  # decoders raise all kinds of errors on damaged files
        raise ValueError(
            f"cannot read picture {name or file}: {type(error).__name__}: {error}"
        ) from error


def _stream(file):
    return contextlib.nullcontext(file) if hasattr(file, "read") else open(file, "rb")


def _open(stream):
    """Opens the picture of a stream without decoding its pixels."""
    beginning = stream.read(_BEGINNING_BYTES)
    stream.seek(0)
    formats = _ALWAYS
    if _AVIF.match(beginning):
        formats = ("AVIF",)
        if not features.check("avif"):
            raise ValueError("this Pillow was built without AVIF; its own packages can")
    elif _HEIF.match(beginning):
        formats = ("HEIF",)
        _register_heif()
    return Image.open(stream, formats=formats)


@functools.cache
def _register_heif():
    try:
        import pillow_heif
    except ImportError as error:
        raise extras.MissingExtraError("HEIC", "heif") from error
    pillow_heif.register_heif_opener()


def workers():
    """Returns the number of threads for decoding: the cores the process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 4


def map_parallel(function, items):
    """Yields `function(item)` for each item, in order, computed in several threads.

    Only a few results are computed ahead, and `items` is read no further than that.

    Raises:
        The first exception of `function`, in the order of the items. Calls that have
        not been started are cancelled.
    """
    pool = concurrent.futures.ThreadPoolExecutor(workers())
    waiting = collections.deque()
    items = iter(items)
    try:
        while True:
            while len(waiting) < _AHEAD * workers():
                chunk = list(itertools.islice(items, _CHUNK))
                if not chunk:
                    break
                waiting.append(pool.submit(_call_each, function, chunk))
            if not waiting:
                return
            results, error = waiting.popleft().result()
            yield from results
            if error:
                raise error
    finally:
        pool.shutdown(cancel_futures=True)


def _call_each(function, chunk):
    """Returns the results up to the first exception, and that exception or `None`."""
    results = []
    for item in chunk:
        try:
            results.append(function(item))
        except Exception as error:
            return results, error
    return results, None


def with_progress(results, count, description, done=0):
    """Yields `results` and, if there are many, shows the progress on stderr.

    Args:
        results: iterable.
        count: int. Total number of results, including those that are done.
        description: str. What is being done.
        done: int. Number of results of an earlier call.
    """
    if count < _PROGRESS_FROM:
        yield from results
        return
    with progress.display():
        counter = progress.Counter(count, description, "pictures", done)
    with counter:
        for result in results:
            yield result
            counter.add()
