"""A course: a folder with an nbgrader_config.py, and what nbgrader makes of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from nbjudge.configure import default_db_url
from nbjudge.course.options import execute_seconds, option_problems
from nbjudge.course.settings import Grading
from nbjudge.errors import CourseError

# nbgrader is imported where it is used: workers and the warm server never do.
if TYPE_CHECKING:
    from nbgrader.api import Gradebook
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory

CONFIG_FILE = "nbgrader_config.py"
_STRUCTURE = "{nbgrader_step}/{student_id}/{assignment_id}"


@dataclass(frozen=True)
class Course:
    """A course folder and its configuration; the paths follow nbgrader's default structure."""

    root: Path
    config: Config

    @property
    def source(self) -> Path:
        """Where instructors write: ``source/ASSIGNMENT/*.ipynb``."""
        return self._folder("source_directory")

    @property
    def release(self) -> Path:
        """The student versions: ``release/ASSIGNMENT/*.ipynb``."""
        return self._folder("release_directory")

    @property
    def submitted(self) -> Path:
        """What students handed in: ``submitted/STUDENT/ASSIGNMENT/*``."""
        return self._folder("submitted_directory")

    @property
    def autograded(self) -> Path:
        """The notebooks as graded: ``autograded/STUDENT/ASSIGNMENT/*``."""
        return self._folder("autograded_directory")

    @property
    def feedback(self) -> Path:
        """What students get back: ``feedback/STUDENT/ASSIGNMENT/*.html``."""
        return self._folder("feedback_directory")

    @property
    def gradebook_folder(self) -> Path:
        """The gradebook's database and the record beside each grade."""
        return self.root / "gradebook"

    @property
    def db_url(self) -> str:
        """The URL of nbgrader's database."""
        url: str = self.config.CourseDirectory.db_url
        return url

    @property
    def settings(self) -> Grading:
        """The settings under ``c.Grading``, without the rest, which may hold a password."""
        settings = Grading(config=Config({"Grading": self.config.Grading}))
        seconds = execute_seconds(self.config)
        if seconds is not None and "cell_seconds" not in self.config.Grading:
            settings.cell_seconds = seconds
        return settings

    def assignments(self) -> list[str]:
        """The names of the assignments under ``source/``, in teaching order, then by name."""
        if not self.source.is_dir():
            return []
        folders = [folder for folder in self.source.iterdir() if folder.is_dir()]
        return self.in_teaching_order(f.name for f in folders if not f.name.startswith("."))

    def in_teaching_order(self, assignments: Iterable[str]) -> list[str]:
        """These names as ``c.Grading.teaching_order`` has them; others after them, by name."""
        place = {name: number for number, name in enumerate(self.settings.teaching_order)}
        return sorted(assignments, key=lambda name: (place.get(name, len(place)), name))

    def coursedir(self, **traits: str) -> CourseDirectory:
        """Nbgrader's own view of the folders, e.g. ``coursedir(assignment_id="ps1")``."""
        from nbgrader.coursedir import CourseDirectory

        return CourseDirectory(config=self.config, **traits)

    def api(self) -> NbGraderAPI:
        """Nbgrader's high-level interface to this course."""
        from nbgrader.apps.api import NbGraderAPI

        self._make_database()
        return NbGraderAPI(config=self.config)

    @contextmanager
    def gradebook(self) -> Iterator[Gradebook]:
        """Nbgrader's gradebook, opened for a ``with`` block and made if it is not there."""
        from nbgrader.api import Gradebook

        self._make_database()
        with Gradebook(self.db_url, self.coursedir().course_id) as gradebook:
            yield gradebook

    def _folder(self, trait: str) -> Path:
        named: str = self.config.CourseDirectory.get(trait, trait.removesuffix("_directory"))
        return self.root / named

    def _make_database(self) -> None:
        from nbjudge.course.database import make_database

        self.gradebook_folder.mkdir(parents=True, exist_ok=True)
        # Half of nbgrader opens the database under its default course name, the other under
        # the configured one: both rows are made here, before workers could race.
        make_database(self.db_url, {"default_course", self.coursedir().course_id})


def load_course(root: Path | str) -> Course:
    """Load the course in the folder ``root``.

    Raises ``CourseError`` when there is no nbgrader_config.py, or when it cannot be run.
    """
    root = Path(root).resolve()
    if any(letter in str(root) for letter in "*?["):
        raise CourseError(
            f"nbgrader takes {root} for a pattern. Move the course to a folder whose path has no "
            "*, ? or [."
        )
    file = root / CONFIG_FILE
    if not file.is_file():
        raise CourseError(
            f"{root} is not a course: it has no {CONFIG_FILE}. "
            "Give the folder that holds it, or run the command there."
        )
    try:
        config = PyFileConfigLoader(CONFIG_FILE, path=str(root)).load_config()
    except Exception as error:
        raise CourseError(f"{file} cannot be loaded: {type(error).__name__}: {error}") from error
    if problems := option_problems(config):
        raise CourseError(f"{file}: " + f"\n{file}: ".join(problems))
    config.CourseDirectory.root = str(root)
    if "db_url" not in config.CourseDirectory:
        config.CourseDirectory.db_url = default_db_url(root)
    return Course(root, config)


def course_of(config: Config) -> Course:
    """The course that one of nbgrader's own commands works in, from its configuration."""
    return Course(Path(config.CourseDirectory.root), config)
