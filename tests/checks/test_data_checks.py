"""Arrays, tables, histories, event files: the typical mistakes, each with its own words."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dlcourse import checks as check

IMAGES = np.random.default_rng(0).integers(0, 200, (4, 8, 8, 3), dtype="uint8")
pixels = arrays.arrays("uint8", (2, 3, 3, 1))


def message(ask) -> str:
    with pytest.raises(check.CheckFailed) as caught:
        ask()
    return str(caught.value)


class TestNormalised:
    @given(pixels)
    def test_divided_by_255_is_right_whatever_the_images(self, images):
        for kind in ("float16", "float32", "float64"):
            check.array("x", (images / 255).astype(kind)).is_normalised_from(images)

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            (IMAGES, "It was not normalised"),
            (IMAGES.astype("float32"), "It was not normalised"),
            (IMAGES / 255 / 255, "normalised twice"),
            (IMAGES / 256, "was divided by 256"),
            (IMAGES / IMAGES.max(), "must not depend on the images"),
            (IMAGES // 255, "only whole numbers"),
            (np.round(IMAGES / 255), "not the original"),
            (IMAGES / 127.5 - 1, "not the original"),
            (IMAGES[:2] / 255, "has shape (2, 8, 8, 3)"),
            (np.zeros(IMAGES.shape), "goes from 0 to 0"),
            (np.full(IMAGES.shape, np.nan), "x"),
        ],
    )
    def test_each_mistake_has_its_words(self, wrong, words):
        assert words in message(lambda: check.array("x", wrong).is_normalised_from(IMAGES))


class TestArrays:
    def test_a_list_is_not_an_array(self):
        assert "a numpy array" in message(lambda: check.array("x", [1, 2]))

    def test_an_array_of_objects_is_refused(self):
        assert "Python objects" in message(lambda: check.array("x", np.array([None, 1])))

    def test_shapes_are_compared_before_values(self):
        assert "has shape (3,)" in message(lambda: check.array("x", np.ones(3)).equals(np.ones(2)))

    def test_the_first_wrong_value_is_named(self):
        got = message(
            lambda: check.array("x", np.array([[1, 2], [3, 9]])).equals(np.array([[1, 2], [3, 4]]))
        )
        assert "the value at [1, 1] is 9" in got
        assert "Expected: 4" in got

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_nan_is_never_within_a_range(self, bad):
        assert "not numbers" in message(
            lambda: check.array("x", np.array([bad])).lies_between(0, 1)
        )

    def test_a_tolerance_is_meant_for_whole_numbers_too(self):
        counts = check.array("x", np.array([10, 20]))
        counts.equals(np.array([11, 19]), tolerance=1)
        message(lambda: counts.equals(np.array([11, 18]), tolerance=1))

    def test_nan_never_equals(self):
        message(lambda: check.array("x", np.array([np.nan])).equals(np.array([1.0])))


class TestTables:
    def test_a_right_table_in_another_column_order_passes(self):
        table = pd.DataFrame({"b": [3, 4], "a": [1.0, 2.0]}, index=[1, 2])
        check.table("t", table).holds({"a": [1, 2], "b": [3, 4]}).has_index([1, 2])

    def test_an_index_from_zero_is_told(self):
        table = pd.DataFrame({"a": [1, 2]})
        assert "has the index [0, 1]" in message(lambda: check.table("t", table).has_index([1, 2]))

    def test_a_dictionary_is_not_a_table(self):
        assert "a pandas DataFrame" in message(lambda: check.table("t", {"a": [1]}))


def told(measurements):
    return check.history("h", SimpleNamespace(history=measurements))


class TestHistories:
    FULL = {"loss": [2, 1], "accuracy": [0.1, 0.5], "val_loss": [2, 2], "val_accuracy": [0.1, 0.1]}

    def test_what_fit_returns_is_right(self):
        told(self.FULL).has_epochs(2).has_validation().learned()

    def test_validation_in_some_epochs_only(self):
        some = told(self.FULL | {"val_loss": [2], "val_accuracy": [0.1]})
        assert "has 2 epochs, but val_loss has only 1." in message(some.has_validation)

    @pytest.mark.parametrize("inside", [FULL, pd.DataFrame(FULL)])
    def test_what_is_inside_the_history_is_not_the_history(self, inside):
        """The next cells of a notebook need the history itself."""
        assert "the measurements inside a history" in message(lambda: check.history("h", inside))

    @pytest.mark.parametrize(
        "odd", [{"loss": 3}, {"loss": ["a"]}, {"loss": [None]}, "text", 7, {"loss": [[1]]}]
    )
    def test_odd_histories_are_refused_kindly(self, odd):
        assert "return model.fit" in message(lambda: told(odd))

    @pytest.mark.parametrize("missing", ["accuracy", "val_loss", "val_accuracy"])
    def test_a_missing_measurement_is_told(self, missing):
        part = {k: v for k, v in self.FULL.items() if k != missing}
        assert "validation_data=" in message(lambda: told(part).has_validation())

    def test_too_few_epochs(self):
        assert "has 2 epochs" in message(lambda: told(self.FULL).has_epochs(10))

    @pytest.mark.parametrize("losses", [[1, 2], [1, float("nan")], []])
    def test_a_loss_that_does_not_fall(self, losses):
        message(lambda: told({"loss": losses}).learned())

    def test_a_loss_that_stands_still_is_told_from_one_that_rises(self):
        assert "trainable=False" in message(lambda: told({"loss": [2.0, 2.0]}).learned())
        assert "trainable=False" not in message(lambda: told({"loss": [2.0, 2.5]}).learned())

    def test_a_fit_whose_result_was_not_returned(self):
        assert "return model.fit" in message(lambda: check.history("h", 3))


class TestEvents:
    TABLE = pd.DataFrame(
        {"run": ["train"] * 2, "tag": ["epoch_loss"] * 2, "step": [1, 0], "value": [1.0, 2.0]}
    )

    def test_the_log_of_the_training_passes(self):
        check.events("e", self.TABLE).has_runs("train").hold("train", "epoch_loss", [2.0, 1.0])

    def test_another_trainings_log_does_not(self):
        message(lambda: check.events("e", self.TABLE).hold("train", "epoch_loss", [2.0, 1.5]))
        message(lambda: check.events("e", self.TABLE).hold("train", "epoch_loss", [2.0]))

    def test_no_log_tells_where_there_are_some(self):
        got = message(lambda: check.events("e", self.TABLE).has_runs("train", "validation"))
        assert "nothing was logged in validation. There are logs in train" in got


class TestCredit:
    @pytest.fixture(autouse=True)
    def graded(self, monkeypatch):
        monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")

    def test_a_students_own_notebook_tells_the_same_without_points(self, capsys, monkeypatch):
        monkeypatch.delenv("NBGRADER_EXECUTION")
        nothing_shown = check.credit(
            check.part(1.5, "right", lambda: check.value("a", 1).equals(1)),
            check.part(2, "wrong", lambda: check.value("a", 1).equals(2)),
        )
        assert nothing_shown is None
        assert capsys.readouterr().out == "✓ right\n✗ wrong\n    a is 1.\n    Expected: 2\n"

    def test_no_failure_is_told_twice(self, capsys):
        with pytest.raises(check.CheckFailed, match="a is 1") as caught:
            check.credit(
                check.part(1, "first", lambda: check.value("a", 1).equals(2)),
                check.part(1, "same", lambda: check.value("a", 1).equals(2)),
                check.part(1, "other", lambda: check.value("b", 3).equals(4)),
            )
        # What is raised is shown below what is printed.
        told = capsys.readouterr().out + str(caught.value)
        assert told.count("a is 1.") == told.count("b is 3.") == 1
        assert "✗ first: 0 of 1\n✗ same: 0 of 1\n✗ other: 0 of 1\n" in told

    def test_points_of_the_parts_that_pass_are_added(self, capsys):
        earned = check.credit(
            check.part(1.5, "right", lambda: check.value("a", 1).equals(1)),
            check.part(2, "wrong", lambda: check.value("a", 1).equals(2)),
        )
        assert earned == 1.5
        assert isinstance(earned, float)
        shown = capsys.readouterr().out
        assert "✓ right: 1.5 of 1.5" in shown
        assert "✗ wrong: 0 of 2\n    a is 1." in shown

    def test_an_answer_that_no_check_was_ready_for_costs_only_its_part(self, capsys):
        earned = check.credit(
            check.part(1, "odd", lambda: {}["surprise"]),
            check.part(2, "right", lambda: check.value("a", 1).equals(1)),
        )
        assert earned == 2
        assert "could not read the answer (KeyError: 'surprise')" in capsys.readouterr().out

    def test_nothing_earned_is_a_failure_and_nothing_tried_is_not_attempted(self):
        wrong = check.part(1, "wrong", lambda: check.value("a", 1).equals(2))
        empty = check.part(1, "empty", lambda: check.value("a", None))
        with pytest.raises(check.NotAttempted):
            check.credit(empty, empty)
        with pytest.raises(check.CheckFailed) as caught:
            check.credit(empty, wrong)
        assert not isinstance(caught.value, check.NotAttempted)

    @given(st.lists(st.tuples(st.integers(1, 5), st.booleans()), min_size=1, max_size=6))
    def test_a_score_stays_in_range(self, parts):
        made = [
            check.part(points, "p", lambda right=right: check.value("a", right).equals(True))
            for points, right in parts
        ]
        if not any(right for _, right in parts):
            with pytest.raises(check.CheckFailed):
                check.credit(*made)
        else:
            assert check.credit(*made) == sum(points for points, right in parts if right)
