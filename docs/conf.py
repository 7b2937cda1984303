"""Configuration of the documentation; the site builds without a network."""

from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx

from stratagem._version import __version__

project = "Stratagem"
author = "The Stratagem authors"
project_copyright = "2026, the Stratagem authors"
release = version = __version__

extensions = ["myst_parser"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"Stratagem {release}"
html_theme_options = {"navigation_with_keys": True}
html_math_renderer = "mathml"
html_show_sphinx = False
html_copy_source = False
highlight_language = "text"
pygments_style = "friendly"
pygments_dark_style = "monokai"


def inline_formula(translator: Any, node: nodes.math) -> None:
    """Write a formula as MathML, which browsers show without a script or a network."""
    translator.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def block_formula(translator: Any, node: nodes.math_block) -> None:
    """Write a displayed formula as MathML."""
    translator.body.append(tex2mathml(node.astext(), as_block=True))
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Make MathML the way formulas are written."""
    app.add_html_math_renderer("mathml", (inline_formula, None), (block_formula, None))
