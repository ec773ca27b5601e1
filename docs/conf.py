"""Settings of the documentation. `make docs` builds it with Sphinx, from docs/ and the installed package."""

from importlib.metadata import version as version_of

project = "efficientscn-trt"
copyright = "the authors of efficientscn-trt"
release = version = version_of(project)

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click"]
myst_heading_anchors = 3
# Docstrings write code as Markdown does, between single backticks.
default_role = "code"
# Or "--" becomes a dash, in commands too.
smartquotes = False

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_class_signature = "separated"

# A reference to a name of this package must lead somewhere. Other packages are not looked up, because their
# indexes are on the network.
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!efficientscn_trt\.).*")]

html_theme = "furo"
html_title = f"efficientscn-trt {release}"
