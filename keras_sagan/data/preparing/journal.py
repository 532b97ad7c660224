"""The working directory of a preparation: whose it is, and which shards are whole."""

import contextlib
import itertools

from keras_sagan.files import json_files, writing
from keras_sagan.files.locking import only_one_process

FOLDER = ".journal"
_FORMAT = 3  # of its pages


@contextlib.contextmanager
def working_directory(work, state):
    """Scope in which the directory is this process's: a new one, or one to go on in.

    Args:
        work: path. Made if needed.
        state: dict. What is prepared: only the same can go on.

    Raises:
        FileExistsError: if something else is in it.
        BlockingIOError: if another process is preparing there.
    """
    state = {**state, "journal": _FORMAT}
    folder = work / FOLDER
    other = work.exists() and not folder.is_dir() and any(work.iterdir())
    if other or any(path.is_symlink() for path in (work, *work.rglob("*"))):
        raise FileExistsError(f"{work} is in the way: remove it.")
    writing.make_folder(folder)
    with only_one_process(work, "preparing"):
        writing.remove_unfinished(work)
        request = folder / "request.json"
        if request.exists() and _read_json(request) != state:
            raise FileExistsError(
                f"{work} holds an interrupted preparation of something else, or the "
                "pictures have changed since. Remove it, or choose another output."
            )
        writing.replace_file(request, writing.json_text(state))
        yield


def finished_shards(work):
    """What the journal says of the first shards that are whole: list of dict."""
    shards = []
    for index in itertools.count():
        page = _read_json(_page(work, index))
        path = shard_path(work, index)
        # A page may be on the disk before its shard where the power failed; a shard
        # that is not there has its last name already.
        if page is None or (path.exists() and path.stat().st_size != page["size"]):
            return shards
        shards.append(page)


def write_page(work, index, facts):
    """Says that a shard is whole.

    Args:
        work: path of the directory.
        index: int. Of the shard.
        facts: dict with the `size` of its file in bytes.
    """
    writing.replace_file(_page(work, index), writing.json_text(facts))


def shard_path(work, index):
    """The file of a shard, until it gets its last name."""
    return work / f"shard-{index:05d}"


def _page(work, index):
    return work / FOLDER / f"{index:05d}.json"


def _read_json(path):
    """A page of the journal, or `None` where it is not there or not whole."""
    try:
        return json_files.read(path, largest=None)
    except (FileNotFoundError, ValueError):
        return None
