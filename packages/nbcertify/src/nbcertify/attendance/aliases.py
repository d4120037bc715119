"""Who a participant is according to the instructor: `aliases.csv`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nbcertify.attendance.review import COLUMNS, without_apostrophe
from nbcertify.errors import CertificateError
from nbcertify.tables import fold, read_records

# Who is no student of this course, such as a teacher. An empty cell was forgotten.
NOBODY = "-"
# Nobody can tell who it was, and somebody decided, with a reason, that this holds nobody up.
ASIDE = "?"


@dataclass(frozen=True)
class Alias:
    """`participant` (a name as shown or an e-mail, folded) is `student`, NOBODY, or put ASIDE.

    Where `session` or `email` (folded) are not "", it is said only of them. `reason` is given
    for what is put aside.
    """

    participant: str
    student: str
    session: str
    email: str
    line: int
    reason: str = ""


@dataclass(frozen=True)
class Aliases:
    """The aliases of the file `path`, by participant."""

    path: Path
    by_participant: Mapping[str, Sequence[Alias]]

    def find(self, shown: str, email: str, session: str) -> Alias | None:
        """What is said of this participant, None if nothing is.

        CertificateError if two lines disagree.
        """
        shown, email = fold(shown), fold(email)
        said = [
            alias
            for participant in dict.fromkeys((shown, email))
            for alias in self.by_participant.get(participant, ())
            if alias.session in ("", session) and alias.email in ("", email)
        ]
        for alias in said[1:]:
            if alias.student != said[0].student:
                raise CertificateError(
                    f"{self.path}, lines {said[0].line} and {alias.line}: disagree on who "
                    f"{shown!r} is in the session {session}; take one out, or fill in session and "
                    "email so that only one fits"
                )
        return said[0] if said else None


def read_aliases(
    data: bytes, path: Path, students: Collection[str], sessions: Collection[str]
) -> Aliases:
    """The aliases in the bytes `data` of the file `path`.

    Columns: participant and student; session, email and reason may be there, and the others of
    review.csv, which are passed over. CertificateError names `path` and the line.
    """
    aliases: dict[str, list[Alias]] = {}
    optional = [column for column in COLUMNS if column not in ("participant", "student")]
    for record in read_records(data, path, ("participant", "student"), optional):
        where = f"{path}, line {record.line}"
        alias = Alias(
            fold(without_apostrophe(record.cells["participant"])),
            without_apostrophe(record.cells["student"]),
            without_apostrophe(record.cells.get("session", "")),
            fold(without_apostrophe(record.cells.get("email", ""))),
            record.line,
            without_apostrophe(record.cells.get("reason", "")),
        )
        if not alias.participant:
            raise CertificateError(
                f"{where}: names no participant; write a name as the report shows it, or an e-mail"
            )
        if not alias.student:
            raise CertificateError(
                f"{where}: does not say who it is; fill in the student, {NOBODY} for somebody who "
                f"is no student of this course, or {ASIDE} with a reason to put the row aside"
            )
        if alias.student == ASIDE and not alias.reason:
            raise CertificateError(
                f"{where}: puts a participant aside without a reason; write one into the column "
                "reason"
            )
        if alias.student not in (NOBODY, ASIDE, *students):
            raise CertificateError(
                f"{where}: there is no student {alias.student!r} in the roster; write {NOBODY} for "
                "somebody who is no student of this course"
            )
        if alias.session and alias.session not in sessions:
            raise CertificateError(
                f"{where}: there is no session {alias.session!r}; there are {', '.join(sessions)}"
            )
        aliases.setdefault(alias.participant, []).append(alias)
    return Aliases(path, aliases)
