"""Which data is taken, what is kept for the next time, and who gets which part."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import http.server
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from data.makers import archive, make, python_version
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from dlcourse.data import (
    DamagedData,
    DataError,
    DataNotFound,
    DataSource,
    DownloadFailed,
    WrongData,
    files,
    find_source,
    load_cifar10,
    private_split,
    sources,
    standin,
    students_file,
)
from dlcourse.data.changes import changed
from dlcourse.data.files import Arrays

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def npz(tmp_path: Path) -> Path:
    files.write(tmp_path / "mine.npz", make(20, 10))
    return tmp_path / "mine.npz"


@dataclasses.dataclass
class Server:
    """The official site, on 127.0.0.1: one archive, and how often it was asked for."""

    folder: Path
    asked: list[str]
    arrays: Arrays


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    folder = tmp_path / "site"
    folder.mkdir()
    made = Server(folder, [], make(10, 4, seed=7))
    file = archive(folder / "cifar.tar.gz", made.arrays, each=2)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append(self.path)
            super().do_GET()

        def log_message(self, *args: object) -> None:
            pass

    handler = functools.partial(Handler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as site:
        threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.01}).start()
        url = f"http://127.0.0.1:{site.server_port}/cifar.tar.gz"
        sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
        monkeypatch.setattr(sources, "OFFICIAL", sources.Archive(url, sha256))
        yield made
        site.shutdown()


def cached(name: str) -> Path:
    return Path(os.environ["DLCOURSE_CACHE"]) / name


def keras_folder(arrays: Arrays) -> Path:
    home = Path(os.environ["KERAS_HOME"]) / "datasets" / "cifar-10-batches-py-target"
    return python_version(home / "cifar-10-batches-py", arrays, each=len(arrays.x_train) // 5)


# --- the order of the sources


def test_the_argument_comes_before_the_variable(npz, tmp_path, monkeypatch) -> None:
    files.write(tmp_path / "other.npz", make(5, 4))
    monkeypatch.setenv("DLCOURSE_DATA", str(npz))
    assert find_source(tmp_path / "other.npz").n_train == 5
    assert find_source().n_train == 20


def test_the_variable_comes_before_the_caches(npz, monkeypatch, server) -> None:
    keras_folder(make(5, 4))
    monkeypatch.setenv("DLCOURSE_DATA", str(npz))
    assert find_source().path == str(npz)
    assert not server.asked


def test_the_keras_cache_comes_before_the_download(server) -> None:
    folder = keras_folder(make(5, 4))
    assert find_source().path == str(folder)
    assert not server.asked


def test_the_keras_cache_of_older_versions() -> None:
    new = keras_folder(make(5, 4))
    old = new.parent.parent / new.name
    new.rename(old)
    assert find_source().path == str(old)


def test_the_keras_cache_in_the_home_folder(monkeypatch) -> None:
    folder = keras_folder(make(5, 4))
    monkeypatch.delenv("KERAS_HOME")
    home = Path(os.environ["HOME"]) / ".keras"
    home.parent.mkdir()
    folder.parent.parent.parent.rename(home)
    assert find_source().path.startswith(str(home))


def test_the_download_is_kept(server, capsys) -> None:
    (images, labels), _ = load_cifar10()
    assert np.array_equal(images, server.arrays.x_train)
    assert np.array_equal(labels, server.arrays.y_train)
    assert len(server.asked) == 1
    assert find_source().path == str(cached("cifar10.npz"))
    assert len(server.asked) == 1
    assert sorted(os.listdir(cached(""))) == ["cifar10.npz", "cifar10.sha256"]


@pytest.mark.parametrize("damage", ["cut", "altered", "no digest", "other digest"])
def test_a_damaged_cache_is_fetched_again(server, damage: str) -> None:
    first = find_source()
    file = cached("cifar10.npz")
    if damage == "cut":
        os.truncate(file, 5000)
    elif damage == "altered":
        files.write(file, make(10, 4, seed=8))
    elif damage == "no digest":
        cached("cifar10.sha256").unlink()
    else:
        cached("cifar10.sha256").write_bytes(b"\xff")
    assert find_source() == first
    assert len(server.asked) == 2


def test_another_archive_than_the_official_one_is_not_used(server) -> None:
    archive(server.folder / "cifar.tar.gz", make(10, 4, seed=9), each=2)
    source = find_source()
    assert source.name == "stand-in"
    assert "does not match the known hash" in source.because
    assert not cached("cifar10.npz").exists()
    assert len(server.asked) == 1


def test_a_site_without_the_file(server) -> None:
    (server.folder / "cifar.tar.gz").unlink()
    assert "404" in find_source().because
    assert len(server.asked) == 1


def test_no_network() -> None:
    source = find_source()
    assert source.name == source.path == "stand-in"
    assert "could not be reached" in source.because


def test_a_look_up_that_hangs(monkeypatch) -> None:
    """As behind some firewalls: given up after a moment, not after the resolver's minutes."""
    never = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: [never.wait(60)][:0])
    monkeypatch.setattr(sources, "CONNECT", -0.99)
    with pytest.raises(DownloadFailed, match="no answer"):
        sources._check_reachable("https://example.org/a")
    never.set()


def test_the_stand_in_can_be_asked_for(server, monkeypatch) -> None:
    keras_folder(make(5, 4))
    assert find_source("stand-in").because == "it was asked for"
    monkeypatch.setenv("DLCOURSE_DATA", "stand-in")
    assert find_source().because == "DLCOURSE_DATA asks for it"
    assert not server.asked


def test_a_damaged_keras_cache_is_passed_over_and_said() -> None:
    folder = keras_folder(make(5, 4))
    (folder / "data_batch_3").write_bytes(b"nothing")
    source = find_source()
    assert source.name == "stand-in"
    assert "data_batch_3: is damaged" in source.because
    assert "could not be reached" in source.because


@pytest.mark.parametrize("by", ["argument", "variable"])
def test_what_is_named_is_never_replaced(by: str, tmp_path, monkeypatch, server) -> None:
    bad = tmp_path / "bad.npz"
    path = bad if by == "argument" else None
    if by == "variable":
        monkeypatch.setenv("DLCOURSE_DATA", str(bad))
    for call in (load_cifar10, find_source, private_split):
        with pytest.raises(DataNotFound, match=r"bad\.npz"):
            call(path)
    bad.write_bytes(b"PK")
    for call in (load_cifar10, find_source, private_split):
        with pytest.raises(DamagedData, match=r"bad\.npz"):
            call(path)
    assert not server.asked
    assert not cached("").exists()


# --- the stand-in's cache


def test_the_stand_in_is_drawn_once(monkeypatch) -> None:
    first = find_source("stand-in")
    monkeypatch.setattr(standin, "draw", None)
    assert find_source("stand-in") == first


def test_a_damaged_stand_in_is_drawn_again() -> None:
    first = find_source("stand-in")
    os.truncate(cached(f"stand-in-{standin.VERSION}.npz"), 9000)
    assert find_source("stand-in") == first
    assert files.read(cached(f"stand-in-{standin.VERSION}.npz")).sha256() == first.sha256


def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DLCOURSE_CACHE", str(tmp_path / "file" / "cache"))
    assert find_source("stand-in").n_train == 30


def test_a_full_disk_leaves_nothing(monkeypatch) -> None:
    def full(*args: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    assert find_source("stand-in").n_train == 30
    assert os.listdir(cached("")) == []


def test_two_processes_at_once() -> None:
    """Both draw and keep the stand-in; both get it, and what is kept is whole."""
    code = (
        "from dlcourse.data import standin, find_source\n"
        "standin.N_TRAIN, standin.N_TEST = 30, 20\n"
        "input()\n"
        "print(find_source('stand-in').sha256)"
    )
    pipe = subprocess.PIPE
    both = [
        subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, text=True)
        for _ in range(2)
    ]
    for process in both:
        process.stdin.write("go\n")
        process.stdin.flush()
    printed = {process.communicate(timeout=50)[0].strip() for process in both}
    assert printed == {find_source("stand-in").sha256}
    assert sorted(os.listdir(cached(""))) == [
        f"stand-in-{standin.VERSION}.npz",
        f"stand-in-{standin.VERSION}.sha256",
    ]


# --- who gets what


def rows(images: np.ndarray) -> set[bytes]:
    return {image.tobytes() for image in images}


def students(path: object) -> set[bytes]:
    (train, _), (test, _) = load_cifar10(path)
    return rows(train) | rows(test)


@pytest.fixture(scope="module")
def full(tmp_path_factory) -> Path:
    """50,000 + 20 images, each with its number in its first pixels; three of them twice."""
    path = tmp_path_factory.mktemp("full") / "full.npz"
    n = 50_020
    images = np.zeros((n, 32, 32, 3), np.uint8)
    images[:, 0, 0] = np.arange(n, dtype="<u4").view(np.uint8).reshape(n, 4)[:, :3]
    images[40_005], images[40_010], images[40_015] = images[3], images[50_001], images[40_016]
    labels = (np.arange(n) % 10).astype(np.uint8)[:, None]
    files.write(path, Arrays(images[:50_000], labels[:50_000], images[50_000:], labels[50_000:]))
    return path


def test_the_full_data(full: Path) -> None:
    (train, train_labels), (test, test_labels) = load_cifar10(full)
    assert train.shape == (40_000, 32, 32, 3)
    assert train_labels.shape == (40_000, 1)
    assert (len(test), len(test_labels)) == (20, 20)
    source = find_source(full)
    assert (source.name, source.n_train, source.n_test) == ("cifar10", 40_000, 20)
    assert str(source) == (f"Data: CIFAR-10, 40,000 training and 20 test images, from {full}")


def test_the_judge_of_the_full_data(full: Path, monkeypatch) -> None:
    """2,000 of the last 10,000, but for the two that students have too; others for each course."""
    monkeypatch.setattr(sources, "changed", lambda images, seed: images)
    chosen = []
    for seed in (1_000_001, 1_000_002):
        images, labels = private_split(full, seed=seed)
        assert images.shape == (2_000, 32, 32, 3)
        assert not rows(images) & students(full)
        number = images[:, 0, 0].astype(int) @ [1, 256, 65536]
        once = number != 40_016
        assert np.array_equal(labels[once, 0], number[once] % 10)
        chosen.append(set(number))
        assert chosen[-1] <= set(range(40_000, 50_000)) - {40_005, 40_010}
    assert len(chosen[0] & chosen[1]) < 600


def test_the_judges_photographs_are_changed_by_the_courses_seed(npz) -> None:
    arrays = files.read(npz)
    public = rows(arrays.x_train) | rows(arrays.x_test)
    one, other = private_split(npz, seed=1_000_001)[0], private_split(npz, seed=1_000_002)[0]
    assert not rows(one) & public
    assert not rows(one) & rows(other)
    assert np.array_equal(one, private_split(npz, seed=1_000_001)[0])


@given(st.integers(1, 12), st.integers(2, 12), st.integers(0, 9))
@examples(20)
def test_the_parts_of_a_smaller_set(tmp_path_factory, n_train: int, n_test: int, seed: int) -> None:
    """No image is in both; none is lost; the judge has something."""
    path = tmp_path_factory.mktemp("part") / "a.npz"
    arrays = make(n_train, n_test, seed)
    files.write(path, arrays)
    images, labels = private_split(path)
    (train, _), (test, test_labels) = load_cifar10(path)
    assert np.array_equal(train, arrays.x_train)
    later = arrays.x_test[len(test) :]
    assert np.array_equal(images, changed(later, standin.PRIVATE_SEED))
    assert np.array_equal(np.concatenate([test_labels, labels]), arrays.y_test)
    assert len(images) == n_test // 2 >= 1
    assert not rows(images) & students(path)
    assert find_source(path).name == "cifar10-subset"


def test_an_image_that_students_have_is_not_the_judges(tmp_path) -> None:
    arrays = make(4, 8)
    arrays.x_test[5], arrays.x_test[6] = arrays.x_train[2], arrays.x_test[1]
    files.write(tmp_path / "a.npz", arrays)
    images, labels = private_split(tmp_path / "a.npz")
    assert np.array_equal(images, changed(arrays.x_test[[4, 7]], standin.PRIVATE_SEED))
    assert np.array_equal(labels, arrays.y_test[[4, 7]])


def test_the_judge_of_the_stand_in() -> None:
    images, labels = private_split("stand-in")
    assert images.shape == (10, 32, 32, 3)
    assert labels.shape == (10, 1)
    assert not rows(images) & students("stand-in")
    other, _ = private_split("stand-in", seed=12345)
    assert not rows(images) & rows(other)


@pytest.mark.parametrize("seed", [standin.TRAIN_SEED, standin.TEST_SEED])
def test_the_judge_does_not_draw_the_students_pictures(seed: int) -> None:
    with pytest.raises(ValueError, match="students' own"):
        private_split("stand-in", seed=seed)


@pytest.mark.parametrize("kind", ["full", "part", "stand-in"])
def test_a_file_for_the_sandbox(kind: str, tmp_path, npz, monkeypatch) -> None:
    path = "stand-in" if kind == "stand-in" else npz
    if kind == "full":  # as if 20 images were all there are
        monkeypatch.setattr(sources, "FULL", 20)
        monkeypatch.setattr(sources, "STUDENTS", 12)
        monkeypatch.setattr(sources, "JUDGES", 4)
    made = students_file(tmp_path / "for_sandbox.npz", path)
    source = find_source(path)
    monkeypatch.setenv("DLCOURSE_DATA", made.path)
    assert dataclasses.replace(find_source(), because="") == dataclasses.replace(made, because="")
    assert (made.name, made.sha256) == (source.name, source.sha256)
    assert (made.name == "cifar10") == (kind == "full")
    for mine, theirs in zip(sum(load_cifar10(), ()), sum(load_cifar10(path), ()), strict=True):
        assert np.array_equal(mine, theirs)
    assert not rows(private_split(path)[0]) & rows(files.read(Path(made.path)).x_train)
    with pytest.raises(WrongData, match="only the part of the data that students get"):
        private_split()


def test_a_source_names_the_same_data_again(npz, server) -> None:
    keras_folder(make(5, 4))
    for source in (find_source(npz), find_source(), find_source("stand-in")):
        again = find_source(source.path)
        assert dataclasses.replace(again, because="") == dataclasses.replace(source, because="")


def test_the_digest_is_of_what_students_load(npz) -> None:
    (train, train_labels), (test, test_labels) = load_cifar10(npz)
    assert find_source(npz).sha256 == files.digest(train, train_labels, test, test_labels)


def test_sources_are_frozen() -> None:
    source = DataSource("stand-in", "stand-in", "", 1, 1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        source.name = "cifar10"  # type: ignore[misc]


@pytest.mark.parametrize("kind", ["keras", "download", "cache", "archive", "stand-in"])
def test_the_judge_has_nothing_that_students_have(kind: str, tmp_path, request) -> None:
    path = None
    if kind == "keras":
        keras_folder(make(5, 8))
    elif kind == "archive":
        path = archive(tmp_path / "a.tgz", make(5, 8), each=1)
    elif kind != "stand-in":
        request.getfixturevalue("server")
    if kind == "cache":
        find_source()
    images, labels = private_split(path)
    assert len(images) == len(labels) > 1
    assert not rows(images) & students(path)
    assert (find_source(path).name == "stand-in") == (kind == "stand-in")


def test_a_path_from_here_holds_elsewhere(npz, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(npz.parent)
    source, made = find_source(npz.name), students_file("s.npz", npz)
    monkeypatch.chdir("/")
    assert find_source(source.path) == source
    assert find_source(made.path) == made


def test_a_path_in_the_home_folder(npz) -> None:
    home = Path(os.environ["HOME"])
    home.mkdir()
    npz.rename(home / "mine.npz")
    assert find_source("~/mine.npz").path == str(home / "mine.npz")


# --- what is said


def test_the_line_is_printed_once(npz, capsys) -> None:
    find_source(npz)
    private_split(npz)
    assert capsys.readouterr().out == ""
    load_cifar10(npz)
    load_cifar10(npz)
    assert capsys.readouterr().out == (
        f"Data: a part of CIFAR-10, 20 training and 5 test images, from {npz}\n"
    )


def test_the_stand_in_says_what_it_is(capsys) -> None:
    load_cifar10()
    line = capsys.readouterr().out
    assert line.startswith("Data: STAND-IN for CIFAR-10 (drawn pictures, not photographs)")
    assert "because www.cs.toronto.edu could not be reached" in line
    assert line.count("\n") == 1


def test_a_stand_in_from_a_file_says_what_it_is(tmp_path, capsys) -> None:
    students_file(tmp_path / "s.npz", "stand-in")
    load_cifar10(tmp_path / "s.npz")
    assert capsys.readouterr().out.startswith("Data: STAND-IN for CIFAR-10")


def test_a_file_that_claims_to_be_something_else(tmp_path) -> None:
    files.write(tmp_path / "a.npz", make(4, 4, students_of="imagenet"))
    with pytest.raises(DataError, match="imagenet"):
        find_source(tmp_path / "a.npz")


def test_importing_needs_neither_keras_nor_tensorflow_nor_pooch() -> None:
    code = (
        "import sys, dlcourse.data\n"
        "print(sorted({'keras', 'tensorflow', 'pooch', 'requests'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
