"""Pillow's images: mode, size and pixels."""

from __future__ import annotations

from typing import Any

from PIL import Image

_MODES = ("1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "LA", "I;16")


def pack(value: Any) -> list[Any] | None:
    """The mode, the size, the pixels, and the colours of a palette."""
    if not isinstance(value, Image.Image):
        return None
    value.load()
    if value.mode not in _MODES:
        return None
    palette = value.getpalette() if value.mode == "P" else None
    return [value.mode, list(value.size), value.tobytes(), palette, value.format]


def unpack(parts: Any) -> Image.Image:
    """The image."""
    mode, size, pixels, palette, form = parts
    if mode not in _MODES or len(size) != 2 or not all(type(n) is int and n >= 0 for n in size):
        raise ValueError("no image")
    bits = size[0] * size[1] * (1 if mode == "1" else 8)
    if type(pixels) is not bytes or len(pixels) * 8 < bits:
        raise ValueError("no pixels")
    made = Image.frombytes(mode, tuple(size), pixels)
    if palette is not None:
        made.putpalette([int(number) for number in palette[:1024]])
    made.format = form if type(form) is str else None
    return made
