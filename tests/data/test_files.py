"""Each format gives the same arrays; each kind of bad file gives an error that names it."""

from __future__ import annotations

import io
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from data.makers import archive, batches, binary_version, make, python_version
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from dlcourse.data import DamagedData, DataError, DataNotFound, UnsafeData, WrongData, digest, files
from dlcourse.data.files import KEYS, Arrays


def same(a: Arrays, b: Arrays) -> bool:
    return all(np.array_equal(getattr(a, key), getattr(b, key)) for key in KEYS)


def save(path: Path, arrays: Arrays, **changes: object) -> Path:
    parts = {key: getattr(arrays, key) for key in KEYS} | changes
    np.savez(path, **{key: value for key, value in parts.items() if value is not None})
    return path


# --- right files


@pytest.mark.parametrize(
    ("write", "name"),
    [
        (python_version, "cifar-10-batches-py"),
        (python_version, "unpacked/cifar-10-batches-py"),
        (binary_version, "cifar-10-batches-bin"),
        (binary_version, "unpacked/cifar-10-batches-bin"),
        (archive, "cifar-10-binary.tar.gz"),
    ],
)
def test_official_formats(tmp_path: Path, write, name: str) -> None:
    arrays = make(10, 3)
    write(tmp_path / name, arrays, each=2)
    where = tmp_path / "unpacked" if "/" in name else tmp_path / name
    assert same(files.read(where), arrays)


def test_a_folder_with_one_npz(tmp_path: Path) -> None:
    arrays = make(3, 2)
    save(tmp_path / "mine.npz", arrays)
    assert same(files.read(tmp_path), arrays)


def test_a_python2_pickle_of_a_batch(tmp_path: Path) -> None:
    """So are the official ones: bytes and text are str there, and the module is numpy.core."""
    arrays = make(5, 2)
    folder = python_version(tmp_path / "cifar-10-batches-py", arrays, each=1)
    for name, (images, labels) in batches(arrays, 1).items():
        rows = images.transpose(0, 3, 1, 2).reshape(len(images), -1)

        def text(value: bytes) -> bytes:
            return b"T" + len(value).to_bytes(4, "little") + value  # BINSTRING

        array = (
            b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85"
            + text(b"b")
            + b"\x87R"
            b"(K\x01K" + bytes([len(rows)]) + b"M" + (3072).to_bytes(2, "little") + b"\x86"
            b"cnumpy\ndtype\n" + text(b"u1") + b"K\x00K\x01\x87R"
            b"(K\x03" + text(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
            b"\x89" + text(rows.tobytes()) + b"tb"
        )
        numbers = b"](" + b"".join(b"K" + bytes([label]) for label in labels[:, 0]) + b"e"
        content = b"\x80\x02}(" + text(b"data") + array + text(b"labels") + numbers + b"u."
        (folder / name).write_bytes(content)
    assert same(files.read(folder), arrays)


@given(st.integers(1, 4), st.integers(2, 4), st.integers(0, 99))
@examples(10)
def test_what_is_written_is_read(tmp_path_factory, n_train: int, n_test: int, seed: int) -> None:
    path = tmp_path_factory.mktemp("npz") / "a.npz"
    arrays = make(n_train, n_test, seed, "stand-in" if seed % 2 else "")
    files.write(path, arrays)
    back = files.read(path)
    assert same(back, arrays)
    assert back.students_of == arrays.students_of
    assert back.sha256() == arrays.sha256()


def test_the_digest_sees_content_shape_and_order() -> None:
    a, b = np.zeros((2, 3), np.uint8), np.ones((2, 3), np.uint8)
    assert digest(a) == digest(np.asfortranarray(a))
    assert (
        len(
            {
                digest(a),
                digest(b),
                digest(a.reshape(3, 2)),
                digest(a.astype(np.int8)),
                digest(a, b),
                digest(b, a),
            }
        )
        == 6
    )


# --- wrong files


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DataNotFound, match=r"absent\.npz.*no such file"):
        files.read(tmp_path / "absent.npz")


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(DataNotFound, match=r"holds no \.npz"):
        files.read(tmp_path)


def test_a_folder_with_two_npz(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        save(tmp_path / name, make(1, 2))
    with pytest.raises(DataNotFound, match=r"a\.npz, b\.npz"):
        files.read(tmp_path)


GOOD = make(4, 2)
WRONG = {
    "no labels": ({"y_test": None}, "lacks y_test"),
    "floats": (
        {"x_train": GOOD.x_train / np.float32(255)},
        "x_train is of type float32, not uint8",
    ),
    "wide labels": ({"y_train": GOOD.y_train.astype(np.int64)}, "y_train is of type int64"),
    "grey": ({"x_train": GOOD.x_train[..., :1]}, r"x_train has shape \(4, 32, 32, 1\)"),
    "channels first": (
        {"x_test": GOOD.x_test.transpose(0, 3, 1, 2)},
        r"x_test has shape \(2, 3, 32, 32\)",
    ),
    "flat labels": ({"y_train": GOOD.y_train[:, 0]}, r"y_train has shape \(4,\), not \(4, 1\)"),
    "too few labels": ({"y_train": GOOD.y_train[:3]}, r"y_train has shape \(3, 1\)"),
    "label 10": ({"y_test": np.array([[10], [0]], np.uint8)}, "the label 10"),
    "no images": (
        {"x_train": GOOD.x_train[:0], "y_train": GOOD.y_train[:0]},
        "x_train holds 0 images",
    ),
    "one test image": (
        {"x_test": GOOD.x_test[:1], "y_test": GOOD.y_test[:1]},
        "x_test holds 1 images",
    ),
    "too many": (
        {
            "x_test": np.zeros((10_001, 32, 32, 3), np.uint8),
            "y_test": np.zeros((10_001, 1), np.uint8),
        },
        "x_test holds 10,001",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_not_cifar10(tmp_path: Path, case: str) -> None:
    changes, message = WRONG[case]
    path = save(tmp_path / "bad.npz", GOOD, **changes)
    with pytest.raises(WrongData, match=message) as caught:
        files.read(path)
    assert str(path) in str(caught.value)


def test_objects_are_not_loaded(tmp_path: Path) -> None:
    path = save(tmp_path / "bad.npz", GOOD, y_train=np.array([[{}]] * 4, object))
    with pytest.raises(UnsafeData, match=r"bad\.npz: y_train holds Python objects"):
        files.read(path)


def test_an_array_far_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "bad.npz", GOOD)
    monkeypatch.setattr(files, "MOST_BYTES", 1000)
    with pytest.raises(WrongData, match="far larger"):
        files.read(path)


@given(st.data())
@examples(40)
def test_a_cut_file_is_an_error(tmp_path_factory, data: st.DataObject) -> None:
    """However short it is cut, never a crash of another kind and never other arrays."""
    path = tmp_path_factory.mktemp("cut") / "a.npz"
    files.write(path, GOOD)
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(DamagedData, match=r"a\.npz"):
        files.read(path)


@given(st.data())
@examples(60)
def test_an_altered_file_is_an_error_or_the_same(tmp_path_factory, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("altered") / "a.npz"
    files.write(path, GOOD)
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    try:
        arrays = files.read(path)
    except DataError:
        return
    assert same(arrays, GOOD)


def test_an_altered_header_that_only_shifts_the_array_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    files.write(path, GOOD)
    content = bytearray(path.read_bytes())
    content[content.index(b"\x93NUMPY") + 8] ^= 2  # the length of the first array's header
    path.write_bytes(content)
    with pytest.raises(DataError):
        files.read(path)


@pytest.mark.parametrize("name", ["a.npz", "a.tar.gz", "a.txt"])
def test_a_file_of_something_else(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("hello")
    with pytest.raises(DamagedData, match=name):
        files.read(tmp_path / name)


def test_a_cut_binary_batch(tmp_path: Path) -> None:
    folder = binary_version(tmp_path / "bin", make(10, 2), each=2)
    os.truncate(folder / "data_batch_3.bin", 4000)
    with pytest.raises(DamagedData, match=r"data_batch_3\.bin: 4,000 bytes"):
        files.read(folder)


def test_a_missing_batch(tmp_path: Path) -> None:
    folder = binary_version(tmp_path / "bin", make(10, 2), each=2)
    (folder / "data_batch_4.bin").unlink()
    with pytest.raises(WrongData, match=r"bin: .*data_batch_4\.bin"):
        files.read(folder)


def test_a_cut_archive(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.tar.gz", make(10, 2), each=2)
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(DamagedData, match=r"a\.tar\.gz"):
        files.read(path)


# --- hostile pickles


class Hostile:
    def __init__(self, call: object, *args: object) -> None:
        self.made = (call, args)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return self.made


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "call", [os.system, eval, np.load, np.fromfile, getattr, print], ids=lambda f: f.__name__
)
def test_a_hostile_pickle_is_refused(tmp_path: Path, call, protocol: int) -> None:
    folder = python_version(tmp_path / "cifar-10-batches-py", make(10, 2), each=2)
    flag = tmp_path / "was here"
    evil = Hostile(call, f"touch '{flag}'" if call is os.system else f"open({str(flag)!r}, 'w')")
    (folder / "data_batch_2").write_bytes(
        pickle.dumps({b"data": evil, b"labels": [1]}, protocol=protocol)
    )
    with pytest.raises(UnsafeData, match="data_batch_2.*was refused"):
        files.read(folder)
    assert not flag.exists()


def test_even_what_is_allowed_does_nothing() -> None:
    """NumPy's own unpickling is not run: inert objects stand in for it."""
    content = pickle.dumps(np.arange(3), protocol=2)
    assert isinstance(files._BatchUnpickler(io.BytesIO(content)).load(), files._Inert)


@given(st.binary(max_size=60))
def test_noise_for_a_pickle(tmp_path_factory, noise: bytes) -> None:
    folder = tmp_path_factory.mktemp("noise")
    (folder / "test_batch").write_bytes(noise)
    with pytest.raises(DataError):
        files.read(folder)


@pytest.mark.parametrize(
    "batch",
    [
        {b"labels": [1]},
        [1, 2],
        {b"data": 3, b"labels": [1]},
        {b"data": np.zeros((1, 3072), np.int16), b"labels": [1]},
        {b"data": np.zeros((1, 3071), np.uint8), b"labels": [1]},
        {b"data": np.zeros((1, 3072), np.uint8), b"labels": [10]},
        {b"data": np.zeros((1, 3072), np.uint8), b"labels": [1, 2]},
        {b"data": np.zeros((1, 3072), np.uint8), b"labels": ["1"]},
        {b"data": np.array([[None] * 3072]), b"labels": [1]},
    ],
)
def test_a_batch_of_another_kind(tmp_path: Path, batch: object) -> None:
    folder = python_version(tmp_path / "cifar-10-batches-py", make(5, 2), each=1)
    (folder / "data_batch_5").write_bytes(pickle.dumps(batch, protocol=2))
    with pytest.raises(DataError, match="cifar-10-batches-py"):
        files.read(folder)


# --- writing


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before")

    def fail() -> None:
        with files.replacing(path) as stream:
            stream.write(b"half")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_write_is_seen_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    with files.replacing(path) as stream:
        stream.write(b"whole")
        stream.flush()
        assert not path.exists()
    assert path.read_bytes() == b"whole"
