"""TOML files written by people: every mistake is told with file, line and key."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, TypeVar

from nbcertify.errors import CertificateError

Kind = TypeVar("Kind")
_SAID = {str: "a text", bool: "true or false", list: "a list", dict: "a table", date: "a date"}

# Where a value is: the keys of tables, and places in arrays, counted from 0.
Keys = tuple[str | int, ...]


class Table:
    """One table of a TOML file, with the place it has there.

    Every method that reads a key raises `CertificateError` if it is missing (unless there is a
    default) or of another kind.
    """

    def __init__(self, file: Path, text: str, content: dict[str, Any], keys: Keys = ()) -> None:
        self._file, self._text, self._content, self._keys = file, text, content, keys

    def __contains__(self, key: str) -> bool:
        return key in self._content

    def __iter__(self) -> Iterator[str]:
        return iter(self._content)

    def error(self, key: str, wrong: str) -> CertificateError:
        """What is wrong with `key`, with its file and line."""
        keys = (*self._keys, key)
        line = _line(self._text, keys) or _line(self._text, self._keys) or 1
        return CertificateError(f"{self._file}, line {line}: {_dotted(keys)}: {wrong}")

    def only(self, *keys: str) -> None:
        """Refuse every key but `keys`."""
        for key in self._content:
            if key not in keys:
                raise self.error(key, f"unknown key; there are {', '.join(keys)}")

    def get(self, key: str, kind: type[Kind], default: Kind | None = None) -> Kind:
        """The value of `key`, which has to be of `kind`."""
        if key not in self._content:
            if default is None:
                raise self.error(key, "is missing")
            return default
        value = self._content[key]
        if not isinstance(value, kind) or (kind is date and isinstance(value, datetime)):
            raise self.error(key, f"must be {_SAID.get(kind, kind.__name__)}, not {value!r}")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """A text that says something."""
        value = self.get(key, str, default)
        if default is None and not value.strip():
            raise self.error(key, "is empty")
        return value.strip()

    def number(
        self, key: str, low: float, high: float, said: str, default: float | None = None
    ) -> float:
        """A number from `low` to `high`; `said` explains what it counts."""
        if key not in self._content and default is not None:
            return default
        value = self.get(key, object)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(key, f"must be a number, {said}, not {value!r}")
        if not low <= value <= high:
            raise self.error(key, f"must be from {low:g} to {high:g}, {said}, not {value}")
        return float(value)

    def share(self, key: str, default: float | None = None) -> float:
        """A share from 0 to 1."""
        return self.number(key, 0, 1, "a share (0.6 is 60 %)", default)

    def whole(self, key: str, high: int, said: str, default: int | None = None) -> int:
        """A whole number from 0 to `high`."""
        value = self.number(key, 0, high, said, default)
        if value != int(value):
            raise self.error(key, f"must be a whole number, {said}, not {value}")
        return int(value)

    def names(
        self, key: str, known: Collection[str] | None, what: str, *, repeated: bool = False
    ) -> tuple[str, ...]:
        """A list of names, at least one, each of them in `known` if that is given.

        They are different ones, unless they may be `repeated`.
        """
        value = self.get(key, list)
        if not value or not all(isinstance(name, str) for name in value):
            raise self.error(key, f"must be a list of names, not {value!r}")
        if len(set(value)) < len(value) and not repeated:
            raise self.error(key, f"names one twice: {', '.join(value)}")
        for name in value:
            if known is not None and name not in known:
                raise self.error(key, f"unknown {what} {name!r}; there are {', '.join(known)}")
        return tuple(value)

    def clock(self, key: str) -> time:
        """A time of day, as TOML's own (09:00:00) or as text ("09:00")."""
        return self.as_clock(key, self.get(key, object))

    def as_clock(self, key: str, value: object) -> time:
        """`value`, found at `key`, as a time of day."""
        if isinstance(value, time):
            return value
        try:
            return time.fromisoformat(str(value))
        except ValueError:
            raise self.error(key, f'must be a time of day such as "09:00", not {value!r}') from None

    def table(self, key: str) -> Table:
        """The table at `key`; an empty one if there is none."""
        content = self.get(key, dict, {}) if key in self._content else {}
        return Table(self._file, self._text, content, (*self._keys, key))

    def tables(self, key: str) -> list[Table]:
        """The tables of the list at `key`; none if it is missing."""
        items = self.get(key, list, []) if key in self._content else []
        if not all(isinstance(item, dict) for item in items):
            raise self.error(key, f"must be a list of tables: [[{key}]]")
        return [
            Table(self._file, self._text, item, (*self._keys, key, number))
            for number, item in enumerate(items)
        ]


def read_toml(path: Path) -> Table:
    """The file's top table. `CertificateError` if it cannot be read or is not TOML."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CertificateError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CertificateError(f"{path}: is not UTF-8 text: {error}") from error
    try:
        return Table(path, text, tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise CertificateError(f"{path}: is not valid TOML: {error}") from error


def _dotted(keys: Keys) -> str:
    """`sessions[2].start`, counted from one as people do."""
    said = ""
    for key in keys:
        said += f"[{key + 1}]" if isinstance(key, int) else f"{'.' if said else ''}{key}"
    return said


def _line(text: str, keys: Keys) -> int | None:
    """The line on which the value at `keys` begins, counted from one; None if there is none.

    tomllib tells no lines. The first beginning of the file that has the value ends on its last
    line, and the one before that can be parsed ends just before its first.
    """
    lines = text.splitlines()
    before = 0
    for count in range(len(lines) + 1):
        try:
            value: Any = tomllib.loads("\n".join(lines[:count]))
        except (tomllib.TOMLDecodeError, RecursionError):
            continue
        try:
            for key in keys:
                value = value[key]
        except (LookupError, TypeError):
            before = count
            continue
        return before + 1
    return None
