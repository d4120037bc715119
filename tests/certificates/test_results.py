"""What the gradebook and the records say of each student."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nbcertify.errors import CertificateError
from nbcertify.results import Result, read_class
from nbgrader.api import Gradebook
from nbjudge.course import load_course
from nbjudge.digests import digest_folder
from nbjudge.record.records import Inputs, Record, write_record


@pytest.fixture(scope="module")
def gradebook_of_ada(tmp_path_factory) -> Path:
    """One assignment, one student, no submission. Made once: nbgrader takes seconds for it."""
    path = tmp_path_factory.mktemp("gradebook") / "gradebook.db"
    with Gradebook(f"sqlite:///{path}") as gradebook:
        gradebook.add_assignment("convnet")
        gradebook.add_notebook("convnet", "convnet")
        for cell, kind, points in [("code", "code", 8), ("essay", "markdown", 2)]:
            gradebook.add_grade_cell(cell, "convnet", "convnet", max_score=points, cell_type=kind)
        gradebook.add_student("ada")
    return path


NOW = datetime(2026, 6, 20, tzinfo=UTC)


CONFIG = "from nbjudge.configure import configure\nc = get_config()\nconfigure(c)\n"


class Class:
    """A class of one, in a course folder of its own."""

    def __init__(self, root: Path, gradebook: Path, config: str = CONFIG):
        (root / "nbgrader_config.py").write_text(config)
        (root / "gradebook").mkdir()
        shutil.copy(gradebook, root / "gradebook")
        self.course = load_course(root)
        self.folder = root / "submitted" / "ada" / "convnet"

    def hand_in(self, text: str = "1"):
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "convnet.ipynb").write_text(text)

    def grade(self, code=8, essay=None, penalty=0.0):
        self.mark(code, essay, penalty)
        self.record("graded")

    def mark(self, code=8, essay=None, penalty=0.0):
        with self.course.gradebook() as gradebook:
            gradebook.add_submission("convnet", "ada")
            for cell, auto, manual in [("code", code, None), ("essay", None, essay)]:
                grade = gradebook.find_grade(cell, "convnet", "convnet", "ada")
                grade.auto_score, grade.manual_score = auto, manual
                grade.needs_manual_grade = auto is None and manual is None
                grade.notebook.late_submission_penalty = penalty
            gradebook.db.commit()

    def record(self, status: str, reason: str = "") -> Path:
        inputs = Inputs(digest_folder(self.folder), "", {}, {}, {}, {}, 0, "full")
        record = Record("ada", "convnet", status, reason, inputs, "", 0.0)
        return write_record(self.course.gradebook_folder, record)

    def read(self, assignments=("convnet",)) -> Result:
        (result,) = read_class(self.course, assignments, asked_by="policy.toml", now=NOW).results
        return result


def points(result: Result) -> tuple[float, float, str]:
    return result.low, result.high, result.why


class TestGradebook:
    @pytest.fixture
    def course(self, tmp_path, gradebook_of_ada):
        return Class(tmp_path, gradebook_of_ada)

    def test_a_known_student_without_a_submission_is_listed(self, course):
        assert points(course.read()) == (0, 0, "not submitted")

    def test_what_is_not_due_yet_may_still_come(self, course):
        with course.course.gradebook() as gradebook:
            gradebook.find_assignment("convnet").duedate = datetime(2026, 6, 20, 12)
            gradebook.db.commit()
        low, high, why = points(course.read())
        assert (low, high) == (0, 10)
        assert why == "not submitted yet; it is due on 2026-06-20 at 12:00 UTC"

    def test_a_graded_submission(self, course):
        course.hand_in()
        course.grade(code=8, essay=1.5)
        result = course.read()
        assert points(result) == (9.5, 9.5, "")
        assert result.possible == 10

    def test_an_answer_that_waits_for_a_person_is_open(self, course):
        course.hand_in()
        course.grade(code=8)
        result = course.read()
        assert points(result) == (8, 10, "1 answer waits for hand-grading (2 points)")
        assert result.waiting == 1

    def test_a_hand_grade_for_an_earlier_version_does_not_count(self, course):
        course.hand_in()
        course.grade(code=8, essay=2)
        with course.course.gradebook() as gradebook:
            gradebook.find_grade("essay", "convnet", "convnet", "ada").needs_manual_grade = True
            gradebook.db.commit()
        assert points(course.read())[:2] == (8, 10)

    def test_extra_credit_for_an_answer_that_waits_is_possible(self, course):
        course.hand_in()
        course.grade(code=8)
        with course.course.gradebook() as gradebook:
            gradebook.find_grade("essay", "convnet", "convnet", "ada").extra_credit = 3
            gradebook.db.commit()
        assert points(course.read())[:2] == (8, 13)

    def test_a_late_penalty_counts(self, course):
        course.hand_in()
        course.grade(code=1, essay=0, penalty=3)
        assert points(course.read()) == (0, 0, "")

    def test_handed_in_but_not_graded_is_not_the_same_as_missing(self, course):
        course.hand_in()
        low, high, why = points(course.read())
        assert (low, high) == (0, 10)
        assert why == "not graded: there is no record of its grading"

    def test_what_could_not_be_graded_has_no_points_even_if_old_ones_are_there(self, course):
        course.hand_in()
        course.grade(code=8, essay=2)
        course.record("not graded", "the kernel died\n(out of memory)")
        assert points(course.read()) == (0, 10, "not graded: the kernel died (out of memory)")

    @pytest.mark.parametrize("text", ["", "{", "[]", "{}", '"graded"', "null", "\udcff"])
    def test_a_damaged_record_is_no_grade(self, course, text):
        course.hand_in()
        course.grade()
        course.record("graded").write_bytes(text.encode("utf-8", "surrogateescape"))
        assert points(course.read()) == (0, 10, "not graded: the record of its grading is damaged")

    def test_a_submission_changed_after_grading_has_no_grade_yet(self, course):
        course.hand_in("1")
        course.grade(essay=2)
        course.hand_in("2")
        low, high, why = points(course.read())
        assert (low, high) == (0, 10)
        assert why == "not graded: handed in again after it was graded"

    def test_grades_outlive_a_submission_that_was_cleared_away(self, course):
        course.hand_in()
        course.grade(essay=2)
        shutil.rmtree(course.folder)
        assert points(course.read()) == (10, 10, "")

    def test_how_late_it_was_is_told(self, course):
        course.hand_in()
        course.grade(essay=2)
        with course.course.gradebook() as gradebook:
            gradebook.find_assignment("convnet").duedate = datetime(2026, 6, 12, 17)
            gradebook.find_submission("convnet", "ada").timestamp = datetime(2026, 6, 12, 18)
            gradebook.db.commit()
        assert course.read().late_seconds == 3600

    def test_who_is_only_in_the_roster_has_not_handed_in(self, course):
        results = read_class(course.course, ["convnet"], now=NOW, roster=["zoe"]).results
        assert [(r.student, r.why) for r in results] == [
            ("ada", "not submitted"),
            ("zoe", "not submitted"),
        ]

    @pytest.mark.parametrize("low, high", [(-1, 2), (3, 2), (float("nan"), 2), (0, float("inf"))])
    def test_impossible_points_are_refused(self, low, high):
        with pytest.raises(ValueError, match="impossible points"):
            Result("ada", "convnet", low, high, 10)

    def test_an_assignment_that_the_gradebook_has_not_is_the_policys_mistake(self, course):
        with pytest.raises(
            CertificateError, match=r"policy\.toml: assignments: .*'convent'.*convnet"
        ):
            course.read(("convent",))


class TestACourseOfStockNbgrader:
    """Which keeps no records: what it could not grade is missing in autograded/."""

    @pytest.fixture
    def ada(self, tmp_path, gradebook_of_ada):
        return Class(tmp_path, gradebook_of_ada, config="c = get_config()\n")

    @staticmethod
    def result(ada) -> Result:
        (found,) = read_class(ada.course, ["convnet"], now=NOW).results
        return found

    @staticmethod
    def autograde(ada, time="2026-06-12 10:00:00 UTC"):
        folder = ada.course.autograded / "ada" / "convnet"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "timestamp.txt").write_text(time)

    def test_a_gradebook_alone_is_enough(self, ada):
        ada.mark(code=8, essay=2)
        found = self.result(ada)
        assert (found.low, found.high, found.why) == (10, 10, "")

    def test_what_was_graded_counts(self, ada):
        ada.hand_in()
        (ada.folder / "timestamp.txt").write_text("2026-06-12 10:00:00 UTC\n")
        self.autograde(ada)
        ada.mark(code=8)
        found = self.result(ada)
        assert (found.low, found.high, found.waiting) == (8, 10, 1)

    def test_what_could_not_be_graded_is_open(self, ada):
        """nbgrader leaves an old score in the gradebook."""
        ada.hand_in()
        ada.mark(code=8, essay=2)
        found = self.result(ada)
        assert (found.low, found.high) == (0, 10)
        assert "not graded" in found.why

    def test_what_was_handed_in_again_is_open(self, ada):
        ada.hand_in()
        (ada.folder / "timestamp.txt").write_text("2026-06-13 10:00:00 UTC")
        self.autograde(ada)
        ada.mark(code=8, essay=2)
        found = self.result(ada)
        assert (found.low, found.high) == (0, 10)
        assert "handed in again" in found.why

    def test_what_nbgrader_has_not_seen_is_open(self, ada):
        ada.hand_in()
        found = self.result(ada)
        assert (found.low, found.high) == (0, 10)
