"""Settings of the documentation. `make docs` builds it with Sphinx, from docs/ and the installed package."""

from __future__ import annotations

from importlib.metadata import version as version_of

from docutils import nodes
from sphinx.application import Sphinx

project = "efficientscn-trt"
copyright = "the authors of efficientscn-trt"
release = version = version_of(project)

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click"]
myst_heading_anchors = 3
default_role = "code"  # as in the docstrings, where code is between single backticks
smartquotes = False  # they would turn the "--" of an option into a dash

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_class_signature = "separated"
napoleon_use_ivar = True

# A reference to a name of this package must lead somewhere. Other packages are not looked up, because their
# indexes are on the network.
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!efficientscn_trt\.).*")]

html_theme = "furo"
html_title = f"efficientscn-trt {release}"


def setup(app: Sphinx) -> None:
    """Connect what the settings cannot say."""
    app.connect("sphinx-click-process-description", _mark_examples)
    app.connect("doctree-resolved", _set_dashes)


def _mark_examples(app: Sphinx, command: object, lines: list[str]) -> None:
    """Write the indented lines of a command's `--help`, its examples, as code."""
    for index, line in enumerate(lines):
        indented = line.removeprefix("|     ")
        if indented != line:
            lines[index] = f"| ``{indented.strip()}``"


def _set_dashes(app: Sphinx, doctree: nodes.document, name: str) -> None:
    """Set a dash between a parameter and its description, which smart quotes would have done."""
    for text in list(doctree.findall(nodes.Text)):
        if text == " -- ":
            text.parent.replace(text, nodes.Text(" – "))
