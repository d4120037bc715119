"""Who gets a certificate, and what they are told."""

import csv
import dataclasses
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbgrader.api import Gradebook

from dlcourse.eligibility import (
    Policy,
    PolicyError,
    Result,
    Verdict,
    decide,
    read_policy,
    to_frame,
    write_csv,
)
from dlcourse.results import read_results
from nbjudge.course import load_course
from nbjudge.records import Inputs, Record, write_record
from nbjudge.submissions import digest_folder

POLICY = Policy(("image-data", "convnet"), overall=0.6, minimum={"image-data": 0.5})


def one(image_data: tuple, convnet: tuple, policy: Policy = POLICY):
    """The decision on Ada, who has (low, high, why) of 40 and of 60 points."""
    return decide(
        policy,
        [
            Result("ada", "image-data", image_data[0], image_data[1], 40, *image_data[2:]),
            Result("ada", "convnet", convnet[0], convnet[1], 60, *convnet[2:]),
        ],
    )[0]


class TestDecide:
    def test_enough_everywhere_is_eligible(self):
        decision = one((30, 30), (48, 48))
        assert decision.verdict is Verdict.ELIGIBLE
        assert decision.reasons == ("all together: 78 of 100 points (78 %), 60 % needed",)

    def test_too_little_overall_names_the_numbers(self):
        decision = one((20, 20), (30, 30))
        assert decision.verdict is Verdict.NOT_ELIGIBLE
        assert decision.reasons == ("all together: 50 of 100 points (50 %), 60 % needed",)

    def test_a_missed_minimum_decides_whatever_the_rest(self):
        decision = one((16, 16), (60, 60))
        assert decision.verdict is Verdict.NOT_ELIGIBLE
        assert decision.reasons == ("image-data: 16 of 40 points (40 %), 50 % needed",)

    def test_not_handing_in_is_no_points_and_is_said(self):
        decision = one((40, 40), (0, 0, "not submitted"))
        assert decision.verdict is Verdict.NOT_ELIGIBLE
        assert decision.reasons == (
            "all together: 40 of 100 points (40 %), 60 % needed",
            "convnet: not submitted",
        )

    def test_what_is_not_graded_leaves_it_open_and_says_why(self):
        decision = one((40, 40), (0, 60, "not graded: the kernel died"))
        assert decision.verdict is Verdict.UNDECIDED
        assert decision.reasons == (
            "all together: 40 to 100 of 100 points (40 % to 100 %), 60 % needed",
            "convnet: not graded: the kernel died",
        )

    def test_not_even_full_marks_could_help(self):
        decision = one((10, 10), (0, 60, "not graded: the kernel died"))
        assert decision.verdict is Verdict.NOT_ELIGIBLE
        assert "even with full marks for the rest" in decision.reasons

    def test_no_need_to_wait_for_the_rest(self):
        decision = one((40, 40), (50, 60, "1 answer waits for hand-grading (10 points)"))
        assert decision.verdict is Verdict.ELIGIBLE
        assert "even with no points for the rest" in decision.reasons
        assert "convnet: 1 answer waits for hand-grading (10 points)" in decision.reasons

    def test_exactly_enough_is_enough_in_tenths_too(self):
        policy = Policy(("image-data", "convnet"), overall=0.3)
        assert one((0.1, 0.1), (29.9, 29.9), policy).verdict is Verdict.ELIGIBLE

    def test_almost_enough_does_not_read_as_enough(self):
        decision = one((40, 40), (19.96, 19.96))
        assert decision.verdict is Verdict.NOT_ELIGIBLE
        assert "59.96 of 100 points (59.9 %), 60 % needed" in decision.reasons[0]

    def test_only_the_policys_assignments_count(self):
        results = [Result("ada", "optional", 0, 0, 1000)]
        results += [Result("ada", a, 10, 10, 10) for a in POLICY.assignments]
        assert decide(POLICY, results)[0].verdict is Verdict.ELIGIBLE

    def test_a_gap_in_the_results_is_an_error_not_a_verdict(self):
        with pytest.raises(ValueError, match="no result for ada in convnet"):
            decide(POLICY, [Result("ada", "image-data", 10, 10, 10)])

    @pytest.mark.parametrize("low, high", [(-1, 2), (3, 2), (float("nan"), 2), (0, float("inf"))])
    def test_impossible_points_are_refused(self, low, high):
        with pytest.raises(ValueError, match="impossible points"):
            Result("ada", "convnet", low, high, 10)


@st.composite
def results(draw) -> list[Result]:
    """Ada's results in two assignments: any points, graded or not."""
    made = []
    for name in POLICY.assignments:
        possible = draw(st.integers(1, 100))
        low, high = sorted(draw(st.tuples(*[st.floats(0, possible)] * 2)))
        made.append(Result("ada", name, low, high, possible))
    return made


@st.composite
def policies(draw) -> Policy:
    shares = st.floats(0, 1)
    minimum = draw(st.dictionaries(st.sampled_from(POLICY.assignments), shares))
    return Policy(POLICY.assignments, draw(shares), minimum)


class TestLaws:
    @given(results())
    def test_a_share_is_a_share(self, results):
        assert to_frame(decide(POLICY, results))["share"].between(0, 1).all()

    @given(policies(), results(), st.data())
    def test_more_points_never_cost_a_certificate(self, policy, results, data):
        order = [Verdict.NOT_ELIGIBLE, Verdict.UNDECIDED, Verdict.ELIGIBLE]
        better = []
        for r in results:
            high = data.draw(st.floats(r.high, r.possible))
            better.append(dataclasses.replace(r, low=data.draw(st.floats(r.low, high)), high=high))
        before, after = (decide(policy, rs)[0].verdict for rs in (results, better))
        assert order.index(after) >= order.index(before)

    @given(policies(), results(), st.data())
    def test_a_verdict_given_early_stands_when_all_is_graded(self, policy, results, data):
        early = decide(policy, results)[0].verdict
        points = [data.draw(st.floats(r.low, r.high)) for r in results]
        final = [
            dataclasses.replace(r, low=p, high=p) for r, p in zip(results, points, strict=True)
        ]
        late = decide(policy, final)[0].verdict
        assert late is not Verdict.UNDECIDED
        assert early in (late, Verdict.UNDECIDED)


class TestCsv:
    def write(self, tmp_path, *students: str, why: str = "not submitted") -> list[list[str]]:
        results = [Result(s, a, 5.5, 5.5, 10, why) for s in students for a in POLICY.assignments]
        write_csv(decide(POLICY, results), tmp_path / "eligible.csv")
        with (tmp_path / "eligible.csv").open(newline="", encoding="utf-8") as file:
            return list(csv.reader(file))

    def test_has_a_row_for_each_student_in_order(self, tmp_path):
        head, *rows = self.write(tmp_path, "zoe", "ada", "Zoë")
        assert head == ["student", "verdict", "points", "open", "possible", "share", "why"]
        assert [row[0] for row in rows] == ["Zoë", "ada", "zoe"]
        assert rows[0][1:6] == ["not eligible", "11.0", "0.0", "20.0", "0.55"]

    def test_keeps_commas_quotes_and_line_breaks(self, tmp_path):
        name, why = 'Lovelace, "Ada"', "one line\nand another, too"
        _, row = self.write(tmp_path, name, why=why)
        assert row[0] == name
        assert why in row[-1]

    @pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
    def test_no_cell_is_a_formula(self, tmp_path, start):
        name = start + 'HYPERLINK("http://example.org")'
        _, row = self.write(tmp_path, name)
        assert row[0] == "'" + name

    def test_a_failed_write_leaves_the_old_table(self, tmp_path, monkeypatch):
        self.write(tmp_path, "ada")
        monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            self.write(tmp_path, "bob")
        assert os.listdir(tmp_path) == ["eligible.csv"]
        assert "ada" in (tmp_path / "eligible.csv").read_text()

    def test_a_class_of_nobody_still_has_a_head(self, tmp_path):
        assert len(self.write(tmp_path)) == 1


class TestPolicyFile:
    def read(self, tmp_path, text: str) -> Policy:
        path = tmp_path / "policy.toml"
        path.write_text(text)
        return read_policy(path)

    def test_the_repositorys_own_can_be_read(self):
        policy = read_policy(Path(__file__).parents[1] / "gradebook" / "policy.toml")
        assert policy.assignments == ("image-data", "convnet", "dropout")

    def test_minimum_may_be_left_out(self, tmp_path):
        policy = self.read(tmp_path, 'assignments = ["a"]\noverall = 1')
        assert (policy.overall, policy.minimum) == (1.0, {})

    @pytest.mark.parametrize(
        "text, key, wrong",
        [
            ("overall = 0.6", "assignments", "is missing"),
            ('assignments = ["a"]', "overall", "is missing"),
            ('assignments = "a"\noverall = 0.6', "assignments", "must be a list of names"),
            ("assignments = []\noverall = 0.6", "assignments", "must be a list of names"),
            ('assignments = ["a", "a"]\noverall = 0.6', "assignments", "names one twice"),
            ('assignments = ["a"]\noverall = 60', "overall", "must be from 0 to 1"),
            ('assignments = ["a"]\noverall = nan', "overall", "must be from 0 to 1"),
            ('assignments = ["a"]\noverall = "60 %"', "overall", "must be a number"),
            ('assignments = ["a"]\noverall = true', "overall", "must be a number"),
            ('assignments = ["a"]\noveral = 0.6', "overal", "unknown key"),
            ('assignments = ["a"]\noverall = 0.6\nminimum = 0.5', "minimum", "must be a table"),
            (
                'assignments = ["a"]\noverall = 0.6\n[minimum]\nb = 0.5',
                "minimum.b",
                "unknown assignment",
            ),
            (
                'assignments = ["a"]\noverall = 0.6\n[minimum]\na = -1',
                "minimum.a",
                "must be from 0 to 1",
            ),
        ],
    )
    def test_a_mistake_is_named_with_file_and_key(self, tmp_path, text, key, wrong):
        with pytest.raises(PolicyError) as caught:
            self.read(tmp_path, text)
        assert str(caught.value).startswith(f"{tmp_path / 'policy.toml'}: {key}: {wrong}")

    def test_what_is_not_toml_says_where(self, tmp_path):
        with pytest.raises(PolicyError, match=r"policy\.toml: is not valid TOML: .*line 1"):
            self.read(tmp_path, "overall = = 1")

    def test_no_file(self, tmp_path):
        with pytest.raises(PolicyError, match="cannot be read: No such file"):
            read_policy(tmp_path / "policy.toml")


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


class Class:
    """A class of one, in a course folder of its own."""

    def __init__(self, root: Path, gradebook: Path):
        (root / "nbgrader_config.py").write_text("")
        (root / "gradebook").mkdir()
        shutil.copy(gradebook, root / "gradebook")
        self.course = load_course(root)
        self.folder = root / "submitted" / "ada" / "convnet"

    def hand_in(self, text: str = "1"):
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "convnet.ipynb").write_text(text)

    def grade(self, code=8, essay=None, penalty=0.0):
        with self.course.gradebook() as gradebook:
            gradebook.add_submission("convnet", "ada")
            for cell, auto, manual in [("code", code, None), ("essay", None, essay)]:
                grade = gradebook.find_grade(cell, "convnet", "convnet", "ada")
                grade.auto_score, grade.manual_score = auto, manual
                grade.needs_manual_grade = auto is None and manual is None
                grade.notebook.late_submission_penalty = penalty
            gradebook.db.commit()
        self.record("graded")

    def record(self, status: str, reason: str = "") -> Path:
        inputs = Inputs(digest_folder(self.folder), "", {}, {}, {}, {}, 0, "full")
        record = Record("ada", "convnet", status, reason, inputs, "", 0.0)
        return write_record(self.course.gradebook_folder, record)

    def read(self, assignments=("convnet",)) -> Result:
        (result,) = read_results(self.course, Policy(assignments, 0.5, source="policy.toml"))
        return result


def points(result: Result) -> tuple[float, float, str]:
    return result.low, result.high, result.why


class TestGradebook:
    @pytest.fixture
    def course(self, tmp_path, gradebook_of_ada):
        return Class(tmp_path, gradebook_of_ada)

    def test_a_known_student_without_a_submission_is_listed(self, course):
        assert points(course.read()) == (0, 0, "not submitted")

    def test_a_graded_submission(self, course):
        course.hand_in()
        course.grade(code=8, essay=1.5)
        result = course.read()
        assert points(result) == (9.5, 9.5, "")
        assert result.possible == 10

    def test_an_answer_that_waits_for_a_person_is_open(self, course):
        course.hand_in()
        course.grade(code=8)
        assert points(course.read()) == (8, 10, "1 answer waits for hand-grading (2 points)")

    def test_a_hand_grade_for_an_earlier_version_does_not_count(self, course):
        course.hand_in()
        course.grade(code=8, essay=2)
        with course.course.gradebook() as gradebook:
            gradebook.find_grade("essay", "convnet", "convnet", "ada").needs_manual_grade = True
            gradebook.db.commit()
        assert points(course.read())[:2] == (8, 10)

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

    def test_an_assignment_that_the_gradebook_has_not_is_the_policys_mistake(self, course):
        with pytest.raises(PolicyError, match=r"policy\.toml: assignments: .*'convent'.*convnet"):
            course.read(("convent",))
