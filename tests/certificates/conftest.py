"""The class that certificates are issued to."""

from pathlib import Path

import pytest
from certificates.classroom import Classroom, make_gradebook
from typer.testing import CliRunner

from dlcourse.cli import app


@pytest.fixture(scope="session")
def made_gradebook(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("certificates") / "gradebook.db"
    make_gradebook(path)
    return path


@pytest.fixture
def classroom(tmp_path, made_gradebook, monkeypatch) -> Classroom:
    """Ada may have both certificates, Bob none, Zoë and perhaps Dan the one of attendance."""
    (tmp_path / "course").mkdir()
    keys = tmp_path / "keys"
    monkeypatch.setenv("DLCOURSE_KEYS", str(keys))
    return Classroom(tmp_path / "course", made_gradebook, keys)


@pytest.fixture
def call(classroom):
    """Run a command on the class; what it printed, 300 columns wide."""

    def call(*arguments, code=0, **more):
        shown = CliRunner().invoke(
            app,
            [*map(str, arguments), "--course", str(classroom.root)],
            env={"COLUMNS": "300"},
            **more,
        )
        assert shown.exit_code == code, shown.output
        return shown.output

    return call
