"""Put into a submitted notebook what a worker found out about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from nbjudge.trial import Trial


class Replaced(Exception):
    """A submission is no longer the one that was worked on."""


class TakeTrial(NbGraderPreprocessor):
    """Takes the place of ``JudgeCells`` where the notebooks were tried by a worker.

    ``trials`` are those of one submission, by the notebook's name. Raises ``Replaced`` where the
    notebook has other cells than the one that was tried.
    """

    trials: Mapping[str, Trial] = {}

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Leave the cells' outputs in the notebook, and how it was judged in ``resources``."""
        trial = self.trials[resources["nbgrader"]["notebook"]]
        tried = trial.notebook
        if _texts(nb) != _texts(tried):
            raise Replaced
        for cell, other in zip(nb.cells, tried.cells, strict=True):
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = other.outputs, other.execution_count
        nb.metadata["nbjudge"] = tried.metadata["nbjudge"]
        resources["nbjudge"] |= {"run": trial.run, "scores": trial.scores}
        return nb, resources


def _texts(nb: NotebookNode) -> list[tuple[str, str]]:
    return [(cell.cell_type, cell.source) for cell in nb.cells]
