"""Packages that only some parts need, and what to type where one is missing.

`[options.extras_require]` in `setup.cfg` says which: the extras of this package.
"""

import importlib.metadata
import re
import shlex

_REQUIREMENT = re.compile(r"""(?P<what>[^;]+?)\s*;.*extra == ['"](?P<extra>[\w-]+)""")


class MissingExtraError(ImportError):
    """What was asked for needs a package that is not installed.

    Args:
        what: str. What needs it, the beginning of a sentence.
        extra: str. The extra that names the package.
    """

    def __init__(self, what, extra):
        self.extra = extra
        super().__init__(f"{what} needs more packages: {install_command(extra)}")


def install_command(extra):
    """The command that installs what an extra of this package names.

    It names the packages themselves, so that it works before there is a release, and
    wherever this package was installed from.

    Args:
        extra: str.

    Returns: str, e.g. `"pip install 'aiohttp>=3.12'"`.
    """
    try:
        requirements = importlib.metadata.requires("keras-sagan") or ()
    except importlib.metadata.PackageNotFoundError:
        requirements = ()
    found = [_REQUIREMENT.match(x) for x in requirements]
    wanted = [x["what"] for x in found if x and x["extra"] == extra]
    if not wanted:  # this package is not installed, or was without this extra
        return f"pip install '.[{extra}]' in a clone of the repository of keras_sagan"
    return f"pip install {' '.join(map(shlex.quote, wanted))}"
