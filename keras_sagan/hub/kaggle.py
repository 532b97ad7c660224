"""Downloads and uploads on Kaggle Models, with `kagglehub`."""

import contextlib
import glob

import kagglehub
import requests
from kagglehub import exceptions

_REFUSED = (401, 403)


def fetch(address, file, largest=None):
    """Fetches a file and returns its path in the cache; see `clients.fetch`.

    `largest` is ignored, because Kaggle does not say in advance how large a file is.
    """
    handle = address.handle + (f"/{address.version}" if address.version else "")
    with _clear_errors(address, file):
        return kagglehub.model_download(handle, file)


def upload(address, folder, files):
    """Uploads files; see `clients.upload`."""
    others = [
        glob.escape(path.name) + ("/" if path.is_dir() else "")
        for path in folder.iterdir()
        if path.name not in files
    ]
    with _clear_errors(address):
        kagglehub.model_upload(
            address.handle,
            str(folder),
            version_notes="A preset of keras_sagan",
            ignore_patterns=others or None,
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
    except requests.HTTPError as error:
        status = getattr(error.response, "status_code", None)
        if status == requests.codes.not_found:
            raise FileNotFoundError(
                f"Kaggle has no {file or 'model'} at {name}."
            ) from error
        if status in _REFUSED:
            raise PermissionError(
                f"Kaggle refuses access to {name}: accept its terms on its page, and "
                "log in with `kagglehub.login()`, or set KAGGLE_API_TOKEN."
            ) from error
        raise OSError(f"Kaggle failed for {name}: {error}") from error
    except requests.ConnectionError as error:
        raise ConnectionError(
            f"Kaggle cannot be reached for {name}: {error}. No network is needed if "
            "the address names a version that is in the cache."
        ) from error
    except (
        exceptions.BackendError,
        exceptions.CredentialError,
        exceptions.DataCorruptionError,
        exceptions.NotFoundError,
        exceptions.UnauthenticatedError,
    ) as error:
        raise OSError(f"Kaggle failed for {name}: {error}") from error
