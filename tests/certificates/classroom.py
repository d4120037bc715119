"""A small class in a course of its own: graded, attended, ready for certificates."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

from nbcertify.keys import make_key
from nbcertify.places import Places
from nbcertify.policy import read_policy
from nbgrader.api import Gradebook
from nbjudge.course import load_course
from nbjudge.digests import digest_folder
from nbjudge.record.records import Inputs, Record, write_record

from dlcourse.sample_attendance import write_reports, write_roster
from dlcourse.sample_class import Recipe

ROOT = Path(__file__).parents[2]
POLICY = """\
timezone = "Europe/Amsterdam"

[[sessions]]
name = "Day 1"
date = 2026-06-08
start = "09:00"
end = "12:00"
report = "day-1.csv"

[[sessions]]
name = "Day 2"
date = 2026-06-09
start = "09:00"
end = "12:00"
breaks = [["10:30", "11:00"]]
report = "day-2.csv"

[rules.there]
kind = "attendance"
share = 0.8

[rules.points]
kind = "points"
assignments = ["convnet"]
share = 0.5

[tiers.attendance]
title = "Certificate of attendance"
statement = ["attended both days."]
requires = "there"
hours = 6

[tiers.exercises]
title = "Certificate of attendance and exercises"
statement = ["attended both days,", "and solved the exercises."]
requires = { all = ["there", "points"] }
hours = 14
"""

# Ada has done all. Bob was away on the second day. Zoë did no exercise. Dan's could not be graded.
PEOPLE = (
    Recipe("ada", "Ada Abel", "", ()),
    Recipe("bob", "Bob “=1+1” O'Brien", "", (), attended={"Day 2": ("09:00-10:00",)}),
    Recipe("dan", "Dan Dvořák", "", ()),
    Recipe("zoe", "Zoë de Vries", "", ()),
)


def make_gradebook(path: Path) -> None:
    """One assignment of ten points, and the students. nbgrader takes seconds for it."""
    with Gradebook(f"sqlite:///{path}") as gradebook:
        gradebook.add_assignment("convnet")
        gradebook.add_notebook("convnet", "convnet")
        gradebook.add_grade_cell("code", "convnet", "convnet", max_score=10, cell_type="code")
        for person in PEOPLE:
            gradebook.add_student(person.student)


class Classroom:
    """The course's folder, and what a test changes in it."""

    def __init__(self, root: Path, gradebook: Path, keys: Path) -> None:
        (root / "nbgrader_config.py").write_text("")
        (root / "source" / "convnet").mkdir(parents=True)
        (root / "gradebook").mkdir()
        shutil.copy(gradebook, root / "gradebook")
        shutil.copy(ROOT / "gradebook" / "issuer.toml", root / "gradebook")
        self.course = load_course(root)
        self.root, self.keys = root, keys
        self.places = Places(self.course.gradebook_folder)
        self.places.policy.write_text(POLICY)
        write_roster(PEOPLE, self.places.roster)
        write_reports(PEOPLE, read_policy(self.places.policy).sessions, self.places.attendance)
        make_key(keys, datetime(2026, 6, 1, tzinfo=UTC))
        self.grade("ada", 9)
        self.grade("bob", 8)
        self.hand_in("dan")

    def hand_in(self, student: str, text: str = "1") -> Path:
        """What a student hands in."""
        folder = self.root / "submitted" / student / "convnet"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "convnet.ipynb").write_text(text)
        return folder

    def grade(self, student: str, points: float) -> None:
        """Give a student points, with the record that says so."""
        folder = self.hand_in(student)
        with self.course.gradebook() as gradebook:
            gradebook.update_or_create_submission("convnet", student)
            grade = gradebook.find_grade("code", "convnet", "convnet", student)
            grade.auto_score, grade.needs_manual_grade = points, False
            gradebook.db.commit()
        inputs = Inputs(digest_folder(folder), "", {}, {}, {}, {}, 0, "full")
        record = Record(student, "convnet", "graded", "", inputs, "", 0.0)
        write_record(self.course.gradebook_folder, record)

    def files(self, student: str, kind: str) -> list[Path]:
        """What is there to hand over to a student, of a kind such as ".pdf"."""
        return sorted((self.places.people / student).glob(f"*{kind}"))
