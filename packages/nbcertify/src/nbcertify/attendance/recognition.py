"""What recognising somebody by the name alone is worth, as the policy says."""

from dataclasses import dataclass
from enum import StrEnum


class Worth(StrEnum):
    """What the time of a participant who was told by a name alone is worth.

    COUNTS: as much as by e-mail. LISTED: it counts, and every decision that rests on it says so.
    UNDECIDED: it may be theirs, until somebody confirms it in aliases.csv.
    """

    COUNTS = "counts"
    LISTED = "listed"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Recognition:
    """`name_alone` is for names without an e-mail, `other_email` for those with a stranger's."""

    name_alone: Worth = Worth.LISTED
    other_email: Worth = Worth.LISTED
