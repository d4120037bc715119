"""Builds the documentation site: `make docs`.

Pages that would go out of date are generated from the code before Sphinx reads them; see
`generate`. Every warning is an error.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import version as version_of
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util import logging

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
# The examples of checks build small models; what TensorFlow logs meanwhile is no warning of a page.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from generate import write_pages  # noqa: E402
from generate.links import broken_links  # noqa: E402

project = "Introduction to deep learning"
author = "The contributors"
project_copyright = "2026, the contributors. Code: Apache-2.0. Text and pictures: CC BY 4.0"
release = version = version_of("dlcourse")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosectionlabel",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["_build"]
nitpicky = True
nitpick_ignore_regex = [
    # What other packages document, and what ours do not promise to keep.
    ("py:.*", r"(?!nbjudge|nbcertify|dlcourse).*"),
    ("py:.*", r"nbjudge\.(admit|assignment|record)\..*"),
]
# In docstrings, `name` is code.
default_role = "literal"

# The released notebooks are shown, never run: a student's answers are missing in them.
nb_execution_mode = "off"
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "attrs_inline"]
myst_heading_anchors = 4
autosectionlabel_prefix_document = True
autosectionlabel_maxdepth = 2

html_theme = "furo"
pygments_dark_style = "github-dark"
html_title = "Introduction to deep learning"
# Reports that are pages already.
html_extra_path = ["reports"]
html_theme_options = {"navigation_with_keys": True}
# The prompt and the output of a command are not copied with it.
copybutton_prompt_text = r"\$ "
copybutton_prompt_is_regexp = True


def setup(app: Sphinx) -> None:
    """Generate the pages that come from the code, and check the links of the site."""
    app.connect("builder-inited", lambda app: write_pages(HERE))
    app.connect("build-finished", _check_links)


def _check_links(app: Sphinx, failed: Exception | None) -> None:
    if failed is None and app.builder.format == "html":
        for link in broken_links(Path(app.outdir)):
            logging.getLogger(__name__).warning("the link leads nowhere: %s", link)
