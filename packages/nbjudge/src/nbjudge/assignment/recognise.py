"""Which of the files that were handed in are the assignment's notebooks.

The name that was asked for counts first. A copy, a renamed file, one in a folder or in a zip file
is recognised by its cells; where it is not certain which one is meant, a person decides.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from nbformat import NotebookNode

from nbjudge.admit.reading import read_notebook
from nbjudge.admit.submissions import shown_name
from nbjudge.assignment.blueprint import Blueprint
from nbjudge.assignment.cells import cell_grade_id, released_text
from nbjudge.assignment.elsewhere import added_texts, recover_grade_ids
from nbjudge.assignment.markers import normalise
from nbjudge.errors import NotGraded

# So many files that may be notebooks are looked at.
_MOST_CANDIDATES = 20
_MOST_MEMBERS = 1_000
# What of an assignment's cells a notebook has to hold to be one of it.
_SHARE = 0.5
# What a browser, a mail program or a learning platform makes of a notebook's name.
_ENDINGS = (".json", ".txt")


@dataclass(frozen=True)
class HandedIn:
    """A submission's files by relative name, with its notebooks under the names asked for.

    ``notes`` say, for the student and the record, what was taken for which notebook; ``changed``
    whether these are other files than the ones handed in.
    """

    files: Mapping[str, bytes]
    notes: tuple[str, ...] = ()
    changed: bool = False


@dataclass(frozen=True)
class _Candidate:
    """A file that may be a notebook of the assignment; ``folder`` holds what lies beside it."""

    name: str
    data: bytes
    folder: Mapping[str, bytes]
    answers: Mapping[str, str]
    added: frozenset[str]

    @property
    def work(self) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
        """All that its student wrote."""
        return tuple(sorted(self.answers.items())), tuple(sorted(self.added))

    @property
    def has_work(self) -> bool:
        return bool(self.answers or self.added)


def recognise(
    files: Mapping[str, bytes], blueprints: Sequence[Blueprint], size_limit: int
) -> HandedIn:
    """Find the notebooks of ``blueprints`` among the files of a submission.

    ``size_limit`` is that of a notebook, in bytes. Raises ``NotGraded`` where one is missing, or
    where it is not certain which file is meant.
    """
    found, notes = dict(files), []
    names = {f"{blueprint.notebook}.ipynb" for blueprint in blueprints}
    others = [name for name in files if name not in names and _may_hold_notebooks(name)]
    if not others and names <= set(files):
        return HandedIn(files)
    rest = list(_read_others(files, others, size_limit)) if others else []
    for blueprint in blueprints:
        name = f"{blueprint.notebook}.ipynb"
        if blueprint.is_library:
            if name not in files and blueprint.source is not None:
                found[name] = json.dumps(blueprint.source).encode()
            continue
        named = _candidate(name, files.get(name), {}, blueprint, size_limit)
        candidates = [
            candidate
            for other, data, folder, nb in rest
            if _best_fit(nb, blueprints) is blueprint
            and (candidate := _made(other, data, folder, nb, blueprint))
        ]
        chosen = _choose(name, name in files, named, candidates, sorted(files))
        if chosen is None:
            continue
        if chosen.name != name:
            notes.append(
                f"{shown_name(chosen.name)} was graded as {name}: it holds its cells."
                + (f" {name} is as it was handed out." if named is not None else "")
            )
            for beside, data in chosen.folder.items():
                found.setdefault(beside, data)
            found[name] = chosen.data
        elif unused := [c.name for c in candidates if c.has_work and c.work != chosen.work]:
            notes.append(
                f"{name} was graded. {_listed(unused)} with other answers, too: not looked at, "
                "since this is the name that was asked for."
            )
    return HandedIn(found, tuple(notes), changed=found != dict(files))


def assignments_held(
    files: Mapping[str, bytes], assignments: Mapping[str, Sequence[Blueprint]], size_limit: int
) -> dict[str, list[str]]:
    """Which assignments the notebooks among ``files`` are of, by their cells, whatever their names.

    ``assignments`` has the blueprints of each. Returns the notebooks by assignment; under "" are
    those of no assignment. Errors as in ``recognise``.
    """
    owner = {id(b): name for name, blueprints in assignments.items() for b in blueprints}
    every = [blueprint for blueprints in assignments.values() for blueprint in blueprints]
    wanted = [name for name in files if _may_hold_notebooks(name)]
    held: dict[str, list[str]] = {}
    for name, _, _, nb in _read_others(files, wanted, size_limit):
        best = _best_fit(nb, every)
        held.setdefault("" if best is None else owner[id(best)], []).append(name)
    return held


def is_untouched(
    files: Mapping[str, bytes], blueprints: Sequence[Blueprint], size_limit: int
) -> bool:
    """Whether the notebooks of ``blueprints`` are as they were handed out, without an answer."""
    for blueprint in blueprints:
        if blueprint.is_library:
            continue
        name = f"{blueprint.notebook}.ipynb"
        candidate = _candidate(name, files.get(name), {}, blueprint, size_limit)
        if candidate is None or candidate.has_work:
            return False
    return True


def _choose(
    name: str,
    is_there: bool,
    named: _Candidate | None,
    others: Sequence[_Candidate],
    files: Sequence[str],
) -> _Candidate | None:
    """The file to grade as ``name``; ``None`` for the one that is there, whatever is in it."""
    works = {candidate.work: candidate for candidate in reversed(others) if candidate.has_work}
    if named is not None and named.has_work:
        more = [c for c in works.values() if set(c.answers) - set(named.answers)]
        if not more:
            return named
        answers = sorted({answer for c in more for answer in set(c.answers) - set(named.answers)})
        raise NotGraded(
            f"It is not certain which file is meant: {name}, or {_or(c.name for c in more)}, which "
            f"also answers {', '.join(answers)}. Hand in the right one as {name}, without the "
            "others. The instructor can take the others out of the folder and grade again."
        )
    if len(works) > 1:
        raise NotGraded(
            f"It is not certain which file is {name}: "
            f"{_or(c.name for c in works.values())}. They hold different answers. Hand in the "
            f"right one as {name}, without the others. The instructor can take the others out of "
            "the folder and grade again."
        )
    if works:
        return next(iter(works.values()))
    if named is not None or is_there:
        return named
    if others:
        return others[0]
    raise NotGraded(_missing(name, files))


def _read_others(
    files: Mapping[str, bytes], names: Sequence[str], size_limit: int
) -> Iterator[tuple[str, bytes, Mapping[str, bytes], NotebookNode]]:
    """What may be notebooks, in folders and zip files as well, with what lies beside each."""
    number = 0
    for name in sorted(names):
        if name.endswith(".zip"):
            inside = _unzipped(name, files[name], size_limit)
            wanted = [item for item in inside if _is_notebook_name(item)]
        else:
            inside, wanted = dict(files), [name]
        for item in wanted:
            try:
                nb = read_notebook(inside[item], shown_name(item), size_limit)
            except NotGraded:
                continue  # not a notebook, whatever its name says
            number += 1
            if number > _MOST_CANDIDATES:
                raise NotGraded(
                    f"The submission holds more than {_MOST_CANDIDATES} notebooks. Hand in the "
                    "notebook that you were given, and no other."
                )
            folder = "" if "/" not in item else item.rpartition("/")[0] + "/"
            beside = {
                other.removeprefix(folder): data
                for other, data in inside.items()
                if other.startswith(folder) and other != item and ".ipynb" not in other
            }
            shown = item if name == item else f"{item} in {name}"
            yield shown, inside[item], beside if folder or name != item else {}, nb


def _unzipped(name: str, data: bytes, size_limit: int) -> dict[str, bytes]:
    """The files in a zip file, no more than ``size_limit`` bytes; none of one that is damaged."""
    found: dict[str, bytes] = {}
    left = size_limit
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.infolist()[:_MOST_MEMBERS]:
                path = PurePosixPath(member.filename)
                hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
                if member.is_dir() or path.is_absolute() or hidden or ".." in path.parts:
                    continue
                with archive.open(member) as file:
                    content = file.read(left + 1)
                left -= len(content)
                if left < 0:
                    raise NotGraded(
                        f"{shown_name(name)} holds more than {size_limit / 1e6:.0f} MB. Hand in "
                        "the notebook itself."
                    )
                found[path.as_posix()] = content
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError, EOFError):
        return {}
    return found


def _best_fit(nb: NotebookNode, blueprints: Sequence[Blueprint]) -> Blueprint | None:
    fits = [(_fit(nb, blueprint), blueprint) for blueprint in blueprints]
    share, best = max(fits, key=lambda pair: pair[0], default=(0.0, None))
    return best if share >= _SHARE else None


def _fit(nb: NotebookNode, blueprint: Blueprint) -> float:
    """What share of a notebook's cells this one holds, by their ids or their texts."""
    wanted = {master.grade_id for master in blueprint.masters}
    held = {cell_grade_id(cell) for cell in nb.cells} & wanted
    texts = {normalise(cell.source) for cell in nb.cells}
    missing = [master for master in blueprint.masters if master.grade_id not in held]
    by_text = sum(normalise(released_text(master)) in texts for master in missing)
    return (len(held) + by_text) / len(wanted) if wanted else 0.0


def _candidate(
    name: str,
    data: bytes | None,
    folder: Mapping[str, bytes],
    blueprint: Blueprint,
    size_limit: int,
) -> _Candidate | None:
    """The file as a notebook of ``blueprint``; ``None`` if it is none."""
    if data is None:
        return None
    try:
        nb = read_notebook(data, name, size_limit)
    except NotGraded:
        return None
    return _made(name, data, folder, nb, blueprint) if _fit(nb, blueprint) > 0 else None


def _made(
    name: str, data: bytes, folder: Mapping[str, bytes], nb: NotebookNode, blueprint: Blueprint
) -> _Candidate:
    recover_grade_ids(nb.cells, blueprint.masters, blueprint.given)
    stubs = {
        master.grade_id: normalise(master.source) for master in blueprint.masters if master.solution
    }
    answers = {
        grade_id: normalise(cell.source)
        for cell in nb.cells
        if (grade_id := cell_grade_id(cell)) in stubs
        and normalise(cell.source) not in ("", stubs[grade_id])
    }
    added = added_texts(nb.cells, blueprint.masters, blueprint.given)
    return _Candidate(name, data, folder, answers, frozenset(map(normalise, added)))


def _may_hold_notebooks(name: str) -> bool:
    return _is_notebook_name(name) or name.endswith(".zip")


def _is_notebook_name(name: str) -> bool:
    lower = name.lower()
    if lower.rpartition("/")[2] == "timestamp.txt":
        return False
    return ".ipynb" in lower or lower.endswith(_ENDINGS)


def _missing(name: str, files: Sequence[str]) -> str:
    present = [shown_name(file) for file in files if file != "timestamp.txt"]
    if not present:
        return f"{name} is missing: the submission holds no file."
    more = f" and {len(present) - 5} more" if present[5:] else ""
    return (
        f"{name} is missing, and no other file holds its cells. The submission holds "
        f"{', '.join(present[:5])}{more}. Hand in the notebook that you were given, as {name}."
    )


def _or(names: Iterator[str] | Sequence[str]) -> str:
    return " or ".join(sorted(shown_name(name) for name in names))


def _listed(names: Sequence[str]) -> str:
    shown = " and ".join(sorted(map(shown_name, names)))
    return f"{shown} {'is' if len(names) == 1 else 'are'} there"
