"""Which exercise was handed in, told from the cells of the notebooks, whatever they are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nbjudge.admit.reading import read_notebook
from nbjudge.admit.submissions import shown_name
from nbjudge.assignment.blueprint import Blueprint
from nbjudge.assignment.recognise import assignments_held, is_untouched, recognise
from nbjudge.errors import NotGraded

from nbhandin.errors import NotTaken

Exercises = Mapping[str, Sequence[Blueprint]]

_SAVE = "Save the notebook (Ctrl+S) in JupyterLab, VS Code or Colab, and hand in the saved file."


@dataclass(frozen=True)
class Recognised:
    """An exercise and its files under the names that they are graded by.

    ``notes`` are for the student to read beside the receipt.
    """

    assignment: str
    files: Mapping[str, bytes]
    notes: tuple[str, ...] = ()


def recognise_upload(
    files: Mapping[str, bytes], exercises: Exercises, size_limit: int
) -> Recognised:
    """Find out of which of ``exercises`` the uploaded files are.

    ``size_limit`` is that of a notebook, in bytes. Raises ``NotTaken`` with what to do.
    """
    _require_readable(files, size_limit)
    try:
        held = assignments_held(files, exercises, size_limit)
        ours = sorted(set(held) - {""})
        if not ours:
            raise NotTaken(_not_ours(sorted(held.get("", ())), sorted(files), exercises))
        if len(ours) > 1:
            raise NotTaken(
                f"These are notebooks of {_and(ours)}. Hand them in one after another, so that "
                "each has its own receipt."
            )
        found = recognise(files, exercises[ours[0]], size_limit)
    except NotGraded as error:
        raise NotTaken(str(error)) from error
    # Said before it is graded.
    notes = [note.replace(" was graded as ", " is taken as ") for note in found.notes]
    if is_untouched(found.files, exercises[ours[0]], size_limit):
        notes.append(
            f"{ours[0]} looks as it was handed out: there is no answer of yours in it. If you "
            f"did answer, the file was not saved. {_SAVE}"
        )
    return Recognised(
        ours[0], _without_sources(found.files, exercises[ours[0]], held), tuple(notes)
    )


def _without_sources(
    files: Mapping[str, bytes], blueprints: Sequence[Blueprint], held: Mapping[str, Sequence[str]]
) -> dict[str, bytes]:
    """The files without those that the notebooks were taken from, so that each is there once."""
    names = {f"{blueprint.notebook}.ipynb" for blueprint in blueprints}
    taken = {files[name] for name in names if name in files}
    inside = [shown for shown_names in held.values() for shown in shown_names]
    unpacked = {shown.rpartition(" in ")[2] for shown in inside if " in " in shown}
    return {
        name: data
        for name, data in files.items()
        if name in names or (data not in taken and name not in unpacked)
    }


def _require_readable(files: Mapping[str, bytes], size_limit: int) -> None:
    """Raise ``NotTaken`` for what calls itself a notebook and is none."""
    if not files:
        raise NotTaken("No file arrived. Choose the notebook that you work in, and hand it in.")
    for name, data in files.items():
        if not name.lower().endswith(".ipynb"):
            continue
        shown = shown_name(name)
        if not data.strip():
            raise NotTaken(f"{shown} is empty. {_SAVE}")
        try:
            notebook = read_notebook(data, shown, size_limit)
        except NotGraded as error:
            raise NotTaken(str(error)) from error
        if not any(cell.source.strip() for cell in notebook.cells):
            raise NotTaken(f"{shown} has no cells with text in them. {_SAVE}")


def _not_ours(notebooks: Sequence[str], names: Sequence[str], exercises: Exercises) -> str:
    known = _and(sorted(exercises)) or "none yet"
    if notebooks:
        return (
            f"{shown_name(notebooks[0])} is a notebook, but it holds none of the cells of this "
            f"course's exercises ({known}). Perhaps it is from another course, or a new notebook. "
            "Answer in the notebook that you were given, and hand that in."
        )
    first = names[0]
    if first.lower().endswith((".py", ".html", ".htm", ".pdf", ".md", ".docx")):
        return (
            f"{shown_name(first)} is an export, not the notebook itself. Hand in the file whose "
            "name ends in .ipynb. In Colab: File > Download > Download .ipynb."
        )
    return (
        f"{shown_name(first)} is not a Jupyter notebook. Hand in the notebook that you work in; "
        "its name ends in .ipynb."
    )


def _and(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
