"""What is handed in on the page, graded by Dask's workers; a machine of theirs is lost."""

from __future__ import annotations

import pytest
from cluster import counted_course as counted
from cluster.counted_course import DOUBLE, LONG
from cluster.dask_processes import wait_until
from cluster.test_dask_lost import is_at_work
from handin.conftest import notebook
from handin.test_service import served
from toy_token import TOKEN

pytestmark = pytest.mark.slow


def test_a_machine_that_is_lost_costs_nobody_anything(dask, pristine, tmp_path):
    course = counted.copy_course(pristine, tmp_path / "course")
    first = dask.worker()
    with served(course, "--cluster", dask.address) as service:
        ada, teacher = service.open("ada"), service.open("", "instructor")
        answer = f"NAME = 'ada'\n{TOKEN}{LONG}{DOUBLE}"
        number = ada.hand_in(notebook(course, double=answer))
        wait_until(lambda: is_at_work(first), "it does not work", first)
        assert "Your work is being graded" in ada.client.get(f"/attempt/{number}").text
        first.kill()
        # Nobody has to do anything but to start another one.
        assert "Not graded" not in ada.client.get("/").text
        assert "0 not graded" in teacher.client.get("/").text
        dask.worker()
        ada.sees("5 of 7 points so far", f"/attempt/{number}")
        teacher.sees("0 waiting, 0 running, 1 graded, 0 not graded")
