"""Kaggle's models, through `kagglehub`."""

import contextlib
import glob

import kagglehub
import requests
from kagglehub import exceptions

_REFUSED = (401, 403)


def fetch(address, file, largest=None):
    """The path of a file in the cache; see `clients.fetch`.

    Kaggle does not say how large a file is before it is fetched.
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
    """Scope whose errors say what of `address` was not to be had, and what to do."""
    name = repr(str(address))
    try:
        yield
    except requests.HTTPError as error:
        status = getattr(error.response, "status_code", None)
        if status == requests.codes.not_found:
            raise FileNotFoundError(
                f"There is no {file or 'such model'} of {name} at Kaggle."
            ) from error
        if status in _REFUSED:
            raise PermissionError(
                f"Kaggle does not let you in to {name}: accept its terms on its page, "
                "and log in with `kagglehub.login()`, or set KAGGLE_API_TOKEN."
            ) from error
        raise OSError(f"Kaggle could not do it for {name}: {error}") from error
    except requests.ConnectionError as error:
        raise ConnectionError(
            f"Kaggle cannot be reached for {name}: {error}. A version that is named, "
            "and in the cache, needs no network."
        ) from error
    except (
        exceptions.BackendError,
        exceptions.CredentialError,
        exceptions.DataCorruptionError,
        exceptions.NotFoundError,
        exceptions.UnauthenticatedError,
    ) as error:
        raise OSError(f"Kaggle could not do it for {name}: {error}") from error
