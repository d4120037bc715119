"""Making the student version of an assignment, and proving that it is what it should be."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import MissingEntry
from nbgrader.converters import GenerateAssignment
from nbgrader.preprocessors import ClearSolutions
from traitlets.config import Config

from nbjudge.assignment.by_hand import FILE
from nbjudge.assignment.leaks import find_hidden_files, find_leaks
from nbjudge.course import Course
from nbjudge.digests import is_ignored
from nbjudge.errors import CourseError, ReleaseError, SourceError
from nbjudge.extensions.converters import KeepsFailure
from nbjudge.files import read_files, replace_folder
from nbjudge.release.source_check import check_source

# Of a folder below source/; blanks, brackets and the like are all right.
_NOT_IN_NAMES = frozenset("+*?[")


@dataclass(frozen=True)
class ReleaseReport:
    """What a release wrote: file names relative to ``folder``, points in all, graded cells."""

    assignment: str
    folder: Path
    files: tuple[str, ...]
    points: float
    graded_cells: int
    changed: bool


def release(course: Course, assignment: str) -> ReleaseReport:
    """Write ``release/ASSIGNMENT`` and enter the assignment into the gradebook.

    The source is checked first, the new files are proved before they take the old ones'
    place, and grades that are in the gradebook stay. Raises ``SourceError`` with all the
    source's problems, or ``ReleaseError``; then the old release is as it was.
    """
    files = expected_release(course, assignment)
    target = course.release / assignment
    changed = not target.is_dir() or read_files(target) != files
    course.release.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=course.release, prefix=f".{assignment}.") as folder:
        generate(course, assignment, Path(folder), database=True)
        if changed:
            replace_folder(Path(folder, assignment), target)
    with course.gradebook() as gradebook:
        graded = [
            cell
            for notebook in gradebook.find_assignment(assignment).notebooks
            for cell in [*notebook.grade_cells, *notebook.task_cells]
        ]
        points = float(sum(cell.max_score for cell in graded))
    return ReleaseReport(assignment, target, tuple(files), points, len(graded), changed)


def expected_release(course: Course, assignment: str) -> dict[str, bytes]:
    """The files that ``release/ASSIGNMENT`` should hold: relative names and bytes, all proved.

    Touches neither the gradebook nor ``release/``. Raises as ``release`` does.
    """
    check_assignment(course, assignment)
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        generate(course, assignment, Path(first), database=False)
        generate(course, assignment, Path(second), database=False)
        files = read_files(Path(first, assignment))
        again = read_files(Path(second, assignment))
    _prove_reproducible(assignment, files, again)
    sources = {
        path.name: _plain(path.read_bytes()) for path in source_notebooks(course, assignment)
    }
    notebooks = {name: _plain(data) for name, data in files.items() if name.endswith(".ipynb")}
    _prove_cells(assignment, sources, notebooks)
    others = {name: data for name, data in files.items() if name not in notebooks}
    if answers := [name for name in others if Path(name).name == FILE]:
        raise ReleaseError(
            f"release/{assignment} would hold {', '.join(answers)}, which has answers. Put "
            f"{FILE!r} into c.CourseDirectory.ignore."
        )
    leaks = find_leaks(sources.values(), notebooks, others, _stubs(course))
    if leaks:
        shown = "\n".join(f"  {leak}" for leak in leaks[:20])
        raise ReleaseError(
            f"release/{assignment} would show parts of solutions or hidden tests:\n{shown}\n"
            "Take these lines out of the source's other cells, metadata or files."
        )
    public = [data.decode("utf-8", errors="replace") for data in others.values()]
    names = [name for name in others if not is_ignored(name, course.settings.files_for_students)]
    if hidden := find_hidden_files(sources.values(), names, public):
        shown = "\n".join(f"  {file}" for file in hidden[:20])
        raise ReleaseError(
            f"release/{assignment} would hold files that students may not be meant to have:\n"
            f"{shown}\nIf they are for students, name them in a task, or list them in "
            "c.Grading.files_for_students. If not, take them out of the folder, or name them in "
            "c.CourseDirectory.ignore; what only tests read belongs to c.Grading.data."
        )
    return files


def check_assignment(course: Course, assignment: str) -> None:
    """Raise ``SourceError`` with every problem of an assignment's source notebooks."""
    if found := sorted(_NOT_IN_NAMES.intersection(assignment)):
        raise CourseError(
            f"The assignment {assignment!r} cannot have {' '.join(found)} in its name: nbgrader "
            f"takes that for a pattern, or keeps it for itself. Rename {course.source / assignment}"
            ", to letters, digits, blanks, - and _, say."
        )
    problems = [
        problem for path in source_notebooks(course, assignment) for problem in check_source(path)
    ]
    if problems:
        raise SourceError(problems)


def source_notebooks(course: Course, assignment: str) -> list[Path]:
    """The source notebooks of an assignment, sorted; ``CourseError`` if there are none."""
    found = sorted((course.source / assignment).glob("*.ipynb"))
    if not assignment or not found:
        known = ", ".join(course.assignments()) or "none"
        raise CourseError(
            f"{course.source / assignment} holds no notebook. The assignments under "
            f"{course.source} are: {known}."
        )
    return found


def generate(course: Course, assignment: str, folder: Path, *, database: bool) -> None:
    """Let nbgrader write ``folder/assignment``; without a database, nothing else is touched.

    Raises ``ReleaseError`` with nbgrader's own words.
    """
    extra = Config() if database else Config({"SaveCells": {"enabled": False}})
    config = Config(course.config)
    config.merge(extra)
    if database:
        with course.gradebook():
            pass
    converter = _GenerateAssignment(
        coursedir=course.coursedir(assignment_id=assignment, release_directory=str(folder)),
        config=config,
        no_database=not database,
        force=True,
    )
    try:
        converter.start()
    except Exception as error:
        cause = converter.failure or error
        what = f"{type(cause).__name__}: {cause}{_hint(cause)}"
        raise ReleaseError(f"nbgrader could not generate {assignment}: {what}") from cause


class _GenerateAssignment(KeepsFailure, GenerateAssignment):
    """Nbgrader's converter."""


def _hint(error: BaseException) -> str:
    if "submissions associated" not in str(error):
        return ""
    return (
        "\nStudents' grades hang on the cells as they were released. Put the cells back (their "
        "text, tests and points may change), or remove the submissions from the gradebook first."
    )


def _prove_reproducible(assignment: str, first: dict[str, bytes], second: dict[str, bytes]) -> None:
    differing = sorted(
        name for name in first.keys() | second.keys() if first.get(name) != second.get(name)
    )
    if differing:
        raise ReleaseError(
            f"release/{assignment}: two runs differ in {', '.join(differing)}. Look for what a "
            "preprocessor draws at random (an AUTOTEST salt, say) and fix it."
        )


def _prove_cells(
    assignment: str, sources: dict[str, dict[str, Any]], released: dict[str, dict[str, Any]]
) -> None:
    for name, source in sources.items():
        place = f"release/{assignment}/{name}"
        if name not in released:
            raise ReleaseError(f"{place}: nbgrader did not write it.")
        cells = released[name]["cells"]
        ids = [cell.get("id") for cell in cells]
        lost = [cell["id"] for cell in source["cells"] if cell.get("id") not in ids]
        if lost:
            raise ReleaseError(
                f"{place}: the cells {', '.join(lost)} lost their ids. A configured preprocessor "
                "replaces cells; let it keep 'id'."
            )
        for number, cell in enumerate(cells, start=1):
            if cell.get("outputs") or cell.get("execution_count") is not None:
                raise ReleaseError(
                    f"{place}, cell {number}: it has outputs. ClearOutput must be among "
                    "GenerateAssignment.preprocessors."
                )


def _plain(data: bytes) -> dict[str, Any]:
    """A notebook as JSON whose texts are strings, not lists of lines."""
    notebook = nbformat.reads(data.decode("utf-8"), as_version=4)
    plain: dict[str, Any] = json.loads(nbformat.writes(notebook, split_lines=False))
    return plain


def _stubs(course: Course) -> list[str]:
    clear = ClearSolutions(config=course.config)
    return [*clear.code_stub.values(), clear.text_stub]


def is_released(course: Course, assignment: str) -> bool:
    """Whether the gradebook knows the assignment's notebooks."""
    with course.gradebook() as gradebook:
        try:
            return bool(gradebook.find_assignment(assignment).notebooks)
        except MissingEntry:
            return False


def copy_release(course: Course, assignment: str, folder: Path) -> Path:
    """Copy ``release/ASSIGNMENT`` into ``folder``, as a student would get it."""
    source = course.release / assignment
    if not source.is_dir():
        raise CourseError(f"{source} is not there: release {assignment} first.")
    return Path(shutil.copytree(source, folder / assignment))
