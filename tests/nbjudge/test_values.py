"""What a notebook's names hold, as the tests see it."""

from __future__ import annotations

import pytest
from nbjudge.course.settings import Grading
from nbjudge.execute.live import LiveRun
from nbjudge.execute.provisioner import KernelOrder


@pytest.fixture(scope="module")
def notebook(warm_server):
    """A kernel to run cells in."""
    grading = Grading(max_value_megabytes=1)
    order = KernelOrder(warm_server.address, grading.confinement(None))
    live = LiveRun(grading, "ps1", order)
    with live.kernel():
        yield live


def states(values) -> dict[str, str]:
    return {name: value.state for name, value in values.items()}


def test_two_names_of_one_object_stay_one_object(notebook):
    notebook.run(0, "first = [1]\nsecond = first\nthird = [1]")
    values = notebook.values("test", ["first", "second", "third"])
    assert states(values) == {"first": "value", "second": "same", "third": "value"}
    assert values["second"].reason == "first"


def test_what_is_not_there_and_what_is_too_large(notebook):
    notebook.run(0, "large = 'x' * 2_000_000")
    values = notebook.values("test", ["large", "nowhere"])
    assert states(values) == {"large": "refused", "nowhere": "missing"}
    assert "large has 2" in values["large"].reason


def test_all_values_together_have_a_limit(notebook):
    notebook.run(0, "many = [str(n) * 900_000 for n in range(7)]\na, b, c, d, e, f, g = many")
    values = notebook.values("test", list("abcdefg"))
    assert states(values)["a"] == "value"
    assert states(values)["g"] == "refused"
    assert "5 MB together" in values["g"].reason
