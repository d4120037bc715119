"""A printed partial score counts as the number it is, or not at all."""

from __future__ import annotations

import pytest
import toy_course as toy
from hypothesis import given
from hypothesis import strategies as st
from nbformat import from_dict
from nbformat.v4 import new_output
from nbgrader.utils import compute_checksum, determine_grade
from nbjudge.cells.metadata import checksum_of
from nbjudge.errors import NotGraded
from nbjudge.record.scores import error_message, partial_score, score_of, tidy_test_outputs


def test_cell_with(*outputs):
    cell = from_dict(toy.test_cell("t", "", 3))
    cell.outputs = list(outputs)
    return cell


test_cell_with.__test__ = False


def value(text):
    return new_output("execute_result", {"text/plain": text})


STDERR = new_output("stream", name="stderr", text="a log line")
ERROR = new_output("error", ename="ValueError", evalue="no", traceback=["secret source"])


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("3", 3),
        ("0", 0),
        ("2.5", 2.5),
        ("np.float64(3.0)", 3),
        ("np.float32(1.5)", 1.5),
        ("np.int64(2)", 2),
        ("numpy.float64(0.5)", 0.5),
        ("3.0000000000000004", 3),
        (" 1 ", 1),
    ],
)
def test_a_number_counts_as_itself(text, score):
    cell = test_cell_with(STDERR, value(text), STDERR)
    tidy_test_outputs(cell)
    assert determine_grade(cell) == (score_of(cell), 3) == (score, 3)


@pytest.mark.parametrize(
    "text",
    [
        *("nan", "np.float64(nan)", "inf", "-1", "3.1", "None", "False", "True", "'3'", "''", ""),
        *("array(3.)", "[3]", "<Figure>", "tf.Tensor(3.0)", "np.float64(np.float64(3))"),
    ],
)
def test_anything_else_is_the_instructors_to_mend_and_names_the_cell(text):
    with pytest.raises(NotGraded, match="test cell 't'.*instructor"):
        tidy_test_outputs(test_cell_with(value(text)))


@given(st.text())
def test_no_text_becomes_full_marks_by_mistake(text):
    try:
        score = partial_score(text, 3.0, "t")
    except NotGraded:
        return
    assert 0 <= score <= 3
    assert any(letter.isdigit() for letter in text)


@pytest.mark.parametrize("outputs", [[value("3"), ERROR], [ERROR, value("3")], [STDERR, ERROR]])
def test_an_error_outweighs_every_value(outputs):
    cell = test_cell_with(*outputs)
    tidy_test_outputs(cell)
    assert determine_grade(cell) == (score_of(cell), 3) == (0, 3)
    assert error_message(cell) == "ValueError: no"


def test_a_silent_test_that_passes_gets_its_points():
    cell = test_cell_with(STDERR, new_output("stream", name="stdout", text="fine"))
    tidy_test_outputs(cell)
    assert determine_grade(cell) == (score_of(cell), 3) == (3, 3)


FLAGS = st.fixed_dictionaries(
    {"grade_id": st.text(min_size=1), "grade": st.booleans(), "solution": st.booleans()},
    optional={"locked": st.booleans(), "checksum": st.just("another")},
)


@given(
    st.sampled_from(["code", "markdown"]), st.text(), FLAGS, st.floats(0, 99) | st.integers(0, 99)
)
def test_a_cells_checksum_is_nbgraders(cell_type, source, flags, points):
    metadata = {"nbgrader": flags | ({"points": points} if flags["grade"] else {})}
    cell = from_dict({"cell_type": cell_type, "source": source, "metadata": metadata})
    assert checksum_of(cell) == compute_checksum(cell)


@pytest.mark.parametrize("cell_type", ["code", "markdown"])
@pytest.mark.parametrize("touched", [False, True])
def test_only_an_answer_that_was_touched_waits_for_a_person(cell_type, touched):
    flags = {"grade_id": "a", "grade": True, "solution": True, "points": 2}
    cell = from_dict(
        {"cell_type": cell_type, "source": "", "metadata": {"nbgrader": flags}, "outputs": []}
    )
    flags["checksum"] = cell.metadata.nbgrader["checksum"] = compute_checksum(cell)
    cell.source = "an answer" if touched else ""
    assert determine_grade(cell) == (score_of(cell), 2) == (None if touched else 0, 2)
