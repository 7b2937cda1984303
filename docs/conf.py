"""Configuration of the documentation; the site builds without a network."""

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
html_show_sphinx = False
html_copy_source = False
pygments_style = "friendly"
pygments_dark_style = "monokai"
