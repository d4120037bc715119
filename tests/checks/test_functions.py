"""What a student reads when a function is not right yet, and that right ones pass."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbjudge.capture import NotHandedOut

from dlcourse import checks as check


def failure(ask) -> check.CheckFailed:
    with pytest.raises(check.CheckFailed) as caught:
        ask()
    return caught.value


def dense_params(inputs, units):
    return (inputs + 1) * units


class TestRightAnswers:
    @pytest.mark.parametrize("result", [24, 24.0, np.int64(24), np.float32(24), np.array(24)])
    def test_the_type_of_a_number_does_not_matter(self, result):
        check.function("f", lambda: result).called_with().returns(24)

    def test_tensors_are_their_values(self):
        class Tensor:
            def numpy(self):
                return np.array(24)

        check.function("f", Tensor).called_with().returns(24)
        check.function("f", lambda: [Tensor(), 2]).called_with().returns([24, 2])

    def test_an_array_holds_items_as_a_tuple_does(self):
        call = check.function("f", lambda: np.array([4, 2, 5])).called_with()
        call.gives_items(3).returns((4, 2, 5))

    @pytest.mark.parametrize("result", [(4, 2, 5), [4, 2, 5], np.array([4, 2, 5])])
    def test_tuples_lists_and_arrays_are_alike(self, result):
        check.function("f", lambda: result).called_with().returns((4, 2, 5))

    @given(st.lists(st.integers(-100, 100) | st.text(max_size=3), max_size=5))
    def test_every_value_is_the_same_as_itself(self, value):
        check.function("f", lambda: value).called_with().returns(value)

    @given(st.integers(), st.integers())
    def test_other_numbers_are_not_the_same(self, got, expected):
        call = check.function("f", lambda: got).called_with()
        if abs(got - expected) > 1e-6 * max(abs(got), abs(expected), 1):
            failure(lambda: call.returns(expected))


class TestWrongAnswers:
    def test_the_message_has_the_call_the_value_and_the_equation(self):
        error = failure(
            lambda: (
                check.function("dense_params", lambda a, b: a * b)
                .called_with(7, 3)
                .returns(24, because="(7 + 1)·3 = 24")
            )
        )
        assert str(error) == (
            "dense_params(7, 3) returned 21.\nExpected: 24, because (7 + 1)·3 = 24"
        )

    @pytest.mark.parametrize("result", [True, "24", [24], float("nan"), complex(24), object()])
    def test_what_only_resembles_the_answer_is_wrong(self, result):
        failure(lambda: check.function("f", lambda: result).called_with().returns(24))

    def test_a_one_is_not_true(self):
        failure(lambda: check.function("f", lambda: 1).called_with().returns(True))

    def test_a_list_that_is_too_long_is_wrong(self):
        failure(lambda: check.function("f", lambda: [1, 2, 3]).called_with().returns([1, 2]))

    def test_no_return_has_words_of_its_own(self):
        error = failure(lambda: check.function("f", lambda: None).called_with().returns(24))
        assert "does the function end with a line `return" in str(error)

    @pytest.mark.parametrize(
        ("error", "hint"),
        [
            (NameError("name 'x' is not defined"), "use its arguments"),
            (ValueError("Cannot convert '4' to a shape."), "a shape is a tuple"),
            (
                TypeError("broken() takes 0 positional arguments but 1 was given"),
                "arguments that the task names",
            ),
            (
                TypeError("only integer scalar arrays can be converted to a scalar index"),
                "labels.flatten",
            ),
            (IndexError("list index out of range"), "The first item has the index 0"),
            (AttributeError("'NoneType' object has no attribute 'fit'"), "end with `return"),
            (
                TypeError("TensorBoard.set_model() missing 1 required positional argument"),
                "with parentheses",
            ),
            (
                TypeError("list indices must be integers or slices, not numpy.float32"),
                "`argmax` gives its place",
            ),
            (ZeroDivisionError("division by zero"), ""),
        ],
    )
    def test_an_error_of_the_students_is_told_with_a_hint(self, error, hint):
        def broken(n):
            raise error

        told = failure(lambda: check.function("broken", broken).called_with(3))
        assert f"broken(3) raised {type(error).__name__}: {error}" in str(told)
        assert hint in told.hint

    def test_somebody_elses_arguments_are_told_apart_from_ones_own(self):
        def calls_wrongly(n):
            return dense_params(n)

        told = failure(lambda: check.function("f", calls_wrongly).called_with(1))
        assert "look up the arguments of dense_params" in told.hint

    def test_a_number_beyond_all_floats_is_wrong_and_no_crash(self):
        error = failure(
            lambda: check.function("f", lambda: 3073**100).called_with().returns(307_300)
        )
        assert "more than 30 digits" in str(error)

    def test_a_training_without_return(self):
        call = check.function("train", lambda: None).called_with()
        assert "end with a line `return" in str(failure(call.gives_history))

    def test_a_result_that_stays_in_the_students_process(self):
        def gives_a_tensor():
            raise NotHandedOut(
                "the output of a layer, which has no values yet, cannot be handed out"
            )

        told = failure(lambda: check.function("create", gives_a_tensor).called_with())
        assert "create() returned a value that the test cannot read: the output" in str(told)
        assert "return model" in told.hint

    def test_leaving_python_is_an_error_like_any_other(self):
        def leaves():
            raise SystemExit

        assert "SystemExit" in str(failure(lambda: check.function("f", leaves).called_with()))

    def test_kerass_frame_around_a_message_is_taken_off(self):
        def broken():
            raise ValueError(
                "Exception encountered when calling Dense.call().\n\n\x1b[1mBad axis."
                "\x1b[0m\n\nArguments received by Dense.call():\n  • inputs=1"
            )

        error = failure(lambda: check.function("f", broken).called_with())
        assert "f() raised ValueError: Bad axis." in str(error)
        assert "Arguments received" not in str(error)


class TestNotAttempted:
    def test_a_stub_is_not_attempted(self):
        def stub():
            raise NotImplementedError

        with pytest.raises(check.NotAttempted, match="nothing to check yet"):
            check.function("f", stub).called_with()

    @pytest.mark.parametrize(
        "make",
        [
            check.function,
            check.value,
            check.array,
            check.model,
            check.figure,
            check.history,
            check.table,
            check.events,
        ],
    )
    @pytest.mark.parametrize("placeholder", [None, ...])
    def test_a_placeholder_is_not_attempted(self, make, placeholder):
        with pytest.raises(check.NotAttempted):
            make("answer", placeholder)

    def test_something_else_in_place_of_a_function_is_wrong(self):
        error = failure(lambda: check.function("f", 3))
        assert not isinstance(error, check.NotAttempted)
        assert "def f(...):" in str(error)


class TestArguments:
    def test_a_function_gets_copies_so_the_tests_own_data_stay(self):
        images = np.arange(4)

        def spoils(array):
            array[:] = 0
            return array

        call = check.function("spoils", spoils).called_with(images)
        assert images.tolist() == [0, 1, 2, 3]
        assert "changed the array" in str(failure(call.leaves_its_arguments_alone))

    def test_big_arguments_are_left_out(self):
        error = failure(
            lambda: (
                check.function("f", lambda images: 1)
                .called_with(np.zeros((7, 32, 32, 3)))
                .returns(2)
            )
        )
        assert "f(…) returned 1." in str(error)


class TestShown:
    def test_the_traceback_is_the_message_alone(self):
        error = failure(lambda: check.value("dim", 3).equals(3072))
        assert error._render_traceback_() == ["✗ dim is 3.", "  Expected: 3,072"]

    def test_a_passed_check_shows_nothing_when_it_ends_a_cell(self, capsys):
        check.value("dim", 3)._ipython_display_()
        assert capsys.readouterr().out == ""
