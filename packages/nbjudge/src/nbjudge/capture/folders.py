"""Files that a notebook wrote and a test reads, or the other way round, as inert bytes.

What crosses is a dict: the file's name, relative to the working folder and with slashes, to its
bytes, to None where it is gone, or to ``(size, why)`` where it is withheld. A withheld file is
there for the judge, as long as it was, but a test that opens it is told why not.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from nbjudge.capture.errors import Damaged, NotHandedOut, megabytes

# What stands for the files among the names whose values a test gets; no name of Python's.
FILES = "<files>"
_MOST_FILES = 2_000
_DEEPEST = 20
_LONGEST_HOLE = 1 << 32
# To read one of these is to run what is in it, or to trust a library with an attacker's bytes.
_MODULES = {".py", ".pyc", ".pyo", ".pyw", ".so", ".pyd", ".dll", ".pth"}
_RUNS = {
    *_MODULES,
    *(".ipynb", ".whl", ".egg"),
    *(".pkl", ".pickle", ".joblib", ".dill", ".pt", ".ckpt", ".shelve", ".db.dir"),
    *(".h5", ".hdf5", ".keras"),
}
_CANNOT = (
    "the test cannot open {name}: reading such a file can run what the notebook put into it; an "
    "instructor can run the test in the student's kernel, by the line `### RUN IN STUDENT KERNEL`"
)
_LARGE = "the test cannot open {name}: it has {size}, and a value may have {limit}"
_PICKLED = (
    "a file of the notebook holds objects that only pickle can read, which can run code; an "
    "instructor can run the test in the student's kernel, by the line `### RUN IN STUDENT KERNEL`"
)
_NAMES = re.compile(
    r"\b(open|exists|isfile|isdir|is_file|is_dir|listdir|scandir|walk|i?glob|rglob|stat|getsize"
    r"|remove|unlink|mkdir|makedirs|rmdir|rename|load|loadtxt|genfromtxt|fromfile|tofile|dump"
    r"|save|savez|savetxt|savefig|im(?:read|save|write)|read_\w+|write_\w+|to_[a-z]+|connect"
    r"|load_workbook)\s*\("
)
_FILE_NAME = re.compile(r"""["'][\w./ -]{1,100}\.[A-Za-z]\w{0,4}["']""")
Files: TypeAlias = "dict[str, bytes | tuple[int, str] | None]"
Stamp: TypeAlias = tuple[int, int, int]


def may_use_files(source: str) -> bool:
    """Whether the text of a test cell looks as if files mattered to it."""
    return bool(_NAMES.search(source) or _FILE_NAME.search(source))


def digests(root: Path) -> dict[str, str]:
    """The sha256 (hex) of each file below ``root``, by name."""
    return {name: _digest(root / name) for name in stamps(root)}


def stamps(root: Path) -> dict[str, Stamp]:
    """What tells whether a file below ``root`` was changed, by name; caches are left out.

    Raises ``NotHandedOut`` for too many.
    """
    found: dict[str, Stamp] = {}
    for folder, folders, names in os.walk(root, followlinks=True):
        inner = Path(folder).relative_to(root)
        folders[:] = [
            name for name in folders if name != "__pycache__" and not name.startswith(".")
        ]
        if len(inner.parts) >= _DEEPEST:
            folders.clear()
        for name in names:
            try:
                state = os.stat(Path(folder, name))
            except OSError:
                continue
            if os.path.isfile(Path(folder, name)):
                stamp = (state.st_mtime_ns, state.st_size, state.st_ino)
                found[(inner / name).as_posix()] = stamp
        if len(found) > _MOST_FILES:
            raise NotHandedOut(f"the notebook's folder has more than {_MOST_FILES:,} files")
    return found


def read(root: Path, names: Mapping[str, Any] | set[str], limit: int) -> Files:
    """What is in these files now; together at most ``limit`` bytes, what is above is withheld."""
    files: Files = {}
    left = limit
    for name in sorted(names):
        path = root / name
        try:
            size = path.stat().st_size
            if _can_run(name):
                files[name] = (size, _CANNOT.format(name=name))
            elif size > left:
                words = _LARGE.format(name=name, size=megabytes(size), limit=megabytes(limit))
                files[name] = (size, words)
            else:
                with path.open("rb") as file:
                    files[name] = data = file.read(left)
                left -= len(data)
        except OSError:
            files[name] = None
    return files


def differing(root: Path, known: Mapping[str, str], limit: int) -> Files:
    """The files below ``root`` that are others than those of which the digests are known."""
    here = stamps(root)
    other = {name for name in here if known.get(name) != _digest(root / name)}
    return read(root, other | (known.keys() - here.keys()), limit)


def changed(root: Path, before: Mapping[str, Stamp], limit: int) -> Files:
    """The files below ``root`` that were changed since ``before``."""
    now = stamps(root)
    names = {name for name in {*now, *before} if now.get(name) != before.get(name)}
    return read(root, names, limit)


def put(root: Path, files: Files) -> None:
    """Make the files below ``root`` what ``files`` says; never outside of it."""
    for name, content in files.items():
        path = root / name
        _make_folder(root, PurePosixPath(name).parent)
        if path.is_symlink() or path.is_file():
            path.unlink()
        if content is None or path.exists():
            continue
        with path.open("xb") as file:
            if type(content) is bytes:
                file.write(content)
            else:
                file.truncate(min(content[0], _LONGEST_HOLE))


def checked(value: Any) -> Files:
    """Files that came from a student's process. Raises ``Damaged`` for what is none."""
    if type(value) is not dict or len(value) > 2 * _MOST_FILES:
        raise Damaged("no files")
    for name, content in value.items():
        if type(name) is not str or len(name) > 1_000 or "\0" in name or "\\" in name:
            raise Damaged("a file without a name")
        parts = PurePosixPath(name).parts
        is_inside = parts and ".." not in parts and not name.startswith("/")
        if not is_inside or len(parts) > _DEEPEST + 1 or PurePosixPath(name).as_posix() != name:
            raise Damaged("a file that is elsewhere")
        if type(content) is bytes and _can_run(name):
            raise Damaged("a file that can be run")
        if content is not None and type(content) is not bytes:
            _check_withheld(content)
    return value


class JudgeFolder:
    """The judge's working folder, which is its own, and what came into it from the notebook.

    To open a withheld file raises ``NotHandedOut``, and so does pickle once the test has opened a
    file of the notebook's.
    """

    def __init__(self, limit: int) -> None:
        self.root = Path.cwd()
        self.limit = limit
        self.withheld: dict[str, str] = {}
        self._came: set[str] = set()
        self._seen: dict[str, Stamp] = {}
        self._opened = False
        sys.addaudithook(self._watch)

    def begin(self, files: Files) -> None:
        """Take all that the notebook has, before a cell is judged. Raises ``Damaged``."""
        files = checked(files)
        self._take({**dict.fromkeys(self._came - files.keys()), **files})
        self._opened = False

    def take(self, files: Files) -> None:
        """Take what a call has changed. Raises ``Damaged``."""
        self._take(checked(files))

    def _take(self, files: Files) -> None:
        for name in files:  # before they are written: that opens them
            self.withheld.pop(str(self.root / name), None)
        # What Python would take for a module must not be there, not even without a content.
        put(self.root, {name: files[name] for name in files if not _is_module(name)})
        self._came |= files.keys()
        for name, content in files.items():
            if type(content) is tuple:
                self.withheld[str(self.root / name)] = str(content[1])[:1_000]
        self._seen = stamps(self.root)

    def changes(self) -> Files:
        """What the test has written since the notebook was told last."""
        files = changed(self.root, self._seen, self.limit)
        self._seen = stamps(self.root)
        return files

    def why_not(self, source: str) -> str:
        """Why a test that names a withheld file could not read it; "" if it names none."""
        named = (why for path, why in self.withheld.items() if Path(path).name in source)
        return next(named, "")

    def _watch(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[0], (str, bytes)):
            path = os.path.abspath(os.fsdecode(arguments[0]))
            if path in self.withheld and not sys.is_finalizing():
                raise NotHandedOut(self.withheld[path])
            self._opened |= os.path.relpath(path, self.root) in self._came
        elif event == "pickle.find_class" and self._opened:
            raise NotHandedOut(_PICKLED)


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _make_folder(root: Path, inner: PurePosixPath) -> None:
    """Folders of their own in place of links to folders, on the way to a file."""
    here = root
    for part in inner.parts:
        here = here / part
        if here.is_symlink() and here.is_dir():
            there = here.resolve()
            here.unlink()
            here.mkdir()
            for path in there.iterdir():
                (here / path.name).symlink_to(path)
        elif not here.is_dir():
            here.unlink(missing_ok=True)
            here.mkdir()


def _can_run(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in _RUNS


def _is_module(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in _MODULES


def _check_withheld(content: Any) -> None:
    if type(content) is not tuple or len(content) != 2 or type(content[1]) is not str:
        raise Damaged("a file without a content")
    if type(content[0]) is not int or not 0 <= content[0] < 1 << 50:
        raise Damaged("a file without a length")
