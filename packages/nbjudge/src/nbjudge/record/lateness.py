"""Due dates and rules for late work, applied to grades that are there: nothing is run."""

from __future__ import annotations

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import AssignLatePenalties
from traitlets.config import Config

from nbjudge.record.marks import drop_void_extension


def apply_lateness(gradebook: Gradebook, config: Config, assignment: str, student: str) -> None:
    """Set the penalties of a submission as nbgrader would if it were graded now.

    They follow from its time, the due date, the extension, the points that it has by now, and the
    plugin that ``config`` names. Nothing happens to a submission that is not in the gradebook.
    """
    try:
        submission = gradebook.find_submission(assignment, student)
    except MissingEntry:
        return
    drop_void_extension(gradebook, assignment, student)
    nbgraders = AssignLatePenalties(config=config)
    nbgraders.init_plugin()
    late = submission.total_seconds_late
    for notebook in submission.notebooks:
        penalty = None
        if late > 0:
            penalty = nbgraders.plugin_inst.late_submission_penalty(student, notebook.score, late)
        if penalty is not None:
            penalty = nbgraders._check_late_penalty(notebook, penalty)
        notebook.late_submission_penalty = penalty
    gradebook.db.commit()
