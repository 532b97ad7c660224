"""Downloads and uploads on the Hugging Face Hub, with `huggingface_hub`."""

import contextlib

import huggingface_hub
from huggingface_hub import constants, errors

import keras_sagan

_REFUSED = (401, 403)


def fetch(address, file, largest=None):
    """Fetches a file and returns its path in the cache; see `clients.fetch`."""
    request = {"repo_id": address.handle, "filename": file, "revision": address.version}
    with _clear_errors(address, file):
        if largest is not None:
            info = _api().hf_hub_download(**request, dry_run=True)
            if (info.file_size or 0) > largest:
                raise ValueError(
                    f"{file} of {str(address)!r} must have at most {largest} bytes. "
                    f"Received: {info.file_size}."
                )
        return _api().hf_hub_download(**request)


def upload(address, folder, files):
    """Uploads files in one commit; see `clients.upload`."""
    with _clear_errors(address):
        _api().create_repo(address.handle, exist_ok=True)
        _api().upload_folder(
            repo_id=address.handle,
            folder_path=folder,
            allow_patterns=files,
            commit_message="Upload a preset of keras_sagan",
        )


def _api():
    """Returns a client with the current settings of the environment variables."""
    return huggingface_hub.HfApi(
        library_name="keras-sagan", library_version=keras_sagan.__version__
    )


@contextlib.contextmanager
def _clear_errors(address, file=None):
    """Turns errors of the client into errors that say what was missing and what to do.

    Args:
        address: `Address`.
        file: str, or None. Name of the file that is fetched.
    """
    name = repr(str(address))
    try:
        yield
    except errors.GatedRepoError as error:
        raise PermissionError(
            f"{name} is gated: accept its terms on its page of the Hub, and log in "
            "with `hf auth login`, or set HF_TOKEN."
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise FileNotFoundError(
            f"There is no model {name} at {constants.ENDPOINT}. If it is private, log "
            "in with `hf auth login`, or set HF_TOKEN."
        ) from error
    except errors.RevisionNotFoundError as error:
        raise FileNotFoundError(f"There is no such version of {name}.") from error
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled) as error:
        reason = "HF_HUB_OFFLINE is set" if constants.HF_HUB_OFFLINE else "no network"
        raise ConnectionError(
            f"{file or 'The Hub'} of {name} cannot be reached at {constants.ENDPOINT} "
            f"({reason}), and is not in the cache {constants.HF_HUB_CACHE!r}."
        ) from error
    except errors.EntryNotFoundError as error:
        raise FileNotFoundError(
            f"{name} has no {file}, so it is not a model that `save_to_preset` of "
            "keras_sagan has written."
        ) from error
    except errors.HfHubHTTPError as error:
        refused = getattr(error.response, "status_code", None) in _REFUSED
        if refused:
            raise PermissionError(
                f"The Hub refuses access to {name}: log in with `hf auth login`, or "
                f"set HF_TOKEN to a token that has access. {error}"
            ) from error
        raise OSError(f"The Hub failed for {name}: {error}") from error
    except RuntimeError as error:  # raised by the client for any failure of an upload
        reason = error.__cause__ or error
        raise OSError(f"The Hub failed for {name}: {reason}") from error
    except errors.HTTPError as error:  # from the HTTP library of the client
        raise ConnectionError(
            f"The Hub cannot be reached for {name} at {constants.ENDPOINT}: {error}"
        ) from error
