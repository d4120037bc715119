"""Small data sets of CIFAR-10's kind."""

from __future__ import annotations

import io
import pickle
import tarfile
from pathlib import Path

import numpy as np

from dlcourse.data.files import Arrays


def make(n_train: int, n_test: int, seed: int = 0, students_of: str = "") -> Arrays:
    """Arrays of CIFAR-10's kind, full of chance."""
    rng = np.random.default_rng(seed)

    def part(n: int) -> tuple[np.ndarray, np.ndarray]:
        return rng.integers(0, 256, (n, 32, 32, 3), np.uint8), rng.integers(0, 10, (n, 1), np.uint8)

    return Arrays(*part(n_train), *part(n_test), students_of=students_of)


def records(images: np.ndarray, labels: np.ndarray) -> bytes:
    """The binary version's records."""
    planes = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
    return np.concatenate([labels, planes], axis=1).tobytes()


def batches(arrays: Arrays, each: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Five training batches and a test batch, by name."""
    cuts = {f"data_batch_{i + 1}": slice(i * each, (i + 1) * each) for i in range(5)}
    made = {name: (arrays.x_train[cut], arrays.y_train[cut]) for name, cut in cuts.items()}
    return {**made, "test_batch": (arrays.x_test, arrays.y_test)}


def python_version(folder: Path, arrays: Arrays, each: int) -> Path:
    folder.mkdir(parents=True)
    for name, (images, labels) in batches(arrays, each).items():
        rows = images.transpose(0, 3, 1, 2).reshape(len(images), -1).copy()
        batch = {
            b"data": rows,
            b"labels": labels[:, 0].tolist(),
            b"batch_label": b"a batch",
            b"filenames": [b"a.png"],
        }
        (folder / name).write_bytes(pickle.dumps(batch, protocol=2))
    return folder


def binary_version(folder: Path, arrays: Arrays, each: int) -> Path:
    folder.mkdir(parents=True)
    for name, (images, labels) in batches(arrays, each).items():
        (folder / f"{name}.bin").write_bytes(records(images, labels))
    return folder


def archive(path: Path, arrays: Arrays, each: int) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, (images, labels) in batches(arrays, each).items():
            content = records(images, labels)
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}.bin")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path
