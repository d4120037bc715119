"""What an instructor may set for nbjudge: ``c.Grading.xxx`` in nbgrader_config.py."""

from __future__ import annotations

import os

from traitlets import Dict, Float, Integer, List, Unicode
from traitlets.config import Configurable


class Grading(Configurable):
    """How submissions are run, and what a released notebook may do."""

    jobs = Integer(0, min=0, help="Submissions graded at once; 0: one for each core.").tag(
        config=True
    )

    cell_seconds = Integer(120, min=1, help="How long a cell may run, in seconds.").tag(config=True)

    cell_seconds_for = Dict(
        value_trait=Integer(min=1),
        key_trait=Unicode(),
        help="How long a cell of one assignment may run: {assignment: seconds}.",
    ).tag(config=True)

    interrupt_seconds = Float(
        15.0, min=1, help="How long an interrupted cell may take to stop, in seconds."
    ).tag(config=True)

    kernel_environment = Dict(
        value_trait=Unicode(),
        key_trait=Unicode(),
        help="Environment variables of the kernels that run students' notebooks.",
    ).tag(config=True)

    expected_release_errors = List(
        Unicode(),
        ["NotImplementedError"],
        help="Exceptions that an unanswered task of a released notebook may raise.",
    ).tag(config=True)

    max_notebook_megabytes = Integer(
        20, min=1, help="A submitted notebook larger than this is not graded."
    ).tag(config=True)

    max_output_megabytes = Integer(
        10, min=1, help="What a cell prints beyond this is dropped."
    ).tag(config=True)

    def seconds_for(self, assignment: str) -> int:
        """How long a cell of ``assignment`` may run, in seconds."""
        return self.cell_seconds_for.get(assignment, self.cell_seconds)

    def worker_count(self) -> int:
        """How many submissions are graded at once."""
        return self.jobs or os.cpu_count() or 1
