"""Records in the working directory of a preparation which shards are complete."""

import contextlib
import itertools

from keras_sagan.files import json_files, writing
from keras_sagan.files.locking import only_one_process

FOLDER = ".journal"
_FORMAT = 3  # version of the format of its pages


@contextlib.contextmanager
def working_directory(work, state):
    """Context in which this process alone works in a new or interrupted preparation.

    Args:
        work: path of the directory. It is created if needed.
        state: dict of JSON values that identify what is prepared. A preparation can be
            continued only with the same values.

    Raises:
        FileExistsError: if there is something else in the directory.
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
    """Returns the pages of the first shards, up to one that is incomplete: list."""
    pages = (finished_shard(work, index) for index in itertools.count())
    return list(itertools.takewhile(lambda page: page is not None, pages))


def finished_shard(work, index):
    """Returns the page of a shard: dict, or `None` if it is incomplete."""
    page, path = _read_json(_page(work, index)), shard_path(work, index)
    # After a power failure, a page may be on the disk but not its shard. If there is no
    # file at all, the shard has been given its final name already.
    if page is None or (path.exists() and path.stat().st_size != page["size"]):
        return None
    return page


def write_page(work, index, facts):
    """Records that a shard is complete.

    Args:
        work: path of the directory.
        index: int. Number of the shard.
        facts: dict of JSON values, with the `size` of its file in bytes.

    Returns: the page, a dict with the facts and the `index`.
    """
    page = {"index": index, **facts}
    writing.replace_file(_page(work, index), writing.json_text(page))
    return page


def shard_path(work, index):
    """Returns the path of a shard until it gets its final name."""
    return work / f"shard-{index:05d}"


def _page(work, index):
    return work / FOLDER / f"{index:05d}.json"


def _read_json(path):
    """Reads a page of the journal: dict, or `None` if it is missing or incomplete."""
    try:
        return json_files.read(path, largest=None)
    except (FileNotFoundError, ValueError):
        return None
