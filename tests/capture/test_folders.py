"""The files of a student's process, as the judge takes them."""

from __future__ import annotations

import contextlib
import os
import string
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbjudge.capture import Damaged, NotHandedOut
from nbjudge.capture.folders import JudgeFolder, checked, differing, digests, put

LETTERS = st.text(alphabet="ab./\\.." + string.ascii_letters[:4] + "\0~", max_size=12)
SUFFIXES = st.sampled_from(["", ".txt", ".py", ".pkl", ".csv"])
CONTENTS = st.one_of(st.binary(max_size=5), st.none(), st.tuples(st.integers(), st.text()))


@given(st.dictionaries(st.builds(lambda a, b: a + b, LETTERS, SUFFIXES), CONTENTS, max_size=4))
def test_nothing_is_written_outside_of_the_folder_and_nothing_that_runs(files):
    with tempfile.TemporaryDirectory() as folder:
        inner = Path(folder, "inner")
        inner.mkdir()
        (inner / "a").symlink_to(folder)
        with contextlib.suppress(Damaged, OSError):
            put(inner, checked(files))
        assert [path.name for path in Path(folder).iterdir()] == ["inner"]
        code = [path for path in inner.rglob("*") if path.suffix == ".py"]
        assert not any(path.read_bytes().strip(b"\0") for path in code)


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../x", "a/../../x", "", ".", "a//b", "a\\b", "a\0b", "x.py", "m.pkl"]
)
def test_odd_names_are_refused(name):
    with pytest.raises(Damaged):
        checked({name: b"import os"})


def test_what_is_the_same_on_both_sides_does_not_cross(tmp_path):
    (tmp_path / "given.csv").write_text("1,2")
    known = digests(tmp_path)
    (tmp_path / "new.csv").write_text("3")
    (tmp_path / "code.py").write_text("raise SystemExit")
    files = differing(tmp_path, {**known, "gone.csv": "0" * 64}, 1_000)
    assert files["new.csv"] == b"3" and files["gone.csv"] is None
    size, why = files["code.py"]
    assert size == 16 and "code.py" in why and "given.csv" not in files
    (size, why) = differing(tmp_path, known, 0)["new.csv"]
    assert size == 1 and "new.csv" in why


@pytest.fixture
def judge_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return JudgeFolder(1_000)


def test_no_module_of_the_notebooks_is_there_to_be_imported(judge_folder):
    judge_folder.begin({"numpy.py": (0, "withheld"), "a/b.SO": (9, "withheld"), "m.pkl": (9, "no")})
    assert sorted(os.listdir()) == ["m.pkl"]
    with pytest.raises(NotHandedOut, match="withheld"):
        Path("numpy.py").read_text()


def test_a_file_that_stays_withheld_does_not_hinder_the_next_cell(judge_folder):
    files = {"m.pkl": (9, "no"), "code.py": (9, "no"), "large.csv": (9, "too large")}
    judge_folder.begin(files)
    judge_folder.begin(files)
    with pytest.raises(NotHandedOut, match="too large"):
        Path("large.csv").read_text()
