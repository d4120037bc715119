"""One call in nbgrader_config.py that makes stock nbgrader grade fairly.

    from nbjudge.configure import configure
    configure(c)

Everything goes through nbgrader's own configuration, so `nbgrader autograde`, the
formgrader's button and `nbjudge.grading` all behave the same.
"""

from __future__ import annotations

import inspect
from pathlib import Path

from traitlets.config import Config

# Names, not classes: nbgrader takes seconds to import, and only grading needs it. nbgrader's
# CheckCellMetadata is not among those for submissions: RestoreCells has written all of it.
SANITIZE = [
    "nbgrader.preprocessors.ClearOutput",
    "nbjudge.extensions.preprocessors.restore_cells.RestoreCells",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
]
AUTOGRADE = [
    "nbjudge.extensions.preprocessors.judge_cells.JudgeCells",
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "nbjudge.extensions.preprocessors.save_grades.SaveGrades",
    "nbjudge.extensions.preprocessors.leave_undecided.LeaveUndecided",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbjudge.extensions.preprocessors.write_record.WriteRecord",
]
FEEDBACK = [
    "nbgrader.preprocessors.GetGrades",
    "nbjudge.extensions.preprocessors.hide_tests.HideTests",
    "nbjudge.extensions.preprocessors.show_notes.ShowNotes",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
RELEASE = [
    "nbgrader.preprocessors.IncludeHeaderFooter",
    "nbgrader.preprocessors.InstantiateTests",
    "nbgrader.preprocessors.LockCells",
    "nbgrader.preprocessors.ClearSolutions",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.CheckCellMetadata",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.SaveCells",
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbgrader.preprocessors.ClearMarkScheme",
    "nbjudge.extensions.preprocessors.clear_answers.ClearAnswers",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbjudge.extensions.preprocessors.normalise.Normalise",
    "nbgrader.preprocessors.CheckCellMetadata",
]


# How the files are named in the archive that a learning platform gives for an assignment; for
# `nbgrader zip_collect`. Of a name's parts, the student's number in the platform is the id, and in
# Moodle, where that number is another one for each assignment, the full name.
PLATFORMS = {
    # doejane_LATE_12345_678910_convnet.ipynb
    "canvas": r".*/[^/_]+_(?:LATE_)?(?P<student_id>\d+)_\d+_(?P<file_id>[^/]+)\.\w+$",
    # 12345-67890 - Jane Doe - Nov 3, 2026 435 PM/convnet.ipynb, or in one name
    "brightspace": r".*/(?P<student_id>\d+)-\d+ - [^/]+? - \w{3,9} \d{1,2}, \d{4} \d{3,4} [AP]M"
    r"(?: - |/)(?:[^/]+/)*(?P<file_id>[^/]+)\.\w+$",
    # Jane Doe_12345_assignsubmission_file_/convnet.ipynb, or in one name
    "moodle": r".*/(?P<student_id>[^/]+?)_\d+_assignsubmission_file_?/?(?:[^/]+/)*"
    r"(?P<file_id>[^/]+)\.\w+$",
}
_COLLECTED = [".ipynb", ".txt", ".json", ".py", ".csv", ".npy", ".npz", ".png", ".jpg"]


def configure(c: Config, root: Path | str | None = None, platform: str = "") -> None:
    """Set up nbgrader's configuration ``c`` for the course in ``root``.

    With a ``platform`` of ``PLATFORMS``, `nbgrader zip_collect` understands its archives.
    ``root`` is by default the folder of the configuration file that calls this, so that
    commands find the same gradebook wherever they are started. What the file sets after
    this call wins.
    """
    if platform:
        c.FileNameCollectorPlugin.named_regexp = PLATFORMS[platform]
        c.FileNameCollectorPlugin.valid_ext = list(_COLLECTED)
    root = Path(root if root is not None else _callers_folder()).resolve()
    c.CourseDirectory.root = str(root)
    if "db_url" not in c.CourseDirectory:
        c.CourseDirectory.db_url = default_db_url(root)
        # Stock commands make the database, but not the folder that it is in.
        (root / "gradebook").mkdir(exist_ok=True)
    # Answers, right and wrong, that the tests are tried on: not for students.
    c.CourseDirectory.ignore.append("vet.toml")
    c.GenerateAssignment.preprocessors = list(RELEASE)
    c.Autograde.exporter_class = "nbjudge.extensions.exporter.SubmissionExporter"
    c.Autograde.sanitize_preprocessors = list(SANITIZE)
    c.Autograde.autograde_preprocessors = list(AUTOGRADE)
    c.GenerateFeedback.preprocessors = list(FEEDBACK)
    c.GenerateFeedback.exporter_class = "nbjudge.extensions.feedback.FeedbackExporter"
    # By default nbgrader keeps a page unless the work was handed in again: points that a person
    # gave, or a test that was fixed, would not show.
    c.GenerateFeedback.force = True
    # What a student's cell shows is looked at in the instructor's browser.
    c.HTMLExporter.sanitize_html = True
    # nbgrader's templates leave that out for text cells; nbconvert's own takes tables apart.
    c.HTMLExporter.filters = {
        "markdown2html": "nbjudge.extensions.safe_html.markdown2html",
        "clean_html": "nbjudge.extensions.safe_html.clean_html",
    }


def default_db_url(root: Path) -> str:
    """The gradebook's URL; a writer waits up to a minute for another to finish.

    A course that was graded by stock nbgrader goes on with the gradebook that it has.
    """
    ours, stock = root / "gradebook" / "gradebook.db", root / "gradebook.db"
    found = stock if stock.is_file() and not ours.is_file() else ours
    return f"sqlite:///{found}?timeout=60"


def _callers_folder() -> Path:
    # traitlets runs a configuration file with its path as __file__.
    caller = inspect.stack()[2].frame.f_globals.get("__file__")
    return Path(caller).parent if caller else Path.cwd()
