"""Docstrings in Markdown for Sphinx's autodoc, which reads reStructuredText.

The docstrings of the package follow Google's style with Markdown inside, as those of
Keras do: `code`, links, tables, and sections that begin on the line of their name.
"""

import functools
import inspect
import re
import textwrap

from sphinx.util.inspect import stringify_signature

import keras_sagan

_CODE = re.compile(r"(?<![`:])`([^`]+)`(?!`)(\w?)")
_LINK = re.compile(r"\[([^\]]+)\]\((https?://[^)\s]+)\)")
_FIELD = re.compile(r"^(Returns|Yields):[ \n]\s*", re.MULTILINE)
_INLINE = re.compile(r"^(Raises|Call arguments|References?): +(?=\S)", re.MULTILINE)
_EXAMPLE = re.compile(r"^Examples?:\n((?: +.*\n|\n)+)", re.MULTILINE)
_TABLE = re.compile(r"(?:^\|.*\|\n)+", re.MULTILINE)


def convert(text):
    """Markdown of a docstring as reStructuredText that napoleon can read."""
    text = _EXAMPLE.sub(_example, text)
    text = _TABLE.sub(_table, text)
    text = _FIELD.sub(_field, text)
    text = _INLINE.sub(r"\1:\n    ", text)
    text = re.sub(r"^References?:$", "References:", text, flags=re.MULTILINE)
    text = _CODE.sub(_code, text)
    return _LINK.sub(_link, text)


def _example(match):
    code = textwrap.dedent(match[1]).strip("\n")
    block = textwrap.indent(code, "    ")
    return f".. rubric:: Example\n\n.. code-block:: python\n\n{block}\n\n"


def _table(match):
    header, _, *rows = [line[1:-1].split("|") for line in match[0].splitlines()]
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in (header, *rows):
        first, *others = [cell.strip() for cell in row]
        lines += [f"   * - {first}", *(f"     - {cell}" for cell in others)]
    return "\n".join(lines) + "\n"


def _field(match):
    return f":{match[1].lower()}: "


def _link(match):
    return f"`{' '.join(match[1].split())} <{match[2]}>`__"


def _code(match):
    code, after = " ".join(match[1].split()), match[2]
    name = _public_names().get(code)
    marked = f"``{code}``" if name is None else f":py:obj:`{code} <{name}>`"
    return f"{marked}\\ {after}" if after else marked


@functools.cache
def _public_names():
    """Where the name of a class is documented: `SAGAN` -> `keras_sagan.SAGAN`."""
    names = {}
    for part in keras_sagan.__all__:
        package = getattr(keras_sagan, part)
        for name in getattr(package, "__all__", ()):
            if inspect.isclass(getattr(package, name)):
                names[name] = f"keras_sagan.{part}.{name}"
    return {**names, "SAGAN": "keras_sagan.SAGAN"}


def _process(app, what, name, thing, options, lines):
    lines[:] = convert("\n".join(lines) + "\n").splitlines()


def _sign(app, what, name, thing, options, signature, annotation):
    """The arguments of a class whose `__new__`, as that of Keras, takes anything."""
    if what != "class" or signature != "(*args, **kwargs)":
        return None
    whole = inspect.signature(thing.__init__)
    arguments = list(whole.parameters.values())[1:]
    signature = whole.replace(parameters=arguments)
    return stringify_signature(signature, show_annotation=False), annotation


def _skip(app, what, name, thing, skip, options):
    """Whether a member is left out: those that Keras and Python define are."""
    home = getattr(getattr(thing, "fget", thing), "__module__", None)
    if home is None:
        return True if callable(thing) else None  # a method of Python's own types
    return None if home.startswith("keras_sagan") else True


def setup(app):
    """Converts docstrings before napoleon reads them."""
    app.connect("autodoc-skip-member", _skip)
    app.connect("autodoc-process-signature", _sign)
    app.connect("autodoc-process-docstring", _process, priority=400)
    return {"parallel_read_safe": True}
