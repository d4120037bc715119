"""Which cells a test is thought to rest on."""

from __future__ import annotations

import pytest
from nbjudge.cells.names import SourceCell
from nbjudge.vet.slices import cells_for


def needed(*sources: str) -> list[int]:
    """The places that the last source, a test, needs; others named "test …" are tests, too."""
    cells = [
        SourceCell(f"cell-{place}", source, is_test=source.startswith("# test"), is_solution=False)
        for place, source in enumerate(sources)
    ]
    return sorted(cells_for(cells, cells[-1].grade_id))


@pytest.mark.parametrize(
    ("sources", "places"),
    [
        (("a = 1", "b = 2", "# test\na"), [0]),
        (("import os", "a = os.sep", "# test\na"), [0, 1]),
        (("a = 1", "a = a + 1", "# test\na"), [0, 1]),
        (("a = 1", "if True:\n    a = 2", "# test\na"), [0, 1]),
        (("a = 1", "# test\na = 2", "# test\na"), [0]),
        (("b = 1", "def f():\n    return b", "# test\nf()"), [0, 1]),
        # What a function uses may be made after it.
        (("def f():\n    return b", "b = 1", "# test\nf()"), [0, 1]),
    ],
)
def test_cells_that_bind_what_is_needed(sources, places):
    assert needed(*sources) == places


@pytest.mark.parametrize(
    ("sources", "places"),
    [
        (("def f(): return 1", "def f(): return 2", "# test\nf()"), [1]),
        (("f = 1", "class f: pass", "# test\nf()"), [1]),
        # The first is used before the second takes its place.
        (("def f(): return 1", "a = f()", "def f(): return 2", "# test\na"), [0, 1]),
        (("def f(): return 1", "a = f()", "def f(): return 2", "# test\na, f()"), [0, 1, 2]),
        # A function may be called before and after.
        (
            ("def f(): return 1", "def g(): return f()", "def f(): return 2", "# test\ng()"),
            [0, 1, 2],
        ),
        # Not sure to take its place.
        (("def f(): return 1", "if True:\n    def f(): return 2", "# test\nf()"), [0, 1]),
        (("def f(): return 1", "f = cache(f)", "# test\nf()"), [0, 1]),
    ],
)
def test_a_definition_takes_the_place_of_earlier_ones(sources, places):
    assert needed(*sources) == places
