"""Pictures changed a little, so that none is, byte for byte, one that anybody can have."""

from __future__ import annotations

import numpy as np

LARGEST_SHIFT = 2  # pixels
LARGEST_GAIN = 0.05  # of the contrast, about the middle of the range
LARGEST_OFFSET = 0.05 * 255  # of the brightness


def changed(images: np.ndarray, seed: int) -> np.ndarray:
    """Each of `images`, changed in a way of its own that follows from `seed`.

    Half of them are mirrored. All are moved by up to two pixels in each direction (the rim is
    repeated), and made a little brighter or darker, with a little more or less contrast. uint8
    (n, height, width, channels) in and out.
    """
    random = np.random.default_rng([seed, len(images)])
    count, height, width, _ = images.shape
    down, right = random.integers(-LARGEST_SHIFT, LARGEST_SHIFT + 1, (2, count, 1))
    rows = np.clip(np.arange(height) + down, 0, height - 1)
    columns = np.clip(np.arange(width) + right, 0, width - 1)
    mirrored = random.random(count) < 0.5
    columns[mirrored] = columns[mirrored, ::-1]
    moved = images[np.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]
    gain, offset = random.uniform(-1, 1, (2, count, 1, 1, 1)).astype(np.float32)
    middle = np.float32(127.5)
    light = (moved - middle) * (1 + LARGEST_GAIN * gain) + middle + LARGEST_OFFSET * offset
    result: np.ndarray = light.round().clip(0, 255).astype(np.uint8)
    return result
