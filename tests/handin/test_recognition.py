"""Whatever the file is called, the exercise is known by its cells; others get a sentence."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
import toy_course as toy
from handin.conftest import notebook, run_async
from nbhandin.errors import NotTaken
from nbhandin.reader import TOO_MUCH, Reader
from nbhandin.recognition import recognise_upload
from nbjudge.assignment import read_assignment

LIMIT = 20_000_000


@pytest.fixture(scope="module")
def exercises(pristine):
    from nbjudge.course import load_course

    return {"ps1": read_assignment(load_course(pristine), "ps1").blueprints}


@pytest.mark.parametrize(
    "name", ["toys.ipynb", "toys (2).ipynb", "Untitled.ipynb", "toys.ipynb.txt", "TOYS.IPYNB"]
)
def test_it_is_known_whatever_it_is_called(exercises, course, name):
    data = notebook(course)
    found = recognise_upload({name: data}, exercises, LIMIT)
    assert (found.assignment, found.files["toys.ipynb"]) == ("ps1", data)
    assert not any("no answer of yours" in note for note in found.notes)


def test_it_is_found_in_a_zip_file(exercises, course):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("../../evil.py", "x")
        archive.writestr("work/any.ipynb", notebook(course))
    found = recognise_upload({"work.zip": packed.getvalue()}, exercises, LIMIT)
    assert found.assignment == "ps1"
    assert set(found.files) == {"toys.ipynb"}


def test_what_was_not_saved_is_taken_and_said(exercises, course):
    data = (course.release / "ps1" / "toys.ipynb").read_bytes()
    found = recognise_upload({"toys.ipynb": data}, exercises, LIMIT)
    assert any("no answer of yours" in note and "Ctrl+S" in note for note in found.notes)


OTHER = json.dumps(toy.notebook(toy.code("mine", "print('mine')"))).encode()
EMPTY = json.dumps(toy.notebook()).encode()
MANY = json.dumps(toy.notebook(*[toy.code(f"c{n}", "1") for n in range(5_001)])).encode()
DEEP = b'{"cells": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "No file arrived"),
        ({"a.ipynb": b""}, "is empty"),
        ({"a.ipynb": EMPTY}, "no cells"),
        ({"a.ipynb": OTHER}, "none of the cells of this course's exercises (ps1)"),
        ({"a.ipynb": b"%PDF-1.7 \n" + OTHER}, "not valid JSON"),
        ({"a.ipynb": b"{}"}, "not a Jupyter notebook"),
        ({"a.ipynb": b"[1, 2]"}, "not a Jupyter notebook"),
        ({"a.ipynb": MANY}, "5,001 cells"),
        ({"a.ipynb": DEEP}, "not valid JSON"),
        ({"a.ipynb": b"\xff\xfe\x00"}, "not valid JSON"),
        ({"a.ipynb": OTHER + b" " * LIMIT}, "may have 20 MB"),
        ({"a.py": b"print()"}, "an export"),
        ({"a.html": b"<html>"}, "an export"),
        ({"picture.png": b"\x89PNG"}, "not a Jupyter notebook"),
        ({"a.zip": b"PK\x03\x04 broken"}, "not a Jupyter notebook"),
    ],
)
def test_what_is_not_ours_gets_a_sentence(exercises, files, says):
    with pytest.raises(NotTaken) as told:
        recognise_upload(files, exercises, LIMIT)
    assert says in str(told.value)


def test_a_name_is_shown_on_one_line(exercises):
    with pytest.raises(NotTaken) as told:
        recognise_upload({"a\n\x1b[31m.ipynb": OTHER}, exercises, LIMIT)
    assert "\n" not in str(told.value) and "\x1b" not in str(told.value)


@pytest.mark.slow
def test_a_file_that_ends_the_reader_is_told_and_the_next_one_is_read(
    course, tmp_path, pristine, monkeypatch
):
    """What takes too much memory ends a process of its own, and nobody else's."""
    # However long that takes on a busy machine.
    monkeypatch.setattr("nbhandin.reader._SECONDS", 3600)
    (tmp_path / "bad").mkdir()
    nested = b'{"cells":[' + b",".join([b"{}"] * 6_000_000) + b"]}"
    (tmp_path / "bad" / "0").write_bytes(nested[:19_000_000])
    (tmp_path / "good").mkdir()
    (tmp_path / "good" / "0").write_bytes(notebook(course))
    reader = Reader(pristine)

    async def both():
        with pytest.raises(NotTaken):
            await reader.read(tmp_path / "bad", ["a.ipynb"], tmp_path / "x")
        next(iter(reader._pool._processes.values())).kill()
        return await reader.read(tmp_path / "good", ["b.ipynb"], tmp_path / "y")

    try:
        assert run_async(both()).assignment == "ps1"
    finally:
        reader.close()
    assert (tmp_path / "y" / "toys.ipynb").is_file()
    assert "memory" in TOO_MUCH
