"""What is said of shifted copies: passing, and each failure."""

from __future__ import annotations

import numpy as np
import pytest

from dlcourse import checks as check

SIGNALS = np.random.default_rng(0).random((40, 11))
LABELS = np.arange(40) % 7


def message(ask) -> str:
    with pytest.raises(check.CheckFailed) as failed:
        ask()
    return str(failed.value)


def rounds(*moved):
    """The signals, and a round of copies for each of `moved`: numbers of places."""
    shifted = [[np.roll(s, by) for s, by in zip(SIGNALS, places, strict=True)] for places in moved]
    return np.concatenate([SIGNALS, *shifted])


def places(seed, largest=2):
    return np.random.default_rng(seed).integers(-largest, largest + 1, len(SIGNALS))


def copies_of(signals=None, labels=None):
    signals = rounds(places(1), places(2)) if signals is None else signals
    labels = np.resize(LABELS, len(signals)) if labels is None else labels
    call = check.function("copy", lambda s, t: (signals, labels)).called_with(SIGNALS, LABELS)
    return call.gives_shifted_copies_of(SIGNALS, LABELS)


def test_right_ones_pass():
    made = copies_of().has_copies(2).begins_with_the_originals().keeps_labels()
    made.has_only_shifted_signals().moves_each_by_its_own().moves_up_to(2)
    made.equals(copies_of()).differs_from(copies_of(rounds(places(1), places(3))))


def test_labels_that_are_not_repeated():
    assert "one label for each signal" in message(lambda: copies_of(labels=LABELS))


def test_signals_of_another_length():
    assert "rows of 11 numbers" in message(lambda: copies_of(SIGNALS[:, 1:], LABELS))


def test_too_few_copies():
    told = message(lambda: copies_of(rounds(places(1))).has_copies(2))
    assert "gave 80 signals" in told
    assert "40 signals and 2 copies of each" in told


def test_originals_that_come_last():
    told = message(copies_of(rounds(places(1))[::-1]).begins_with_the_originals)
    assert "first the signals as they are" in told


def test_labels_in_another_order():
    told = message(copies_of(labels=np.repeat(LABELS, 3)).keeps_labels)
    assert "the label of signal 1 is 0" in told


def test_zeros_moved_in():
    wrong = rounds(places(1))
    wrong[-1] = np.append(np.zeros(2), SIGNALS[-1, :-2])
    told = message(copies_of(wrong).has_only_shifted_signals)
    assert "signal 79 is not signal 39, moved round the end" in told


def test_all_of_a_round_moved_alike():
    told = message(copies_of(rounds(places(1), [2] * 40)).moves_each_by_its_own)
    assert "in round 2 of the copies" in told


def test_the_same_round_again():
    told = message(copies_of(rounds(places(1), places(1))).moves_each_by_its_own)
    assert "those of round 1 again" in told


def test_moved_too_far():
    told = message(lambda: copies_of(rounds(places(1, 4))).moves_up_to(3))
    assert "from -3 to 3 places" in told


def test_an_end_that_is_left_out():
    told = message(lambda: copies_of(rounds(np.minimum(places(1), 1))).moves_up_to(2))
    assert "none of 40 copies is moved by 2 places" in told


def test_few_copies_need_not_have_every_number():
    copies_of(rounds(np.minimum(places(1, 3), 2))).moves_up_to(3)


def test_the_same_for_the_same_seed_and_others_for_another():
    one, other = copies_of(), copies_of(rounds(places(1), places(3)))
    assert "the same copies for the same seed" in message(lambda: one.equals(other))
    assert "others with another seed" in message(lambda: one.differs_from(copies_of()))


def test_one_of_several_values_is_told_by_its_name():
    pair = SIGNALS, LABELS
    call = check.function("prepare", lambda: (pair, (SIGNALS[1:], LABELS))).called_with()
    call.item(0, "for training").gives_shifted_copies_of(SIGNALS, LABELS).has_copies(0)
    told = message(
        lambda: call.item(1, "for testing").gives_items(2).gives_array(0, "signals").equals(SIGNALS)
    )
    assert told.startswith("prepare(), for testing, returned signals of shape (39, 11)")
