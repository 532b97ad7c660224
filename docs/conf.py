"""How Sphinx builds the documentation site; `scripts/docs` calls it."""

import pathlib
import shutil
import sys

from pygments.lexers.special import TextLexer
from sphinx.highlighting import lexers

import keras_sagan

DOCS = pathlib.Path(__file__).parent
sys.path.insert(0, str(DOCS / "_extensions"))

project = "keras_sagan"
author = "The keras_sagan developers"
project_copyright = "The keras_sagan developers. Licence: Apache-2.0"
version = release = keras_sagan.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx-mathjax-offline",  # formulas without a content delivery network
    "markdown_docstrings",
    "package_facts",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]

# === Markdown ===
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header"]  # CHANGELOG.md is included below a page's title

lexers["textproto"] = TextLexer()  # Pygments does not know it

# === Notebooks ===
nb_execution_mode = "cache"
nb_execution_cache_path = str(DOCS / "_build" / "notebooks")
nb_execution_raise_on_error = True
nb_execution_timeout = 600  # seconds a cell
nb_merge_streams = True
nb_output_stderr = "remove"  # TensorFlow's log

# === API reference ===
autosummary_generate = True
shutil.rmtree(DOCS / "reference" / "api" / "generated", ignore_errors=True)  # of before
autodoc_inherit_docstrings = False
autodoc_typehints = "none"  # docstrings say shapes and units as well
autodoc_member_order = "bysource"
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_custom_sections = [("Call arguments", "params_style")]
add_module_names = False
python_maximum_signature_line_length = 68
nitpicky = True
nitpick_ignore_regex = [
    # Other projects' objects: their inventories would have to be downloaded.
    ("py:.*", r"(?!keras_sagan).*"),
    ("py:class", r"keras_sagan\.data\.source\.Examples"),  # not public
]

# === Pages ===
html_theme = "pydata_sphinx_theme"
html_title = "keras_sagan"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_context = {"default_mode": "auto"}  # light or dark, as the device is set
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "keras_sagan"},
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": [],
}


# === The page of the shipped model ===
def write_glyphs(app, error):
    """Writes the page that `how-to/share-a-page` shows."""
    if error is None and app.builder.name == "html":
        from keras_sagan.export import export_web
        from keras_sagan.export.loading import ExportedModel

        folder = pathlib.Path(app.outdir, "glyphs")
        shutil.rmtree(folder, ignore_errors=True)
        export_web(ExportedModel(DOCS.parent / "saved_models" / "glyphs" / "1"), folder)


def setup(app):
    """Adds what Sphinx calls."""
    app.connect("build-finished", write_glyphs)
