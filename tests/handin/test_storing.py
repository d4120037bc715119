"""An upload is whole and on the disk before it is acknowledged, or it is not there at all."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from nbhandin import storing
from nbhandin.attempts import Attempts, Receipt, UploadedFile
from nbhandin.errors import NotStored
from nbhandin.places import Places

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
RECEIPT = Receipt(0, "ada", "ps1", NOON, (UploadedFile("a (2).ipynb", 2, "00"),), ("A note.",))


@pytest.fixture
def places(tmp_path) -> Places:
    storing.prepare(Places(tmp_path))
    return Places(tmp_path)


def hand_in(places: Places, last: int = 0) -> Receipt:
    with storing.Incoming(places) as incoming:
        incoming.files.mkdir()
        (incoming.files / "toys.ipynb").write_bytes(b"{}")
        return incoming.keep(RECEIPT, last)


def known(places: Places) -> list:
    attempts = Attempts(places)
    attempts.refresh()
    return attempts.all()


def test_what_is_kept_is_read_back_by_anybody_who_comes(places):
    first, second = hand_in(places), hand_in(places)
    assert (first.number, second.number) == (1, 2)
    assert [one.receipt for one in known(places)] == [first, second]
    assert (places.attempt(2) / "files" / "toys.ipynb").read_bytes() == b"{}"
    assert list(places.incoming.iterdir()) == []


def test_all_is_synced_before_it_is_there_and_its_name_before_it_is_acknowledged(
    places, monkeypatch
):
    done = []
    monkeypatch.setattr(storing, "sync_tree", lambda folder: done.append(list(folder.rglob("*"))))
    monkeypatch.setattr(storing, "sync_folder", lambda folder: done.append(known(places)))
    hand_in(places)
    before, after = done
    assert {path.name for path in before} == {"receipt.json", "files", "toys.ipynb"}
    assert [one.number for one in after] == [1]


@pytest.mark.parametrize(
    ("number", "says"), [(errno.ENOSPC, "disk is full"), (errno.EIO, "could not store")]
)
def test_a_disk_that_takes_no_more_is_said_not_acknowledged(places, monkeypatch, number, says):
    def fail(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(storing.os, "fsync", fail)
    with pytest.raises(NotStored, match=says):
        hand_in(places)
    assert known(places) == []
    assert list(places.incoming.iterdir()) == []


# One process that forks for each step: the child is killed at its own step, and says what it
# acknowledged before.
KILLED = r"""
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from nbhandin.attempts import Receipt
from nbhandin.places import Places
from nbhandin.storing import Incoming, prepare

def hand_in(places):
    with Incoming(places) as incoming:
        incoming.files.mkdir()
        (incoming.files / "toys.ipynb").write_bytes(b"{}")
        return incoming.keep(Receipt(0, "ada", "ps1", datetime.now(UTC), ()), 0).number

def counted(original):
    def call(*args, **kwargs):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), 9)
        return original(*args, **kwargs)
    return call

for step in range(400):
    places = Places(Path(sys.argv[1], str(step)))
    prepare(places)
    if not os.fork():
        left = step
        for name in ("mkdir", "open", "fsync", "rename", "rmdir", "unlink", "scandir", "listdir"):
            setattr(os, name, counted(getattr(os, name)))
        os.write(1, b"%d %d\n" % (step, hand_in(places)))
        os._exit(0)
    if os.wait()[1] == 0:
        os.write(2, b"%d" % step)
        break
"""


def test_killed_at_any_step_it_is_whole_or_not_there(tmp_path):
    """Each system call in turn is the last one; what was acknowledged is there."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)], capture_output=True, text=True
    )
    steps = int(done.stderr)
    assert steps > 10
    acknowledged = {int(line.split()[0]) for line in done.stdout.splitlines()}
    assert steps in acknowledged
    for step in range(steps + 1):
        places = Places(tmp_path / str(step))
        there = known(places)
        assert len(there) == len(list(places.attempts.iterdir()))
        assert there or step not in acknowledged
        for one in there:
            data = (places.attempt(one.number) / "files" / "toys.ipynb").read_bytes()
            assert data == b"{}"
        storing.prepare(places)
        assert list(places.incoming.iterdir()) == []
