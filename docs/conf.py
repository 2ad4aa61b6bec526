"""How Sphinx builds the site: `make docs`, without network; every warning is an error there."""

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from docs.generate.markers import complaints, expand  # noqa: E402
from docs.generate.shell_lines import broken_commands  # noqa: E402

from peftide.version import __version__  # noqa: E402

project = "peftide"
author = "The peftide authors"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["generate/**"]
nitpicky = False  # numpydoc writes types as people do
keep_warnings = False
show_warning_types = True

myst_heading_anchors = 4
myst_links_external_new_tab = False
myst_enable_extensions = ["attrs_block", "colon_fence"]
napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 80
highlight_language = "text"
smartquotes = False  # it would turn `--out` into a dash

html_theme = "pydata_sphinx_theme"
html_title = "peftide"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_sidebars = {"index": []}
html_theme_options: dict[str, Any] = {
    "logo": {"text": "peftide"},
    "navigation_with_keys": False,
    "show_prev_next": True,
    "show_toc_level": 2,
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
copyright = "The peftide authors. Apache-2.0"

used: set[str] = set()


def expand_markers(app: Any, page: str, source: list[str]) -> None:
    """Replace the markers of one page by the text that they stand for."""
    text, names = expand(source[0], page)
    source[0] = broken_commands(text)
    used.update(names)


def nothing_is_left_out(app: Any, environment: Any) -> None:
    """Warn of each command and each record that no page shows."""
    from sphinx.util.logging import getLogger

    for missing in complaints(used):
        getLogger("peftide.docs").warning(missing)


def setup(app: Any) -> None:
    """Connect both steps; every build reads all pages, because generated text has no date."""
    app.connect("builder-inited", lambda app: used.clear())
    app.connect("env-get-outdated", lambda app, env, added, changed, removed: env.found_docs)
    app.connect("source-read", expand_markers)
    app.connect("env-check-consistency", nothing_is_left_out)
