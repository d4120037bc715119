"""Changed pictures: others for each seed, and still the same pictures."""

from __future__ import annotations

import numpy as np
import pytest

from dlcourse.data import standin
from dlcourse.data.changes import changed

IMAGES, _ = standin.draw(12, 200)


def test_the_seed_decides() -> None:
    assert np.array_equal(changed(IMAGES, 5), changed(IMAGES, 5))
    assert not np.array_equal(changed(IMAGES, 5), changed(IMAGES, 6))


def test_no_picture_stays_what_it_is_byte_for_byte() -> None:
    before, after = (
        {image.tobytes() for image in images} for images in (IMAGES, changed(IMAGES, 5))
    )
    assert not before & after


def test_a_picture_stays_recognisable() -> None:
    """Moved back and mirrored back, it is what it was, but for a little light."""
    after = changed(IMAGES, 5).astype(float)
    inner = (slice(None), slice(4, 28), slice(4, 28))
    differences = [
        np.abs(np.roll(picture, (-down, -right), (1, 2))[inner] - IMAGES[inner]).mean((1, 2, 3))
        for picture in (after, after[:, :, ::-1])
        for down in range(-2, 3)
        for right in range(-2, 3)
    ]
    assert np.min(differences, axis=0).max() < 0.11 * 127.5
    # Half of them are mirrored, so that what is in the table lies the other way round.
    assert 60 < (np.argmin(differences, axis=0) >= 25).sum() < 140


@pytest.mark.parametrize("level", [0, 255])
def test_values_stay_in_the_range_of_bytes(level: int) -> None:
    images = np.full((50, 8, 8, 3), level, np.uint8)
    after = changed(images, 1)
    assert after.dtype == np.uint8
    assert np.abs(after.astype(int) - level).max() < 26


def test_there_may_be_none() -> None:
    assert changed(IMAGES[:0], 5).shape == (0, 32, 32, 3)
