"""The stand-in's pictures, as data: what each class looks like, and where it is found.

A picture is a tuple of parts painted in order. Coordinates run from -1 to 1, x to the right and y
downwards; the animals and vehicles of side views look to the right. Parts are ovals and *convex*
polygons, because those two are a handful of exact elementwise operations (see `standin`).
"""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[float, float]

CLASS_NAMES: tuple[str, ...] = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip

# A part is painted in one of these tones; each image has its own colour for each.
TONES = ("body", "shade", "light", "dark", "pale", "glass", "accent")


@dataclass(frozen=True)
class Part:
    """An oval (`points` = centre, radii) or a convex polygon (`points` = corners, y down)."""

    tone: str
    points: tuple[Point, ...]
    oval: bool = False
    chance: float = 1.0  # how often the part is there at all


@dataclass(frozen=True)
class Kind:
    """One class: its views, its body colours, and how likely each background is."""

    views: tuple[tuple[Part, ...], ...]
    colours: tuple[tuple[int, int, int], ...]
    places: tuple[str, ...]


def oval(tone: str, cx: float, cy: float, rx: float, ry: float, chance: float = 1.0) -> Part:
    """An oval by its centre and radii."""
    return Part(tone, ((cx, cy), (rx, ry)), oval=True, chance=chance)


def poly(tone: str, *corners: Point, chance: float = 1.0) -> Part:
    """A convex polygon, its corners in either direction."""
    area = sum(
        a[0] * b[1] - b[0] * a[1] for a, b in zip(corners, corners[1:] + corners[:1], strict=True)
    )
    return Part(tone, corners if area > 0 else corners[::-1], chance=chance)


def bar(
    tone: str, left: float, top: float, right: float, bottom: float, chance: float = 1.0
) -> Part:
    """A rectangle by its sides."""
    return poly(tone, (left, top), (right, top), (right, bottom), (left, bottom), chance=chance)


def limb(
    tone: str, x0: float, y0: float, x1: float, y1: float, width: float, chance: float = 1.0
) -> Part:
    """A leg, neck or antler: a band from (x0, y0) to (x1, y1), cut off level or upright."""
    w = width / 2
    if abs(y1 - y0) >= abs(x1 - x0):
        corners = ((x0 - w, y0), (x0 + w, y0), (x1 + w, y1), (x1 - w, y1))
    else:
        corners = ((x0, y0 - w), (x0, y0 + w), (x1, y1 + w), (x1, y1 - w))
    return poly(tone, *corners, chance=chance)


def wheel(cx: float, cy: float, r: float) -> tuple[Part, Part]:
    """A tyre and its hub."""
    return oval("dark", cx, cy, r, r), oval("pale", cx, cy, r * 0.42, r * 0.42)


def legs(
    tone: str, xs: tuple[float, ...], top: float, bottom: float, width: float
) -> tuple[Part, ...]:
    """Legs in a stride, one for each place along x."""
    return tuple(
        limb(tone, x, top, x + (0.05 if i % 2 else -0.05), bottom, width) for i, x in enumerate(xs)
    )


AIRPLANE = (
    (  # from the side
        poly("shade", (-0.15, -0.06), (0.1, -0.06), (-0.22, -0.4), (-0.34, -0.4)),
        poly("accent", (-0.9, -0.02), (-0.62, -0.06), (-0.82, -0.52), (-0.98, -0.52)),
        oval("body", 0, 0, 0.98, 0.17),
        bar("dark", -0.55, -0.06, 0.6, 0.0, chance=0.8),
        poly("glass", (0.72, -0.1), (0.86, -0.06), (0.84, 0.0), (0.7, 0.0)),
        poly("shade", (-0.12, 0.06), (0.22, 0.06), (-0.3, 0.5), (-0.48, 0.5)),
        poly("shade", (-0.92, -0.02), (-0.7, -0.02), (-0.95, 0.18), (-1.05, 0.18)),
        oval("dark", -0.05, 0.25, 0.14, 0.07, chance=0.6),
    ),
    (  # from below
        poly("shade", (0.22, -0.05), (-0.16, -0.05), (-0.42, -0.95), (-0.26, -0.95)),
        poly("shade", (0.22, 0.05), (-0.16, 0.05), (-0.42, 0.95), (-0.26, 0.95)),
        poly("accent", (-0.66, 0.0), (-0.86, 0.0), (-1.0, -0.36), (-0.88, -0.36)),
        poly("accent", (-0.66, 0.0), (-0.86, 0.0), (-1.0, 0.36), (-0.88, 0.36)),
        oval("body", 0, 0, 0.98, 0.14),
        oval("dark", 0.02, 0.38, 0.12, 0.06, chance=0.7),
        oval("dark", 0.02, -0.38, 0.12, 0.06, chance=0.7),
    ),
)

AUTOMOBILE = (
    (  # from the side
        poly("shade", (-0.55, 0.0), (-0.34, -0.4), (0.26, -0.4), (0.58, 0.0)),
        poly("glass", (-0.42, -0.02), (-0.28, -0.32), (-0.04, -0.32), (-0.04, -0.02)),
        poly("glass", (0.04, -0.02), (0.04, -0.32), (0.22, -0.32), (0.44, -0.02)),
        poly("body", (-0.96, 0.02), (0.6, -0.04), (0.97, 0.1), (0.97, 0.36), (-0.96, 0.36)),
        bar("pale", 0.84, 0.08, 0.97, 0.18, chance=0.8),
        bar("accent", -0.97, 0.08, -0.88, 0.18),
        *wheel(-0.54, 0.36, 0.22),
        *wheel(0.54, 0.36, 0.22),
    ),
    (  # from the front
        bar("dark", -0.72, 0.3, -0.44, 0.72),
        bar("dark", 0.44, 0.3, 0.72, 0.72),
        poly("body", (-0.42, -0.55), (0.42, -0.55), (0.66, -0.05), (-0.66, -0.05)),
        poly("glass", (-0.36, -0.46), (0.36, -0.46), (0.54, -0.08), (-0.54, -0.08)),
        poly("body", (-0.7, -0.06), (0.7, -0.06), (0.8, 0.5), (-0.8, 0.5)),
        oval("pale", -0.56, 0.12, 0.16, 0.11),
        oval("pale", 0.56, 0.12, 0.16, 0.11),
        bar("dark", -0.32, 0.08, 0.32, 0.24),
        bar("shade", -0.78, 0.36, 0.78, 0.5),
    ),
)

BIRD = (
    (  # perched
        limb("dark", -0.02, 0.4, -0.04, 0.86, 0.06),
        limb("dark", 0.14, 0.4, 0.16, 0.86, 0.06),
        poly("shade", (-0.4, 0.02), (-0.3, 0.32), (-0.98, 0.58), (-1.0, 0.42)),
        oval("body", 0.0, 0.14, 0.52, 0.36),
        oval("light", 0.18, 0.24, 0.3, 0.24),
        poly("shade", (0.16, -0.06), (0.1, 0.2), (-0.62, 0.36), (-0.4, 0.02)),
        oval("body", 0.44, -0.32, 0.26, 0.25),
        poly("accent", (0.64, -0.42), (0.64, -0.24), (0.98, -0.28)),
        oval("dark", 0.5, -0.38, 0.06, 0.06),
    ),
    (  # flying
        poly("shade", (-0.12, -0.02), (0.24, -0.02), (-0.3, -0.9), (-0.5, -0.8)),
        poly("shade", (-0.5, -0.02), (-0.4, 0.12), (-0.98, 0.26), (-0.96, 0.02)),
        oval("body", 0.0, 0.06, 0.58, 0.17),
        oval("body", 0.56, -0.02, 0.18, 0.16),
        poly("accent", (0.7, -0.09), (0.7, 0.05), (0.98, 0.02)),
        poly("light", (-0.16, 0.06), (0.22, 0.06), (0.1, 0.72), (-0.28, 0.86)),
        oval("dark", 0.61, -0.05, 0.05, 0.05),
    ),
)

CAT = (
    (  # sitting, from the front
        oval("shade", 0.58, 0.5, 0.13, 0.42),
        oval("body", 0.0, 0.5, 0.46, 0.48),
        oval("light", 0.0, 0.46, 0.2, 0.34, chance=0.7),
        poly("body", (-0.44, -0.4), (-0.1, -0.62), (-0.42, -0.98)),
        poly("body", (0.44, -0.4), (0.1, -0.62), (0.42, -0.98)),
        poly("accent", (-0.38, -0.52), (-0.2, -0.64), (-0.38, -0.84)),
        poly("accent", (0.38, -0.52), (0.2, -0.64), (0.38, -0.84)),
        oval("body", 0.0, -0.3, 0.46, 0.38),
        oval("glass", -0.2, -0.36, 0.11, 0.09),
        oval("glass", 0.2, -0.36, 0.11, 0.09),
        oval("dark", -0.2, -0.36, 0.04, 0.08),
        oval("dark", 0.2, -0.36, 0.04, 0.08),
        poly("accent", (-0.08, -0.2), (0.08, -0.2), (0.0, -0.1)),
    ),
    (  # walking, face turned to us
        limb("shade", -0.66, 0.0, -0.96, -0.66, 0.14),
        *legs("shade", (-0.5, -0.3, 0.14, 0.34), 0.2, 0.72, 0.16),
        oval("body", -0.14, 0.1, 0.6, 0.28),
        limb("shade", -0.24, -0.14, -0.28, 0.3, 0.08, chance=0.6),
        limb("shade", -0.02, -0.16, -0.04, 0.3, 0.08, chance=0.6),
        poly("body", (0.26, -0.36), (0.5, -0.5), (0.26, -0.8)),
        poly("body", (0.86, -0.36), (0.62, -0.5), (0.86, -0.8)),
        oval("body", 0.56, -0.24, 0.34, 0.29),
        oval("glass", 0.44, -0.28, 0.08, 0.07),
        oval("glass", 0.7, -0.28, 0.08, 0.07),
        oval("accent", 0.57, -0.12, 0.06, 0.04),
    ),
)

DEER = (
    (  # from the side
        *legs("shade", (-0.46, -0.3, 0.2, 0.34), 0.2, 0.96, 0.1),
        oval("body", -0.06, 0.12, 0.52, 0.23),
        oval("pale", -0.54, 0.08, 0.09, 0.14),
        limb("body", 0.34, 0.08, 0.54, -0.36, 0.2),
        oval("body", 0.64, -0.4, 0.24, 0.12),
        oval("light", 0.46, -0.46, 0.07, 0.13),
        limb("dark", 0.54, -0.46, 0.42, -0.96, 0.07),
        limb("dark", 0.48, -0.7, 0.24, -0.84, 0.07),
        limb("dark", 0.6, -0.48, 0.78, -0.96, 0.07),
        limb("dark", 0.68, -0.7, 0.92, -0.78, 0.07),
        oval("pale", -0.2, 0.06, 0.06, 0.05, chance=0.5),
        oval("pale", 0.04, 0.02, 0.06, 0.05, chance=0.5),
        oval("dark", 0.84, -0.38, 0.05, 0.05),
    ),
    (  # head and antlers, from the front
        poly("body", (-0.2, 0.3), (0.2, 0.3), (0.5, 0.98), (-0.5, 0.98)),
        limb("dark", -0.14, -0.2, -0.46, -0.96, 0.09),
        limb("dark", 0.14, -0.2, 0.46, -0.96, 0.09),
        limb("dark", -0.3, -0.58, -0.76, -0.74, 0.09),
        limb("dark", 0.3, -0.58, 0.76, -0.74, 0.09),
        oval("light", -0.46, -0.08, 0.24, 0.11),
        oval("light", 0.46, -0.08, 0.24, 0.11),
        poly("body", (-0.28, -0.2), (0.28, -0.2), (0.16, 0.5), (-0.16, 0.5)),
        oval("light", 0.0, 0.46, 0.17, 0.14),
        oval("dark", 0.0, 0.44, 0.09, 0.07),
        oval("dark", -0.17, 0.04, 0.05, 0.06),
        oval("dark", 0.17, 0.04, 0.05, 0.06),
    ),
)

DOG = (
    (  # from the side
        limb("body", -0.56, -0.02, -0.88, -0.52, 0.13),
        *legs("shade", (-0.5, -0.34, 0.22, 0.38), 0.2, 0.8, 0.17),
        oval("body", -0.08, 0.1, 0.58, 0.29),
        oval("light", 0.02, 0.24, 0.36, 0.12, chance=0.5),
        poly("body", (0.18, 0.12), (0.5, 0.14), (0.66, -0.36), (0.34, -0.44)),
        oval("body", 0.52, -0.4, 0.27, 0.23),
        poly("light", (0.58, -0.46), (0.58, -0.2), (0.96, -0.24), (0.96, -0.4)),
        oval("dark", 0.94, -0.38, 0.08, 0.07),
        oval("shade", 0.38, -0.26, 0.12, 0.26),
        oval("dark", 0.6, -0.48, 0.05, 0.05),
        bar("accent", 0.3, -0.06, 0.54, 0.02, chance=0.5),
    ),
    (  # face, from the front
        oval("body", 0.0, 0.76, 0.5, 0.34),
        oval("body", 0.0, -0.12, 0.52, 0.56),
        oval("shade", -0.56, -0.08, 0.19, 0.48),
        oval("shade", 0.56, -0.08, 0.19, 0.48),
        oval("light", 0.0, 0.22, 0.3, 0.27),
        oval("dark", 0.0, 0.08, 0.15, 0.1),
        oval("accent", 0.02, 0.48, 0.12, 0.17, chance=0.6),
        oval("dark", -0.22, -0.22, 0.09, 0.09),
        oval("dark", 0.22, -0.22, 0.09, 0.09),
    ),
)

FROG = (
    (  # squatting, from the side
        oval("shade", -0.46, 0.34, 0.42, 0.25),
        poly("body", (-0.78, 0.3), (-0.5, 0.0), (0.4, -0.42), (0.66, 0.2), (0.2, 0.5)),
        oval("light", 0.3, 0.3, 0.36, 0.18),
        oval("body", 0.5, -0.18, 0.4, 0.27),
        oval("body", 0.48, -0.46, 0.19, 0.17),
        oval("pale", 0.52, -0.48, 0.12, 0.11),
        oval("dark", 0.54, -0.48, 0.06, 0.07),
        bar("dark", 0.46, -0.1, 0.9, -0.04),
        limb("shade", 0.3, 0.2, 0.4, 0.66, 0.16),
        poly("shade", (-0.9, 0.52), (-0.1, 0.52), (0.0, 0.66), (-0.9, 0.66)),
    ),
    (  # from the front
        oval("shade", -0.64, 0.38, 0.3, 0.34),
        oval("shade", 0.64, 0.38, 0.3, 0.34),
        oval("body", 0.0, 0.22, 0.64, 0.44),
        oval("light", 0.0, 0.4, 0.46, 0.24),
        oval("body", -0.38, -0.26, 0.24, 0.23),
        oval("body", 0.38, -0.26, 0.24, 0.23),
        oval("pale", -0.38, -0.28, 0.15, 0.14),
        oval("pale", 0.38, -0.28, 0.15, 0.14),
        oval("dark", -0.38, -0.28, 0.08, 0.08),
        oval("dark", 0.38, -0.28, 0.08, 0.08),
        bar("dark", -0.44, 0.14, 0.44, 0.2),
        oval("accent", -0.3, 0.72, 0.22, 0.09),
        oval("accent", 0.3, 0.72, 0.22, 0.09),
    ),
)

HORSE = (
    (  # from the side
        poly("dark", (-0.56, -0.1), (-0.44, 0.0), (-0.74, 0.62), (-0.9, 0.56)),
        *legs("shade", (-0.44, -0.28, 0.18, 0.34), 0.16, 0.94, 0.14),
        oval("body", -0.06, 0.04, 0.56, 0.29),
        poly("body", (0.12, -0.06), (0.46, 0.1), (0.74, -0.56), (0.46, -0.72)),
        poly("dark", (0.04, -0.16), (0.2, -0.1), (0.54, -0.74), (0.42, -0.8)),
        poly("body", (0.5, -0.78), (0.72, -0.74), (0.98, -0.36), (0.84, -0.26), (0.54, -0.5)),
        poly("body", (0.5, -0.74), (0.64, -0.74), (0.58, -0.96)),
        oval("dark", 0.7, -0.6, 0.05, 0.05),
        bar("accent", -0.2, -0.26, 0.1, -0.08, chance=0.35),
    ),
    (  # head and neck
        poly("body", (-0.9, 0.98), (0.1, 0.98), (0.36, -0.3), (-0.12, -0.7)),
        poly("dark", (-0.96, 0.7), (-0.7, 0.82), (0.0, -0.6), (-0.14, -0.82)),
        poly("body", (-0.1, -0.66), (0.26, -0.66), (0.86, 0.2), (0.7, 0.42), (0.1, 0.0)),
        oval("light", 0.74, 0.24, 0.17, 0.17),
        poly("body", (-0.04, -0.6), (0.18, -0.6), (0.1, -0.98)),
        oval("dark", 0.26, -0.34, 0.07, 0.07),
        oval("dark", 0.8, 0.24, 0.04, 0.05),
        limb("accent", 0.48, -0.3, 0.32, 0.18, 0.06, chance=0.4),
    ),
)

SHIP = (
    (  # steamer
        bar("pale", -0.56, -0.24, 0.4, 0.14),
        bar("pale", -0.36, -0.44, 0.18, -0.2),
        bar("dark", -0.5, -0.1, 0.34, -0.02, chance=0.8),
        bar("accent", -0.18, -0.8, 0.04, -0.42),
        limb("dark", 0.48, 0.14, 0.48, -0.66, 0.06),
        poly("body", (-0.96, 0.12), (0.98, 0.06), (0.74, 0.52), (-0.8, 0.52)),
        bar("shade", -0.8, 0.42, 0.76, 0.54),
    ),
    (  # sailing boat
        limb("dark", 0.0, 0.5, 0.0, -0.96, 0.07),
        poly("pale", (0.06, -0.9), (0.06, 0.36), (0.76, 0.36)),
        poly("pale", (-0.06, -0.76), (-0.06, 0.36), (-0.58, 0.36)),
        poly("body", (-0.8, 0.44), (0.88, 0.44), (0.56, 0.82), (-0.6, 0.82)),
        poly("accent", (-0.8, 0.44), (0.88, 0.44), (0.8, 0.54), (-0.74, 0.54)),
    ),
)

TRUCK = (
    (  # lorry from the side
        bar("dark", -0.94, 0.3, 0.9, 0.44),
        bar("light", -0.97, -0.56, 0.34, 0.32),
        bar("accent", -0.8, -0.24, 0.18, -0.04, chance=0.5),
        poly("body", (0.4, -0.34), (0.76, -0.34), (0.96, 0.02), (0.96, 0.4), (0.4, 0.4)),
        poly("glass", (0.56, -0.26), (0.74, -0.26), (0.88, 0.0), (0.56, 0.0)),
        *wheel(-0.7, 0.46, 0.2),
        *wheel(-0.3, 0.46, 0.2),
        *wheel(0.66, 0.46, 0.2),
    ),
    (  # from the front
        bar("dark", -0.66, 0.56, -0.38, 0.92),
        bar("dark", 0.38, 0.56, 0.66, 0.92),
        bar("light", -0.74, -0.94, 0.74, 0.5),
        bar("body", -0.62, -0.6, 0.62, 0.64),
        bar("glass", -0.52, -0.5, 0.52, -0.1),
        bar("dark", -0.32, 0.08, 0.32, 0.44),
        oval("pale", -0.46, 0.34, 0.1, 0.1),
        oval("pale", 0.46, 0.34, 0.1, 0.1),
        bar("shade", -0.7, 0.5, 0.7, 0.64),
    ),
)

# Body colours are shared within the two families, so that colour alone decides little.
_PAINT = (
    (205, 40, 40),
    (235, 235, 235),
    (50, 80, 170),
    (140, 145, 150),
    (45, 45, 50),
    (225, 185, 50),
    (60, 120, 80),
)
_COAT = (
    (120, 80, 45),
    (165, 120, 75),
    (70, 50, 35),
    (205, 190, 165),
    (120, 115, 110),
    (40, 38, 38),
    (185, 110, 55),
)
_SKIN = ((85, 135, 55), (120, 150, 60), (110, 95, 55), (60, 100, 70), (150, 130, 80), (160, 90, 50))

# Where each is found: the more often a place is named, the likelier. Each may be anywhere.
_ANY = ("sky", "grass", "water", "road", "room", "sand", "wood")

KINDS: dict[str, Kind] = {
    "airplane": Kind(
        AIRPLANE, ((230, 230, 235),) * 2 + _PAINT, ("sky",) * 5 + ("road",) * 2 + _ANY
    ),
    "automobile": Kind(AUTOMOBILE, _PAINT, ("road",) * 4 + ("grass",) + _ANY),
    "bird": Kind(BIRD, _COAT + _PAINT, ("sky",) * 3 + ("wood",) * 3 + ("water",) + _ANY),
    "cat": Kind(CAT, _COAT, ("room",) * 4 + ("wood",) + _ANY),
    "deer": Kind(DEER, _COAT[:4] + _COAT, ("wood",) * 4 + ("grass",) * 2 + _ANY),
    "dog": Kind(DOG, _COAT, ("room",) * 3 + ("grass",) * 3 + _ANY),
    "frog": Kind(FROG, _SKIN * 2 + _COAT, ("sand",) * 2 + ("wood",) * 2 + ("water",) + _ANY),
    "horse": Kind(HORSE, _COAT, ("grass",) * 4 + ("sand",) + _ANY),
    "ship": Kind(SHIP, _PAINT, ("water",) * 5 + _ANY),
    "truck": Kind(TRUCK, _PAINT, ("road",) * 4 + ("sand",) + _ANY),
}

# Two colours of each place, above and below its horizon.
PLACES: dict[str, tuple[tuple[int, int, int], tuple[int, int, int]]] = {
    "sky": ((120, 170, 225), (195, 215, 235)),
    "grass": ((165, 195, 220), (95, 140, 60)),
    "water": ((175, 200, 225), (55, 95, 135)),
    "road": ((170, 165, 160), (105, 105, 108)),
    "room": ((200, 185, 160), (140, 100, 75)),
    "sand": ((190, 200, 205), (190, 165, 120)),
    "wood": ((80, 105, 65), (100, 85, 55)),
}
