"""The most telling threats again, graded by somebody who is not root."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import hostile_class
import pytest
from hostile_class import THREATS, Graded, student_of
from nbjudge.cohort import GradingOutcome
from nbjudge.course import load_course

ORDINARY = 12345
CHOSEN = {name: threat for name, threat in THREATS.items() if threat.as_ordinary}
CHOSEN["files.locked-files"] = THREATS["files.locked-files"]


@pytest.fixture(scope="session")
def as_ordinary(hidden, released):
    """The chosen threats; outside of pytest's own folder, which only its user may enter."""
    top = Path(tempfile.mkdtemp(prefix="hostile-", dir="/tmp"))
    try:
        top.chmod(0o777)
        root = Path(shutil.copytree(released, top / "course"))
        with hostile_class.listening(top) as listener:
            places = hostile_class.places_of(root, listener)
            hostile_class.hand_in_classmate(root, hidden)
            hostile_class.hand_in_all(root, CHOSEN, places)
            is_root = os.getuid() == 0
            for path in [root, *root.rglob("*")] if is_root else ():
                os.chown(path, ORDINARY, ORDINARY, follow_symlinks=False)
            command = [sys.executable, str(Path(__file__).with_name("ordinary_run.py")), str(root)]
            environment = os.environ | {"HOSTILE_SECRET": hidden.environment, "TMPDIR": str(top)}
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr[-3000:]
            told = json.loads((root / "told.json").read_text())
            assert told["user"] == (ORDINARY if is_root else os.getuid())
            outcomes = [GradingOutcome(**item) for item in told["outcomes"]]
            yield load_course(root), {item.student: item for item in outcomes}, listener
    finally:
        shutil.rmtree(top)


@pytest.mark.parametrize("name", CHOSEN)
def test_every_threat_has_its_outcome(as_ordinary, hidden, name):
    course, outcomes, listener = as_ordinary
    threat, outcome = CHOSEN[name], outcomes[student_of(name)]
    if name == "files.locked-files":  # root reads them
        assert "cannot be" in outcome.reason
        return
    assert outcome.score == (threat.score or 0), outcome
    assert threat.says in outcome.reason
    assert (outcome.status == "graded") == (threat.score is not None)
    graded = Graded(name, course, outcome, listener.heard)
    if threat.check is not None and threat.score is not None:
        threat.check(graded)
    shown = graded.all_outputs() + str(graded.record)
    assert [kind for kind, secret in hidden.all().items() if secret in shown] == []
