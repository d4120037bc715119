"""Reading and writing CIFAR-10's files. Whatever they hold, reading them runs no code from them.

Formats (Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html):

- `.npz`: NumPy arrays `x_train y_train x_test y_test`, read without pickle;
- binary version (`cifar-10-binary.tar.gz`, `cifar-10-batches-bin`): records of 3,073 bytes, one
  label and then 1,024 red, 1,024 green and 1,024 blue pixels, row by row;
- python version (`cifar-10-batches-py`, which is what Keras keeps): pickles, see `_BatchUnpickler`.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import pickle
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import IO

import numpy as np

from .errors import DamagedData, DataError, DataNotFound, UnsafeData, WrongData

SOURCES = ("cifar10", "cifar10-subset", "stand-in")
PIXELS = 3 * 32 * 32
RECORD = 1 + PIXELS
MOST_TRAIN, MOST_TEST = 50_000, 10_000
MOST_BYTES = 256 * 2**20  # of any one array or batch: CIFAR-10's largest has 154 MB
ADVICE = "Fetch it again, or name other data in DLCOURSE_DATA (the word stand-in needs no file)."


@dataclass(frozen=True, eq=False)
class Arrays:
    """A data set: images uint8 (n, 32, 32, 3), labels uint8 (n, 1).

    `students_of` is the name of the source if this is already the part students get, else "".
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    students_of: str = ""

    def sha256(self) -> str:
        """The digest of the four arrays: the same for the same data in whatever file."""
        return digest(self.x_train, self.y_train, self.x_test, self.y_test)


KEYS = tuple(field.name for field in fields(Arrays) if field.name != "students_of")


def digest(*arrays: np.ndarray) -> str:
    """sha256 of arrays: of each its dtype, its shape and its bytes in C order."""
    total = hashlib.sha256()
    for array in arrays:
        total.update(f"{array.dtype.str}{array.shape}".encode())
        total.update(np.ascontiguousarray(array).data)
    return total.hexdigest()


def read(path: Path) -> Arrays:
    """Read the data at `path`: an `.npz`, a binary archive, or a folder with one of the formats.

    Raises a `DataError` (see `errors`) that names the file.
    """
    if not path.exists():
        raise DataNotFound(f"{path}: there is no such file or folder. Check the path. {ADVICE}")
    file, reader = _choose(path)
    with _explained(file):
        arrays = reader(file)
    check(arrays, file)
    return arrays


def _choose(path: Path) -> tuple[Path, Callable[[Path], Arrays]]:
    """The file or folder to read at `path`, and what reads it."""
    if not path.is_dir():
        return path, read_archive if path.name.endswith((".tar.gz", ".tgz")) else read_npz
    for folder in (path, path / "cifar-10-batches-bin", path / "cifar-10-batches-py"):
        if (folder / "test_batch.bin").exists():
            return folder, read_binary
        if (folder / "test_batch").exists():
            return folder, read_python
    found = sorted(path.glob("*.npz"))
    if len(found) == 1:
        return found[0], read_npz
    if found:
        names = ", ".join(file.name for file in found)
        raise DataNotFound(f"{path}: holds several .npz files ({names}). Name the one you mean.")
    raise DataNotFound(
        f"{path}: holds no .npz file, no cifar-10-batches-bin and no cifar-10-batches-py. {ADVICE}"
    )


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Whatever a reader stumbles over becomes a DataError that names the file."""
    try:
        yield
    except DataError:
        raise
    except (KeyError, AttributeError, TypeError) as error:
        raise WrongData(f"{path}: is not laid out as CIFAR-10 is ({error!r}). {ADVICE}") from error
    except Exception as error:  # NumPy, zip, tar and pickle fail in very many ways
        raise DamagedData(f"{path}: is damaged or cut short ({error}). {ADVICE}") from error


def check(arrays: Arrays, where: Path) -> None:
    """Raise WrongData unless shapes, dtypes, numbers and labels are CIFAR-10's or a part's."""
    for part, most in (("train", MOST_TRAIN), ("test", MOST_TEST)):
        images, labels = getattr(arrays, f"x_{part}"), getattr(arrays, f"y_{part}")
        for key, array in ((f"x_{part}", images), (f"y_{part}", labels)):
            if array.dtype != np.uint8:
                raise WrongData(
                    f"{where}: {key} is of type {array.dtype}, not uint8 (whole numbers 0 to 255)."
                )
        if images.ndim != 4 or images.shape[1:] != (32, 32, 3):
            raise WrongData(f"{where}: x_{part} has shape {images.shape}, not (n, 32, 32, 3).")
        if labels.shape != (len(images), 1):
            raise WrongData(
                f"{where}: y_{part} has shape {labels.shape}, "
                f"not ({len(images)}, 1): one label for each image."
            )
        least = (
            1 if part == "train" or arrays.students_of else 2
        )  # half of a test set is the judge's
        if not least <= len(images) <= most:
            raise WrongData(
                f"{where}: x_{part} holds {len(images):,} images, not {least:,} to {most:,}."
            )
        if labels.max() > 9:
            raise WrongData(
                f"{where}: y_{part} holds the label {labels.max()}; CIFAR-10's labels are 0 to 9."
            )


def read_npz(path: Path) -> Arrays:
    """The four arrays of an `.npz`, and whose part of the data they are."""
    if not zipfile.is_zipfile(path):
        raise DamagedData(f"{path}: is not an .npz file, or is cut short. {ADVICE}")
    with np.load(path, allow_pickle=False) as archive:
        if missing := [key for key in KEYS if key not in archive.files]:
            raise WrongData(
                f"{path}: lacks {', '.join(missing)}; "
                f"it holds {', '.join(archive.files) or 'nothing'}."
            )
        assert archive.zip is not None  # it is open
        if any(member.file_size > MOST_BYTES for member in archive.zip.infolist()):
            raise WrongData(f"{path}: holds an array far larger than CIFAR-10's. {ADVICE}")
        students_of = (
            str(_plain(archive.zip, "students_of", path)) if "students_of" in archive.files else ""
        )
        if students_of not in ("", *SOURCES):
            raise WrongData(f"{path}: is part of {students_of!r}, not of {', '.join(SOURCES)}.")
        arrays = {key: _plain(archive.zip, key, path) for key in KEYS}
        return Arrays(**arrays, students_of=students_of)


def _plain(archive: zipfile.ZipFile, key: str, path: Path) -> np.ndarray:
    # The whole member is read, so that its checksum is looked at: an altered header can make the
    # array end before the member does, and `archive[key]` would then stop there.
    try:
        member = io.BytesIO(archive.read(f"{key}.npy"))
        array: np.ndarray = np.lib.format.read_array(member, allow_pickle=False)
        return array
    except ValueError as error:
        if "allow_pickle" in str(error):
            raise UnsafeData(
                f"{path}: {key} holds Python objects, not numbers; they are not loaded. {ADVICE}"
            ) from error
        raise


def read_archive(path: Path) -> Arrays:
    """The official `cifar-10-binary.tar.gz`, read in place: nothing is unpacked."""
    batches = {}
    with tarfile.open(path, "r|gz") as archive:
        for member in archive:
            name = os.path.basename(member.name)
            content = archive.extractfile(member) if name.endswith(".bin") else None
            if member.isfile() and content is not None:
                batches[name] = _records(content, name)
    return _assemble(path, batches, ".bin")


def read_binary(folder: Path) -> Arrays:
    """The unpacked binary version, `cifar-10-batches-bin`."""
    batches = {}
    for file in folder.glob("*.bin"):
        with file.open("rb") as stream:
            batches[file.name] = _records(stream, file.name)
    return _assemble(folder, batches, ".bin")


def read_python(folder: Path) -> Arrays:
    """The unpacked python version, `cifar-10-batches-py`, with nothing run that its pickles ask."""
    batches = {}
    for file in [*folder.glob("data_batch_?"), folder / "test_batch"]:
        with file.open("rb") as stream:
            batches[file.name] = _unpickled(stream)
    return _assemble(folder, batches, "")


Batch = tuple[np.ndarray, np.ndarray]  # images uint8 (n, 32, 32, 3), labels uint8 (n, 1)


def _assemble(where: Path, batches: dict[str, Batch], ending: str) -> Arrays:
    names = [f"data_batch_{i}{ending}" for i in range(1, 6)]
    if missing := [name for name in [*names, f"test_batch{ending}"] if name not in batches]:
        raise WrongData(f"{where}: lacks {', '.join(missing)}. {ADVICE}")
    images, labels = zip(*(batches[name] for name in names), strict=True)
    return Arrays(np.concatenate(images), np.concatenate(labels), *batches[f"test_batch{ending}"])


def _records(stream: IO[bytes], name: str) -> Batch:
    content = stream.read(MOST_BYTES)
    if len(content) % RECORD:
        raise ValueError(
            f"{name}: {len(content):,} bytes is not a whole number of {RECORD}-byte records"
        )
    records = np.frombuffer(content, np.uint8).reshape(-1, RECORD)
    return _upright(records[:, 1:]), records[:, :1].copy()


def _upright(planes: np.ndarray) -> np.ndarray:
    """Rows of red, green and blue planes as images (n, 32, 32, 3)."""
    return np.ascontiguousarray(planes.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))


class _Inert:
    """Stands in for whatever a batch's pickle makes: keeps what it is given and does nothing."""

    def __init__(self, *args: object) -> None:
        self.args = args
        self.state: object = None

    def __setstate__(self, state: object) -> None:
        self.state = state


def _latin1(text: str, encoding: str) -> bytes:
    """How a pickle of protocol 2 spells bytes when Python 3 wrote it."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"unexpected encoding {encoding!r}")
    return text.encode("latin1")


class _BatchUnpickler(pickle.Unpickler):
    """Unpickles the python version's batches, and nothing else.

    A pickle can call any function it can name. Here it can name what an array of numbers needs, and
    gets inert objects even for those, so that not even NumPy's own unpickling runs.
    """

    ALLOWED = {
        **{(f"numpy.{core}.multiarray", "_reconstruct"): _Inert for core in ("core", "_core")},
        ("numpy", "ndarray"): _Inert,
        ("numpy", "dtype"): _Inert,
        ("_codecs", "encode"): _latin1,
    }

    def find_class(self, module: str, name: str) -> object:
        try:
            return self.ALLOWED[module, name]
        except KeyError:
            raise UnsafeData(
                f"the pickle asks for {module}.{name}, which no batch of CIFAR-10 needs; "
                f"it was refused. {ADVICE}"
            ) from None


def _unpickled(stream: IO[bytes]) -> Batch:
    if os.fstat(stream.fileno()).st_size > MOST_BYTES:
        raise WrongData(f"{stream.name}: is far larger than CIFAR-10's batches. {ADVICE}")
    try:
        batch = _BatchUnpickler(stream, encoding="bytes").load()
    except UnsafeData as error:
        raise UnsafeData(f"{stream.name}: {error}") from None
    except Exception as error:  # broken pickles end in almost any exception
        raise DamagedData(f"{stream.name}: is damaged ({error!r}). {ADVICE}") from error
    # An array's state: version, shape, dtype, whether in Fortran's order, bytes.
    _, shape, dtype, fortran, content = batch[b"data"].state
    if dtype.args[0] not in (b"u1", "u1") or fortran or len(shape) != 2 or shape[1] != PIXELS:
        raise WrongData(f"{stream.name}: its images are not rows of {PIXELS:,} bytes. {ADVICE}")
    labels = batch[b"labels"]
    if not isinstance(labels, list) or len(labels) != shape[0] or not set(labels) <= set(range(10)):
        raise WrongData(
            f"{stream.name}: its labels are not a number 0 to 9 for each image. {ADVICE}"
        )
    images = np.frombuffer(content, np.uint8).reshape(shape)
    return _upright(images), np.array(labels, np.uint8)[:, None]


def write(path: Path, arrays: Arrays) -> None:
    """Write an `.npz`, whole or not at all, whoever else writes it at the same time."""
    parts = {key: getattr(arrays, key) for key in KEYS}
    if arrays.students_of:
        parts["students_of"] = np.array(arrays.students_of)
    with replacing(path) as stream:
        np.savez(stream, **parts)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A stream that becomes `path` at the end, in one step; on any error `path` stays as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(handle, "wb") as stream:
            yield stream
        os.chmod(name, 0o644)  # a temporary file is its owner's alone, but a class shares a cache
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
