"""The signals: the same everywhere, others for the judge, and what `centred` does."""

from __future__ import annotations

import numpy as np

from dlcourse.data import SIGNALS, digest, load_signals, make_signals, private_signals


def test_learners_load_what_the_digest_says():
    train, test = load_signals()
    assert digest(*train, *test) == SIGNALS.sha256
    assert train[0].shape == test[0].shape == (1_000, 40)
    assert train[0].dtype == np.float32
    assert (np.bincount(train[1]) == 100).all()


def test_no_signal_to_test_on_is_one_to_train_on():
    (train, _), (test, _) = load_signals()
    assert not {row.tobytes() for row in train} & {row.tobytes() for row in test}


def test_who_changes_the_signals_changes_only_a_copy():
    load_signals()[0][0][:] = 0
    assert load_signals()[0][0].any()


def test_a_shape_lies_anywhere_unless_it_is_centred():
    """Class 0 is a hill, the highest part of most of its signals."""
    for centred, fewest, most in ((False, 25, 40), (True, 1, 12)):
        signals, labels = make_signals(5, 1_000, centred)
        places = set(signals[labels == 0].argmax(axis=1).tolist())
        assert fewest <= len(places) <= most


def test_another_course_has_other_signals(monkeypatch):
    monkeypatch.setenv("DLCOURSE_PRIVATE_SEED", "11")
    mine, _ = private_signals(count=50)
    assert np.array_equal(mine, private_signals(11, 50)[0])
    assert not np.array_equal(mine, private_signals(12, 50)[0])


def test_who_made_the_recipe_is_said():
    assert "MNIST-1D" in str(SIGNALS)
