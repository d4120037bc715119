"""The one place where a released notebook is made the same on every machine."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

_KEPT_NOTEBOOK_METADATA = ("kernelspec", "language_info")
_KEPT_LANGUAGE_INFO = ("name", "file_extension", "mimetype", "pygments_lexer")
_DROPPED_CELL_METADATA = ("execution", "ExecuteTime", "scrolled", "collapsed", "vscode", "trusted")


class Normalise(NbGraderPreprocessor):
    """Drop what an editor or a run left in the metadata: timings, versions, widget states.

    What nbgrader itself writes is reproducible but for AUTOTEST's salts and for cell ids that
    the source lacks; ``nbjudge.release.release`` refuses both.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Keep the kernel's name and language, and the cells' own metadata."""
        for key in set(nb.metadata) - set(_KEPT_NOTEBOOK_METADATA):
            del nb.metadata[key]
        language = nb.metadata.get("language_info", {})
        for key in set(language) - set(_KEPT_LANGUAGE_INFO):
            del language[key]
        for cell in nb.cells:
            for key in _DROPPED_CELL_METADATA:
                cell.metadata.pop(key, None)
        return nb, resources
