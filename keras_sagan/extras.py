"""Reports missing optional packages, with the command that installs them.

They are the extras of this package, in `[options.extras_require]` of `setup.cfg`.
"""

import importlib.metadata
import re
import shlex

_REQUIREMENT = re.compile(r"""(?P<what>[^;]+?)\s*;.*extra == ['"](?P<extra>[\w-]+)""")


class MissingExtraError(ImportError):
    """Raised if a feature needs packages that are not installed.

    Args:
        what: str. Name of the feature, as the beginning of a sentence.
        extra: str. The extra that lists the packages.
    """

    def __init__(self, what, extra):
        self.extra = extra
        super().__init__(f"{what} needs more packages: {install_command(extra)}")


def install_command(extra):
    """Returns the command that installs the packages of an extra.

    The command names the packages themselves, so that it works before this package has
    been released, and wherever it was installed from.

    Args:
        extra: str.

    Returns: str, e.g. `"pip install 'aiohttp>=3.12'"`.
    """
    try:
        requirements = importlib.metadata.requires("keras-sagan") or ()
    except importlib.metadata.PackageNotFoundError:
        requirements = ()
    matches = [_REQUIREMENT.match(x) for x in requirements]
    packages = [x["what"] for x in matches if x and x["extra"] == extra]
    if not packages:  # not installed, or an older version without this extra
        return f"pip install '.[{extra}]' in a clone of the repository of keras_sagan"
    return f"pip install {' '.join(map(shlex.quote, packages))}"
