"""A stand-in for CIFAR-10, drawn on the spot: ten classes of little colour pictures, 32x32 pixels.

It is not CIFAR-10 and never called so. It exists so that the notebooks and their grading can be run
where the real data cannot be reached, and is about as hard as the real thing for a small network.

The same seed gives the same bytes on every machine. So all chance comes from the raw stream of
PCG64 (which NumPy promises never to change, unlike the methods of `Generator`), and pixels are made
by elementwise + - * / and comparisons alone: those IEEE 754 fixes exactly. No sin, exp or matmul,
and no sums whose order a library may choose.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .shapes import CLASS_NAMES, KINDS, PLACES, TONES, Part

# Change VERSION whenever the pictures change: caches hold it, thresholds are calibrated for it.
VERSION = 1
TRAIN_SEED, TEST_SEED, PRIVATE_SEED = 1, 2, 3
N_TRAIN, N_TEST, N_PRIVATE = 5_000, 1_000, 2_000

SIZE = 32
FINE = 2 * SIZE  # drawn at twice the size, then averaged 2x2: smooth edges
CHUNK = 50  # images drawn at once: small enough to stay in the processor's cache

# (cosine, sine) of -18 to 18 degrees in steps of 3, rounded here once and for all.
TURNS = np.array(
    [(0.9511, -0.309), (0.9659, -0.2588), (0.9781, -0.2079), (0.9877, -0.1564), (0.9945, -0.1045),
     (0.9986, -0.0523), (1.0, 0.0), (0.9986, 0.0523), (0.9945, 0.1045), (0.9877, 0.1564),
     (0.9781, 0.2079), (0.9659, 0.2588), (0.9511, 0.309)],
    dtype=np.float32,
)  # fmt: skip

# The palette of an image: nothing, the tones of its subject, then five odd colours of clutter.
CLUTTER_COLOURS = 5
FIRST_CLUTTER = 1 + len(TONES)
COLOURS = FIRST_CLUTTER + CLUTTER_COLOURS


@dataclass(frozen=True)
class Difficulty:
    """How much the pictures vary: tuned to cost a small convnet about what CIFAR-10 does."""

    scale: tuple[float, float] = (0.5, 0.95)
    shift: float = 0.32  # of the subject's centre, in half-widths of the image
    stretch: float = 0.22
    jitter: float = 0.05  # of each corner
    tint: float = 26.0  # of each colour, in grey levels
    behind: int = 4  # pieces of clutter behind the subject
    before: int = 2  # and before it
    texture: float = 42.0
    contrast: tuple[float, float] = (0.55, 1.15)
    noise: tuple[float, float] = (3.0, 20.0)


DIFFICULTY = Difficulty()


class Dice:
    """Chance from the raw PCG64 stream, whose values NumPy guarantees."""

    def __init__(self, *seed: int) -> None:
        self._bits = np.random.PCG64(list(seed))

    def raw(self, *shape: int) -> np.ndarray:
        """uint64, all values alike."""
        return self._bits.random_raw(int(np.prod(shape))).reshape(shape)

    def real(self, low: float, high: float, *shape: int) -> np.ndarray:
        """float32, uniform in [low, high)."""
        unit = (self.raw(*shape) >> np.uint64(40)).astype(np.float32) / np.float32(2**24)
        return np.float32(low) + np.float32(high - low) * unit

    def pick(self, n: int, *shape: int) -> np.ndarray:
        """Integers, uniform in 0..n-1."""
        return (((self.raw(*shape) >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32)).astype(
            np.intp
        )

    def bell(self, *shape: int) -> np.ndarray:
        """float32, nearly normal with mean 0 and deviation 1: the sum of eight bytes."""
        total = self.raw(*shape, 1).view(np.uint8).sum(axis=-1, dtype=np.int32)  # integers: exact
        normal: np.ndarray = (total - 1020).astype(np.float32) / np.float32(209)
        return normal


def draw(seed: int, n: int, difficulty: Difficulty = DIFFICULTY) -> tuple[np.ndarray, np.ndarray]:
    """Draw `n` pictures: images uint8 (n, 32, 32, 3), labels uint8 (n, 1), balanced and shuffled.

    The same seed and number give the same bytes everywhere.
    """
    images = np.empty((n, SIZE, SIZE, 3), np.uint8)
    labels = np.arange(n) % len(CLASS_NAMES)
    labels = labels[np.argsort(Dice(seed, 99).raw(n), kind="stable")]
    for label, name in enumerate(CLASS_NAMES):
        rows = np.flatnonzero(labels == label)
        dice = Dice(seed, label)
        view = dice.pick(len(KINDS[name].views), len(rows))
        for v in range(len(KINDS[name].views)):
            mine = rows[view == v]
            for start in range(0, len(mine), CHUNK):
                some = mine[start : start + CHUNK]
                images[some] = _pictures(dice, name, v, len(some), difficulty)
    return images, labels.astype(np.uint8)[:, None]


def _pictures(dice: Dice, name: str, view: int, n: int, how: Difficulty) -> np.ndarray:
    kind = KINDS[name]
    frame = _Frame.random(dice, n, how)
    index = np.zeros((n, FINE, FINE), np.uint8)
    _clutter(dice, index, how.behind, 0.15, 0.6)
    for part in kind.views[view]:
        frame.paint(dice, index, part, TONES.index(part.tone) + 1, how.jitter)
    _clutter(dice, index, how.before, 0.08, 0.28)
    palette = _palette(dice, n, kind.colours, how)
    picture = _blend(dice, index, palette, _background(dice, n, kind.places, how), how)
    return _camera(dice, picture, how)


@dataclass(frozen=True)
class _Frame:
    """Where each subject stands in its image: centre, size and turn, each (n,)."""

    cos: np.ndarray
    sin: np.ndarray
    x: np.ndarray
    y: np.ndarray
    width: np.ndarray  # negative where the subject looks to the left
    height: np.ndarray

    @classmethod
    def random(cls, dice: Dice, n: int, how: Difficulty) -> _Frame:
        turn = TURNS[dice.pick(len(TURNS), n)]
        scale = dice.real(*how.scale, n)
        mirror = (1 - 2 * dice.pick(2, n)).astype(np.float32)
        return cls(
            cos=turn[:, 0],
            sin=turn[:, 1],
            x=dice.real(-how.shift, how.shift, n),
            y=dice.real(-how.shift, how.shift, n),
            width=scale * dice.real(1 - how.stretch, 1 + how.stretch, n) * mirror,
            height=scale,
        )

    def paint(self, dice: Dice, index: np.ndarray, part: Part, colour: int, jitter: float) -> None:
        """Paint one part onto `index`, a little different in each image."""
        n = len(index)
        points = np.array(part.points, np.float32) + dice.real(
            -jitter, jitter, n, len(part.points), 2
        )
        shown = dice.real(0, 1, n) < np.float32(part.chance)
        inside = self._oval(points) if part.oval else self._polygon(points)
        inside &= shown[:, None, None]
        np.putmask(index, inside, np.uint8(colour))

    def _polygon(self, points: np.ndarray) -> np.ndarray:
        x, y = points[..., 0] * self.width[:, None], points[..., 1] * self.height[:, None]
        u = self.cos[:, None] * x - self.sin[:, None] * y + self.x[:, None]
        v = self.sin[:, None] * x + self.cos[:, None] * y + self.y[:, None]
        # A mirror turns the order of the corners round.
        hand = np.where(self.width < 0, np.float32(-1), np.float32(1))
        return _convex(u, v, hand)

    def _oval(self, points: np.ndarray) -> np.ndarray:
        (cx, cy), (rx, ry) = points[:, 0].T, np.maximum(points[:, 1].T, np.float32(0.03))
        # Local coordinates minus the centre, over the radii: linear in u and v.
        px, py = self.width * rx, self.height * ry
        a, b = self.cos / px, self.sin / px
        c, d = -self.sin / py, self.cos / py
        p = _line(a, b, -(a * self.x + b * self.y) - cx / rx)
        q = _line(c, d, -(c * self.x + d * self.y) - cy / ry)
        inside: np.ndarray = p * p + q * q <= 1
        return inside


# Pixel centres of the fine grid, from -1 to 1.
_GRID = (np.arange(FINE, dtype=np.float32) + np.float32(0.5)) / np.float32(SIZE) - np.float32(1)


def _line(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """a*u + b*v + c on the fine grid, for each image: (n, FINE, FINE)."""
    across, down = a[:, None] * _GRID + c[:, None], b[:, None] * _GRID
    line: np.ndarray = across[:, None, :] + down[:, :, None]
    return line


def _convex(u: np.ndarray, v: np.ndarray, hand: np.ndarray) -> np.ndarray:
    """Inside the convex polygons with corners (u, v), each (n, corners)."""
    inside = np.ones((len(u), FINE, FINE), bool)
    for i in range(u.shape[1]):
        j = (i + 1) % u.shape[1]
        du, dv = (u[:, j] - u[:, i]) * hand, (v[:, j] - v[:, i]) * hand
        # du*(V - v) - dv*(U - u) >= 0, as one comparison of a column with a row.
        column = du[:, None] * (_GRID - v[:, i, None])
        row = dv[:, None] * (_GRID - u[:, i, None])
        inside &= column[:, :, None] >= row[:, None, :]
    return inside


def _clutter(dice: Dice, index: np.ndarray, most: int, small: float, large: float) -> None:
    """Up to `most` ovals and triangles anywhere in each image, in colours that mean nothing."""
    n = len(index)
    for i in range(most):
        x, y = dice.real(-1, 1, n, 1), dice.real(-1, 1, n, 1)
        size = dice.real(small, large, n, 1)
        shown = dice.pick(2, n) == 1
        if i % 2:
            first, second, third = (dice.real(-1, 1, n, 2) * size for _ in range(3))
            u = x + np.stack([first[:, 0], second[:, 0], third[:, 0]], axis=1)
            v = y + np.stack([first[:, 1], second[:, 1], third[:, 1]], axis=1)
            area = (u[:, 1] - u[:, 0]) * (v[:, 2] - v[:, 0]) - (v[:, 1] - v[:, 0]) * (
                u[:, 2] - u[:, 0]
            )
            inside = _convex(u, v, np.where(area < 0, np.float32(-1), np.float32(1)))
        else:
            rx, ry = size[:, 0], size[:, 0] * dice.real(0.3, 1, n)
            zero = np.zeros(n, np.float32)
            p, q = _line(1 / rx, zero, -x[:, 0] / rx), _line(zero, 1 / ry, -y[:, 0] / ry)
            inside = p * p + q * q <= 1
        inside &= shown[:, None, None]
        np.putmask(index, inside, np.uint8(FIRST_CLUTTER + i % CLUTTER_COLOURS))


def _palette(
    dice: Dice, n: int, colours: tuple[tuple[int, int, int], ...], how: Difficulty
) -> np.ndarray:
    """(n, COLOURS, 3) float32, colour 0 black: nothing is painted there."""
    body = np.array(colours, np.float32)[dice.pick(len(colours), n)] + dice.real(
        -how.tint, how.tint, n, 3
    )
    tones = {
        "body": body,
        "shade": body * dice.real(0.5, 0.85, n, 1),
        "light": body + (np.float32(235) - body) * dice.real(0.25, 0.7, n, 1),
        "dark": dice.real(10, 70, n, 1) + dice.real(-10, 10, n, 3),
        "pale": dice.real(185, 250, n, 1) + dice.real(-20, 5, n, 3),
        "glass": np.array((120, 165, 175), np.float32) + dice.real(-how.tint, how.tint, n, 3),
        "accent": dice.real(30, 225, n, 3),
    }
    nothing = np.zeros((n, 1, 3), np.float32)
    odd = dice.real(20, 235, n, CLUTTER_COLOURS, 3)
    return np.concatenate([nothing, np.stack([tones[t] for t in TONES], axis=1), odd], axis=1)


def _background(dice: Dice, n: int, places: tuple[str, ...], how: Difficulty) -> np.ndarray:
    """(n, SIZE, SIZE, 3): a place above and below a horizon, at any height."""
    colours = np.array([PLACES[p] for p in places], np.float32)[dice.pick(len(places), n)]
    colours = colours + dice.real(-how.tint, how.tint, n, 2, 3)
    edge = dice.real(0.15, 0.85, n, 1) * SIZE
    soft = dice.real(0.5, 10, n, 1)
    rows = np.arange(SIZE, dtype=np.float32)
    below = np.clip((rows - edge) / soft + np.float32(0.5), 0, 1)[:, :, None]
    column = colours[:, :1] * (1 - below) + colours[:, 1:] * below
    texture = _cloud(dice, n, 5) + _cloud(dice, n, 12)
    rough = texture * dice.real(0.1, 1, n, 1, 1) * np.float32(how.texture)
    ground: np.ndarray = column[:, :, None, :] + rough[..., None]
    return ground


def _cloud(dice: Dice, n: int, cells: int) -> np.ndarray:
    """(n, SIZE, SIZE) smooth noise between -1 and 1: a coarse grid of chance, interpolated."""
    grid = dice.real(-1, 1, n, cells + 1, cells + 1)
    at = np.arange(SIZE, dtype=np.float32) * np.float32(cells) / np.float32(SIZE)
    low = at.astype(np.intp)
    part = at - low.astype(np.float32)
    rows = grid[:, low] * (1 - part)[:, None] + grid[:, low + 1] * part[:, None]
    cloud: np.ndarray = rows[:, :, low] * (1 - part) + rows[:, :, low + 1] * part
    return cloud


def _blend(
    dice: Dice, index: np.ndarray, palette: np.ndarray, ground: np.ndarray, how: Difficulty
) -> np.ndarray:
    """Average the fine grid 2x2 over the background; give the subject a texture and a shading."""
    n = len(index)
    flat = index.reshape(n, -1, 1)
    fine = np.take_along_axis(palette, flat.astype(np.intp), axis=1).reshape(n, SIZE, 2, SIZE, 2, 3)
    colour = (fine[:, :, 0, :, 0] + fine[:, :, 0, :, 1]) + (
        fine[:, :, 1, :, 0] + fine[:, :, 1, :, 1]
    )
    there = (index > 0).reshape(n, SIZE, 2, SIZE, 2).astype(np.float32)
    cover = (there[:, :, 0, :, 0] + there[:, :, 0, :, 1]) + (
        there[:, :, 1, :, 0] + there[:, :, 1, :, 1]
    )
    light = (
        1
        + _cloud(dice, n, 2) * dice.real(0, 0.35, n, 1, 1)
        + _cloud(dice, n, 10) * dice.real(0, 0.25, n, 1, 1)
    )
    quarter = np.float32(0.25)
    subject, around = colour * quarter * light[..., None], (1 - cover * quarter)[..., None]
    picture: np.ndarray = subject + ground * around
    return picture


def _camera(dice: Dice, picture: np.ndarray, how: Difficulty) -> np.ndarray:
    """Contrast, brightness, colour cast and grain; then whole numbers from 0 to 255."""
    n = len(picture)
    contrast = dice.real(*how.contrast, n, 1, 1, 1)
    level = dice.real(85, 165, n, 1, 1, 1) + dice.real(-18, 18, n, 1, 1, 3)
    grain = dice.bell(n, SIZE, SIZE, 3) * dice.real(*how.noise, n, 1, 1, 1)
    seen = (picture - np.float32(125)) * contrast + level + grain
    whole: np.ndarray = np.clip(np.floor(seen + np.float32(0.5)), 0, 255).astype(np.uint8)
    return whole
