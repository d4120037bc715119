"""Every test here has a home and caches of its own, and no way out but 127.0.0.1."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from dlcourse.data import sources, standin


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (
        "DLCOURSE_DATA",
        "DLCOURSE_WEATHER",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "http_proxy",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("DLCOURSE_CACHE", str(tmp_path / "cache"))
    look_up = socket.getaddrinfo

    def only_here(host: object, *args: object, **options: object) -> object:
        if host not in ("127.0.0.1", b"127.0.0.1"):
            raise socket.gaierror(socket.EAI_NONAME, "no such name: the tests have no network")
        return look_up(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", only_here)
    sources.say_once.cache_clear()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in of 30 + 20 + 10 pictures."""
    for name, n in (("N_TRAIN", 30), ("N_TEST", 20), ("N_PRIVATE", 10)):
        monkeypatch.setattr(standin, name, n)
