"""What one value may have at most; both ends hold to the same numbers."""

from __future__ import annotations

DEPTH = 64
"""Containers within containers."""

NODES = 3_000_000
"""Single values, each counted as often as it is reached."""

BUFFERS = 300_000
"""Arrays, bytes, and texts of 1000 characters or more."""

BYTES_AS_VALUE = 100
"""Bytes of an array that count as one single value, so that references to it are bounded."""

TREE_BYTES = 16_000_000
"""The JSON part; arrays, long texts and lists of numbers are not in it."""

INTEGER_BITS = 13_288
"""About 4,000 digits, less than Python writes out as text by itself (4,300)."""

ITERATOR_ITEMS = 100_000
"""Items that are taken from an iterator before it counts as endless."""

LAZY_LENGTH = 10_000_000
"""Items of a range or RangeIndex, which take no memory until they are listed."""

SAME_HASH = 200
"""Keys of one dict or set that may share a hash; more would make it slow."""

NAMED_FIELDS = 200
"""Fields of a named tuple."""

AXES = 200
"""Pairs of axes on one figure."""

DRAWN = 10_000
"""Lines, images, texts and the like on one figure."""

TICKS = 100
"""Ticks of one axis whose places and labels are handed out."""
