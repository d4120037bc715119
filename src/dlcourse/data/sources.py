"""Which data there is, and who gets which part of it.

The order: what the user names; what Keras or the course keeps already; the official download; and
only then the stand-in. What the user names is used or is an error: nothing quietly takes its place.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import socket
import threading
import urllib.request
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from . import files, standin
from .changes import changed
from .errors import DataError, DownloadFailed, WrongData
from .files import Arrays

STAND_IN = "stand-in"
VARIABLE = "DLCOURSE_DATA"
PRIVATE_SEED_VARIABLE = "DLCOURSE_PRIVATE_SEED"

# The official training set is cut here: students get what is before, the judge's images are chosen
# from what is after it.
FULL, STUDENTS, JUDGES = files.MOST_TRAIN, 40_000, 2_000

Split = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Archive:
    """A file to download: where it is, and what it must be."""

    url: str
    sha256: str


# The binary version: the same pictures as the python version's, and no pickle.
# Its md5 on the official page is c32a1d4ab5d03f1284b67883e8d87530; 170,052,171 bytes.
OFFICIAL = Archive(
    "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
)
CONNECT, SILENCE = 4, 10  # seconds: to reach the server at all, and between two pieces


@dataclass(frozen=True)
class DataSource:
    """Which data was used, for people and for the record.

    `path` names it again: given to `load_cifar10`, or set as DLCOURSE_DATA for another process, it
    gives the same data with no search and no network. `sha256` is the digest of the four arrays
    that students load (`digest`), so it is the same for the same data from any file.
    """

    name: str  # "cifar10", "cifar10-subset" or "stand-in"
    path: str
    sha256: str
    n_train: int
    n_test: int
    because: str = ""  # for the stand-in: why it is used

    def __str__(self) -> str:
        counts = f"{self.n_train:,} training and {self.n_test:,} test images"
        if self.name == STAND_IN:
            what = "STAND-IN for CIFAR-10 (drawn pictures, not photographs)"
            return f"Data: {what}, {counts}, because {self.because}"
        name = "CIFAR-10" if self.name == "cifar10" else "a part of CIFAR-10"
        return f"Data: {name}, {counts}, from {self.path}"


@dataclass(frozen=True, eq=False)
class Found:
    """All of the data found, the judge's part included."""

    arrays: Arrays
    path: str
    because: str = ""

    @property
    def name(self) -> str:
        """As `DataSource.name`."""
        if self.path == STAND_IN:
            return STAND_IN
        return self.arrays.students_of or (
            "cifar10" if len(self.arrays.x_train) == FULL else "cifar10-subset"
        )

    def students(self) -> Arrays:
        """What students load."""
        a = self.arrays
        if a.students_of or self.name == STAND_IN:
            return a
        if self.name == "cifar10":
            return replace(a, x_train=a.x_train[:STUDENTS], y_train=a.y_train[:STUDENTS])
        half = (len(a.x_test) + 1) // 2
        return replace(a, x_test=a.x_test[:half], y_test=a.y_test[:half])

    def judges(self, seed: int) -> Split:
        """What only the judge has: it follows from `seed`."""
        a = self.arrays
        if a.students_of:
            raise WrongData(
                f"{self.path}: holds only the part of the data that students get. "
                "Name the whole data."
            )
        if self.name == STAND_IN:
            images, labels = map(np.copy, _private_pictures(seed, standin.N_PRIVATE))
            return _unseen(images, labels, self.students())
        if self.name == "cifar10":
            images, labels = a.x_train[STUDENTS:], a.y_train[STUDENTS:]
        else:
            half = (len(a.x_test) + 1) // 2
            images, labels = a.x_test[half:], a.y_test[half:]
        # Photographs are public: anybody has them, so the judge's are others in every course.
        images, labels = _unseen(images, labels, self.students())
        chosen = np.sort(np.random.default_rng(seed).permutation(len(images))[:JUDGES])
        return changed(images[chosen], seed), labels[chosen]

    def source(self) -> DataSource:
        """The record of it."""
        s = self.students()
        return DataSource(
            self.name, self.path, s.sha256(), len(s.x_train), len(s.x_test), self.because
        )


@functools.lru_cache(maxsize=2)  # a notebook's tests ask for them more than once
def _private_pictures(seed: int, count: int) -> Split:
    return standin.draw(seed, count)


def _unseen(images: np.ndarray, labels: np.ndarray, students: Arrays) -> Split:
    """Those images that are not, byte for byte, among the students': CIFAR-10 has some twice."""
    known = {_mark(image) for part in (students.x_train, students.x_test) for image in part}
    fresh = np.array([_mark(image) not in known for image in images], bool)
    return images[fresh], labels[fresh]


def _mark(image: np.ndarray) -> bytes:
    return hashlib.sha256(np.ascontiguousarray(image).data).digest()


def load_cifar10(path: str | os.PathLike[str] | None = None) -> tuple[Split, Split]:
    """CIFAR-10 as students get it: `(train_images, train_labels), (test_images, test_labels)`.

    Images are uint8 (n, 32, 32, 3), from 0 to 255; labels uint8 (n, 1), from 0 to 9, the index into
    `CLASS_NAMES`. The tuple is that of `keras.datasets.cifar10.load_data()`. One line says, once in
    each process, which data it is.

    The data is the first of these that there is:

    1. `path`, or else the environment variable DLCOURSE_DATA: an `.npz` with the arrays `x_train
       y_train x_test y_test`, the official `cifar-10-binary.tar.gz`, a folder with such an `.npz`,
       with `cifar-10-batches-bin` or with `cifar-10-batches-py`; or the word `stand-in`;
    2. what Keras has downloaded earlier, or what the course has (folder DLCOURSE_CACHE);
    3. the official download, 170 MB, kept for the next time;
    4. the stand-in: drawn pictures of the same classes.

    Some images are kept back for grading (`private_split`). Of the official 50,000 training images
    the first 40,000 are returned; of a smaller set, half of the test images.

    Raises `DataError` if what was named is missing, damaged, or not CIFAR-10.
    """
    found = _find(path)
    s = found.students()
    say_once(str(found.source()))
    return (s.x_train, s.y_train), (s.x_test, s.y_test)


def find_source(path: str | os.PathLike[str] | None = None) -> DataSource:
    """Which data `load_cifar10(path)` gives. Prints nothing. Raises `DataError` as that does."""
    return _find(path).source()


def private_split(path: str | os.PathLike[str] | None = None, *, seed: int | None = None) -> Split:
    """The judge's images and labels, none of which `load_cifar10(path)` returns.

    uint8 (n, 32, 32, 3) and uint8 (n, 1). Of the official training set 2,000 of the last 10,000; of
    a smaller set the second half of the test images; of the stand-in 2,000 drawn pictures. Which
    they are, and how each photograph is changed (`changes.changed`), follows from `seed`: by
    default the environment's DLCOURSE_PRIVATE_SEED, or one that anybody can read here. Images that
    students have too are left out. Raises `DataError` as `load_cifar10` does, and for a file made
    by `students_file`.
    """
    if seed is None:
        seed = int(os.environ.get(PRIVATE_SEED_VARIABLE) or standin.PRIVATE_SEED)
    if seed in (standin.TRAIN_SEED, standin.TEST_SEED):
        raise ValueError(f"seed {seed} draws the students' own pictures")
    return _find(path).judges(seed)


def students_file(
    destination: str | os.PathLike[str], path: str | os.PathLike[str] | None = None
) -> DataSource:
    """Write what `load_cifar10(path)` returns to `destination`, an `.npz` without the judge's part.

    It is what a sandbox may be given: the judge's labels are not in it. The source returned names
    the new file; its digest is that of `find_source(path)`.
    """
    found = _find(path)
    made = replace(found.students(), students_of=found.name)
    files.write(_absolute(destination), made)
    return replace(found.source(), path=str(_absolute(destination)))


@functools.cache
def say_once(line: str) -> None:
    """Print which data it is, once in a process."""
    print(line, flush=True)


def _find(path: str | os.PathLike[str] | None) -> Found:
    named = os.environ.get(VARIABLE, "") if path is None else os.fspath(path)
    if named == STAND_IN:
        return _stand_in("it was asked for" if path is not None else f"{VARIABLE} asks for it")
    if named:
        where = _absolute(named)  # a grading run hands it to kernels that run in other folders
        arrays = files.read(where)
        because = "the file was made from it" if arrays.students_of == STAND_IN else ""
        return Found(arrays, str(where), because)
    troubles: list[str] = []
    for attempt in (_kept_by_keras, _kept_by_course, _download):
        try:
            found = attempt()
        except DataError as error:
            troubles.append(str(error).removesuffix(files.ADVICE).rstrip())
        else:
            if found:
                return found
    return _stand_in("; ".join(troubles))


def _absolute(path: str | os.PathLike[str]) -> Path:
    return Path(os.path.expanduser(path)).absolute()


def _kept_by_keras() -> Found | None:
    home = _absolute(os.environ.get("KERAS_HOME") or "~/.keras") / "datasets"
    for folder in (
        home / "cifar-10-batches-py-target" / "cifar-10-batches-py",
        home / "cifar-10-batches-py",
    ):
        if folder.is_dir():
            return Found(files.read(folder), str(folder))
    return None


def cache() -> Path:
    """The folder for what was downloaded or drawn: DLCOURSE_CACHE, or the user's own cache."""
    if named := os.environ.get("DLCOURSE_CACHE"):
        return _absolute(named)
    import pooch

    return Path(pooch.os_cache("dlcourse"))


def _kept_by_course() -> Found | None:
    file = cache() / "cifar10.npz"
    arrays = _recall(file)
    return Found(arrays, str(file)) if arrays else None


def _recall(file: Path) -> Arrays | None:
    """What the cache holds in `file`, if that is what was put there; else it is made again."""
    try:
        arrays = files.read(file)
        noted = file.with_suffix(".sha256").read_text().strip()
    except (OSError, UnicodeDecodeError, DataError):
        return None
    return arrays if arrays.sha256() == noted else None


def _remember(file: Path, arrays: Arrays) -> None:
    """Keep `arrays` in `file`, its digest beside it: after a crash between the two none matches."""
    files.write(file, arrays)
    with files.replacing(file.with_suffix(".sha256")) as stream:
        stream.write(arrays.sha256().encode())


def _download() -> Found:
    """Fetch the official archive, once, and keep its arrays. Raises DownloadFailed."""
    file = cache() / "cifar10.npz"
    archive = fetched(OFFICIAL, file.parent / f"cifar-10-binary-{os.getpid()}.tar.gz")
    try:
        arrays = files.read(archive)
        _remember(file, arrays)
    except (OSError, DataError) as error:
        raise DownloadFailed(f"the download from {OFFICIAL.url} failed ({error})") from error
    finally:
        archive.unlink(missing_ok=True)
    return Found(arrays, str(file))


def fetched(archive: Archive, file: Path) -> Path:
    """`file`, downloaded from `archive` unless it is there. Raises DownloadFailed."""
    import pooch

    _check_reachable(archive.url)
    try:
        pooch.retrieve(
            archive.url,
            known_hash=f"sha256:{archive.sha256}",
            fname=file.name,
            path=file.parent,
            downloader=pooch.HTTPDownloader(progressbar=True, timeout=(CONNECT, SILENCE)),
        )
    except (OSError, ValueError) as error:  # requests' are OSErrors, pooch's ValueErrors
        raise DownloadFailed(f"the download from {archive.url} failed ({error})") from error
    return file


def _check_reachable(url: str) -> None:
    """Raise DownloadFailed within seconds if the server cannot be reached.

    A closed network can make the look-up of a name hang, which no timeout of a request covers. So
    it is tried in a thread that is left behind. Through a proxy, only the proxy knows.
    """
    parts = urlsplit(url)
    if urllib.request.getproxies().get(parts.scheme):
        return
    port = parts.port or (443 if parts.scheme == "https" else 80)
    outcome: list[str] = ["no answer"]

    def reach() -> None:
        try:
            socket.create_connection((parts.hostname or "", port), CONNECT).close()
            outcome[0] = ""
        except OSError as error:
            outcome[0] = str(error)

    thread = threading.Thread(target=reach, daemon=True)
    thread.start()
    thread.join(CONNECT + 1)
    if outcome[0]:
        raise DownloadFailed(f"{parts.hostname} could not be reached ({outcome[0]})")


def _stand_in(because: str) -> Found:
    file = cache() / f"stand-in-{standin.VERSION}.npz"
    arrays = _recall(file)
    if arrays is None:
        arrays = Arrays(
            *standin.draw(standin.TRAIN_SEED, standin.N_TRAIN),
            *standin.draw(standin.TEST_SEED, standin.N_TEST),
        )
        with contextlib.suppress(OSError):  # a cache that cannot be written costs time, not data
            _remember(file, arrays)
    return Found(arrays, STAND_IN, because)
